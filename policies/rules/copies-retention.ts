import { isDrillProject } from "../../plan/names";
import { daysInSeconds, retention } from "../../plan/retention";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { at, object, shown } from "../lib/values";

const least = 7;

/** Nobody can remove a second copy before its time, whoever took over what. */
export const copiesRetention: ResourceRule = {
  name: "copies-retention",
  description: "Second copies have a locked retention and soft delete; only a drill's may be unlocked",
  plan: ["S2", "D5"],
  types: [types.bucket],
  check: (bucket) => {
    if (storeOf(bucket) !== "secondCopy" || isDrillProject(String(bucket.props.project))) return [];
    const { retentionPeriod, isLocked } = object(bucket.props.retentionPolicy);
    const softDelete = at(bucket.props, "softDeletePolicy", "retentionDurationSeconds");
    const problems: string[] = [];
    if (!(Number(retentionPeriod) >= daysInSeconds(least)))
      problems.push(
        `retentionPolicy.retentionPeriod is ${shown(retentionPeriod)}; set ${retention.copiesDays} days, at least ${least}`,
      );
    if (isLocked !== true) problems.push(`retentionPolicy.isLocked is ${shown(isLocked)}; set true`);
    if (!(Number(softDelete) >= daysInSeconds(least)))
      problems.push(
        `softDeletePolicy.retentionDurationSeconds is ${shown(softDelete)}; set ${retention.copiesSoftDeleteDays} days`,
      );
    if (bucket.props.forceDestroy === true) problems.push("forceDestroy is true; a bucket of copies is never emptied");
    return problems;
  },
};
