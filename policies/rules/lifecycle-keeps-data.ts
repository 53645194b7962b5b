import { daysInSeconds, retention } from "../../plan/retention";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { at, object, objects, shown, type Values } from "../lib/values";

/**
 * Nothing a bucket does by itself removes what the plan keeps: no rule deletes backups, media go only when they were
 * removed before, and the secondaries keep those for the plan's days.
 */
export const lifecycleKeepsData: ResourceRule = {
  name: "lifecycle-keeps-data",
  description: "No lifecycle rule deletes backups or live media; removed media stay 30 days in the secondaries",
  plan: ["S1", "S2", "S3", "S6", "D3"],
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (!store) return [];
    const deletions = objects(bucket.props.lifecycleRules).filter(({ action }) => object(action).type === "Delete");
    if (store === "primaryBackups" || store === "secondCopy")
      return deletions.map(
        ({ condition }) =>
          `a lifecycle rule deletes backups (${shown(condition)}); remove it: stores purge their own backups`,
      );
    const days = store === "secondMedia" ? retention.mediaAfterRemovalDays : 1;
    return [
      ...deletions
        .filter(({ condition }) => !(daysNoncurrent(object(condition)) >= days))
        .map(
          ({ condition }) =>
            `a lifecycle rule deletes media (${shown(condition)}); set daysSinceNoncurrentTime to ${days} or more`,
        ),
      ...(store === "secondMedia" ? secondaryProblems(bucket.props, deletions) : []),
    ];
  },
};

/** Days since an object stopped being the live version that a rule waits; 0 when it may delete a live one. */
const daysNoncurrent = (condition: Values) => Number(condition.daysSinceNoncurrentTime ?? 0);

function secondaryProblems(props: Values, deletions: Values[]): string[] {
  const days = retention.mediaAfterRemovalDays;
  const softDelete = at(props, "softDeletePolicy", "retentionDurationSeconds");
  return [
    ...(at(props, "versioning", "enabled") === true
      ? []
      : ["versioning is off: a removal would be final; set versioning.enabled to true"]),
    ...(deletions.length > 0
      ? []
      : [`no lifecycle rule ends the ${days} days after a removal; delete at daysSinceNoncurrentTime ${days}`]),
    ...(Number(softDelete) >= daysInSeconds(retention.mediaSoftDeleteDays)
      ? []
      : [
          `softDeletePolicy.retentionDurationSeconds is ${shown(softDelete)}; set ${retention.mediaSoftDeleteDays} days in seconds`,
        ]),
  ];
}
