import { multiRegions } from "../../plan/regions";
import { retention } from "../../plan/retention";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

const WEEK = 7 * 24 * 3600;

/** S1, S3, S6: primaries live in a multi-region and can be undeleted for a while. */
export const backupBucketMultiRegion: ResourceRule = {
  name: "backup-bucket-multi-region",
  description: "Primary backup and media buckets are multi-region with soft delete",
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (store !== "primaryBackups" && store !== "media") return [];
    const problems: string[] = [];
    const { location } = bucket.props;
    if (!multiRegions.has(String(location).toUpperCase()))
      problems.push(`location is ${shown(location)}; allowed: ${[...multiRegions.keys()].join(", ")}`);
    const seconds = Number(object(bucket.props.softDeletePolicy).retentionDurationSeconds ?? 0);
    if (seconds < WEEK)
      problems.push(
        `softDeletePolicy.retentionDurationSeconds is ${seconds}; set ${retention.primarySoftDeleteDays} days, at least 7`,
      );
    return problems;
  },
};
