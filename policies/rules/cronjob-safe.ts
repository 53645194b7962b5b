import { timeZone } from "../../plan/schedules";
import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** Nightly jobs never overlap, are caught up when missed, end in time and say which zone their hour is in. */
export const cronjobSafe: ResourceRule = {
  name: "cronjob-safe",
  description: "CronJobs forbid overlap and have deadlines",
  plan: ["S1", "S2", "S3", "S6"],
  types: [types.cronJob],
  check: ({ props }) => {
    const spec = object(props.spec);
    const job = object(object(spec.jobTemplate).spec);
    const problems: string[] = [];
    if (spec.concurrencyPolicy !== "Forbid")
      problems.push(`concurrencyPolicy is ${shown(spec.concurrencyPolicy)}; set "Forbid"`);
    if (!(Number(spec.startingDeadlineSeconds) > 0))
      problems.push(`startingDeadlineSeconds is ${shown(spec.startingDeadlineSeconds)}; set it`);
    if (!(Number(job.activeDeadlineSeconds) > 0))
      problems.push(`jobTemplate.spec.activeDeadlineSeconds is ${shown(job.activeDeadlineSeconds)}; set it`);
    if (spec.timeZone !== timeZone) problems.push(`timeZone is ${shown(spec.timeZone)}; set "${timeZone}"`);
    return problems;
  },
};
