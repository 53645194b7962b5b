import { CronExpressionParser } from "cron-parser";
import { type Command, nightly } from "../lib/jobs";
import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { shown, texts } from "../lib/values";

/** A copy that nobody has restored is a hope: each repository that is copied is verified each week. */
export const copiesVerified: StackRule = {
  name: "copies-verified",
  description: "Every repository that is replicated is restored and read by a deep verification each week",
  plan: ["S2", "S8", "D2"],
  checkStack: (resources) =>
    judge([resources], () => {
      const commands = nightly(resources);
      const verifications = commands.filter(({ command }) => command === "verify-copy");
      return commands
        .filter(({ command }) => command === "replicate")
        .flatMap(({ config }) =>
          texts(config.repositories).flatMap((repository) => {
            const own = verifications.filter(
              ({ config: each }) => each.site === config.site && each.repository === repository,
            );
            const copy = `the copy of ${repository} of site ${shown(config.site)}`;
            return own.length === 0
              ? [`${copy} is never restored; declare a CronJob that runs verify-copy`]
              : own.flatMap((each) => problems(each).map((problem) => `CronJob ${each.name}: ${problem}`));
          }),
        );
    }),
};

function problems({ suspended, schedule }: Command): string[] {
  return [
    ...(suspended ? ["suspend is true; set false"] : []),
    ...(isWeekly(String(schedule ?? "")) ? [] : [`schedule is ${shown(schedule)}; run it each week, e.g. "0 7 * * 1"`]),
  ];
}

/** Does it run on at least one day of every week? */
function isWeekly(schedule: string): boolean {
  if (/^@(weekly|daily|midnight|hourly)$/.test(schedule.trim())) return true;
  try {
    const { dayOfMonth, dayOfWeek, month } = CronExpressionParser.parse(schedule).fields;
    // With both days given cron runs on either: every week by the day of the week.
    return month.values.length === 12 && (dayOfMonth.values.length === 31 || dayOfWeek.values.length < 7);
  } catch {
    return false;
  }
}
