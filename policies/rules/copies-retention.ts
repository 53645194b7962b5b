import { isDrillProject } from "../../plan/names";
import { retention } from "../../plan/retention";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** D5: nobody can remove a second copy before its time, whoever took over what. */
export const copiesRetention: ResourceRule = {
  name: "copies-retention",
  description: "Second copies have a locked retention; only a drill's may be unlocked",
  types: [types.bucket],
  check: (bucket) => {
    if (storeOf(bucket) !== "secondCopy" || isDrillProject(String(bucket.props.project))) return [];
    const { retentionPeriod, isLocked } = object(bucket.props.retentionPolicy);
    const least = 7 * 24 * 3600;
    const problems: string[] = [];
    if (Number(retentionPeriod ?? 0) < least)
      problems.push(
        `retentionPolicy.retentionPeriod is ${shown(retentionPeriod)}; set ${retention.copiesDays} days, at least 7`,
      );
    if (isLocked !== true) problems.push(`retentionPolicy.isLocked is ${shown(isLocked)}; set true`);
    if (bucket.props.forceDestroy === true) problems.push("forceDestroy is true; a bucket of copies is never emptied");
    return problems;
  },
};
