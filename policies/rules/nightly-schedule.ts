import { CronExpressionParser } from "cron-parser";
import { commandsOf } from "../lib/jobs";
import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { shown } from "../lib/values";

/** Commands that the plan wants every night. */
const NIGHTLY = ["snapshot-cassandra", "snapshot-elasticsearch", "replicate", "replicate-media"];

/** Snapshots and copies run at least once in 24 hours, on every day of every month. */
export const nightlySchedule: ResourceRule = {
  name: "nightly-schedule",
  description: "Snapshots and replication run at least once in 24 hours",
  plan: ["S1", "S2", "S3", "S6"],
  types: [types.cronJob],
  check: (cronJob) =>
    commandsOf(cronJob)
      .filter(({ command }) => NIGHTLY.includes(command))
      .flatMap(({ name, schedule }) => {
        const problem = scheduleProblem(schedule);
        return problem ? [`CronJob ${name} has schedule ${shown(schedule)}, ${problem}; e.g. "0 1 * * *"`] : [];
      }),
};

/** Why a schedule is not nightly, in words; undefined when it is. */
function scheduleProblem(schedule: unknown): string | undefined {
  const text = String(schedule ?? "").trim();
  if (/^@(daily|midnight|hourly)$/.test(text)) return undefined;
  if (text.split(/\s+/).length !== 5) return "which is no cron expression of five fields";
  try {
    const { dayOfMonth, dayOfWeek, month } = CronExpressionParser.parse(text).fields;
    const days = new Set(dayOfWeek.values.map((day) => Number(day) % 7));
    return month.values.length === 12 && dayOfMonth.values.length === 31 && days.size === 7
      ? undefined
      : "which leaves days out; it has to run every day";
  } catch (error) {
    return `which is no cron expression (${(error as Error).message})`;
  }
}
