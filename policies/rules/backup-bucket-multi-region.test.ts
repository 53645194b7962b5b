import { daysInSeconds } from "../../plan/retention";
import { bucket, specify } from "../testing";
import { backupBucketMultiRegion } from "./backup-bucket-multi-region";

const kept = { softDeletePolicy: { retentionDurationSeconds: daysInSeconds(30) } };

specify(backupBucketMultiRegion, {
  holds: [
    bucket("primary-backups", { location: "EU", ...kept }),
    bucket("media", { location: "eur4", ...kept }),
    // Second copies have a rule of their own.
    bucket("second-copy", { location: "EUROPE-WEST6" }),
    bucket("nothing of ours"),
  ],
  violated: [
    [
      bucket("primary-backups", { location: "EUROPE-WEST1", ...kept }),
      /S1, S3, S6: location is "EUROPE-WEST1"; allowed: EU/,
    ],
    [bucket("primary-backups", kept), /location is not set/],
    [bucket("media", { location: "EU" }), /retentionDurationSeconds is not set; set 30 days/],
    [
      bucket("media", { location: "EU", softDeletePolicy: { retentionDurationSeconds: daysInSeconds(29) } }),
      /retentionDurationSeconds is 2505600; set 30 days/,
    ],
    [bucket("media", { location: "EU", softDeletePolicy: {} }), /retentionDurationSeconds is not set/],
  ],
});
