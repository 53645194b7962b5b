import { multiRegions } from "../../plan/regions";
import { daysInSeconds, retention } from "../../plan/retention";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { at, shown } from "../lib/values";

const softDeleteDays = { primaryBackups: retention.primarySoftDeleteDays, media: retention.mediaSoftDeleteDays };

/** Primaries live in a multi-region and can be undeleted for a while. */
export const backupBucketMultiRegion: ResourceRule = {
  name: "backup-bucket-multi-region",
  description: "Primary backup and media buckets are multi-region with soft delete",
  plan: ["S1", "S3", "S6"],
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (store !== "primaryBackups" && store !== "media") return [];
    const problems: string[] = [];
    const { location } = bucket.props;
    if (!multiRegions.has(String(location).toUpperCase()))
      problems.push(`location is ${shown(location)}; allowed: ${[...multiRegions.keys()].join(", ")}`);
    const seconds = at(bucket.props, "softDeletePolicy", "retentionDurationSeconds");
    const days = softDeleteDays[store];
    if (!(Number(seconds) >= daysInSeconds(days)))
      problems.push(`softDeletePolicy.retentionDurationSeconds is ${shown(seconds)}; set ${days} days in seconds`);
    return problems;
  },
};
