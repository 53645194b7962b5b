import { isRestoring } from "../lib/jobs";
import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, shown } from "../lib/values";

/** Replicas are compared and mended on a schedule, so that corruption in one of them does not stay; a restore may pause it. */
export const repairScheduled: StackRule = {
  name: "repair-scheduled",
  description: "Reaper repairs every keyspace on a schedule, except while a site is restored",
  plan: ["D3", "S1"],
  checkStack: (resources) =>
    judge(
      resources.filter(({ type }) => type === types.cassandra),
      ({ props }) => {
        const enabled = at(props, "spec", "reaper", "autoScheduling", "enabled");
        return enabled === true || isRestoring(resources)
          ? []
          : [`spec.reaper.autoScheduling.enabled is ${shown(enabled)}; set true`];
      },
    ),
};
