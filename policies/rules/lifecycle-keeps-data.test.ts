import { daysInSeconds } from "../../plan/retention";
import { types } from "../lib/types";
import { bucket, type Props, resource, specify } from "../testing";
import { lifecycleKeepsData } from "./lifecycle-keeps-data";

const deletes = (condition: Props) => ({ action: { type: "Delete" }, condition });
const abort = { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 1 } };
const rules = (...lifecycleRules: Props[]) => ({ lifecycleRules });
const secondary = (changes: Props = {}) =>
  bucket("second-media", {
    versioning: { enabled: true },
    softDeletePolicy: { retentionDurationSeconds: daysInSeconds(30) },
    ...rules(deletes({ daysSinceNoncurrentTime: 30 }), abort),
    ...changes,
  });

specify(lifecycleKeepsData, {
  holds: [
    secondary(),
    secondary(rules(deletes({ daysSinceNoncurrentTime: 31, withState: "ARCHIVED" }))),
    bucket("media", rules(deletes({ daysSinceNoncurrentTime: 7 }))),
    bucket("media"),
    bucket("primary-backups", rules(abort)),
    bucket("second-copy", rules()),
    resource(types.bucket, rules(deletes({ age: 1 }))),
  ],
  violated: [
    [bucket("primary-backups", rules(deletes({ age: 14 }))), /S1, S2, S3, S6, D3: a lifecycle rule deletes backups/],
    [bucket("second-copy", rules(deletes({ daysSinceNoncurrentTime: 30 }))), /deletes backups/],
    [bucket("media", rules(deletes({ age: 365 }))), /deletes media .*; set daysSinceNoncurrentTime to 1/],
    [secondary(rules(deletes({ daysSinceNoncurrentTime: 29 }))), /deletes media/],
    [secondary(rules(deletes({ numNewerVersions: 1 }))), /deletes media/],
    [secondary(rules(deletes({}))), /deletes media/],
    [secondary(rules(abort)), /no lifecycle rule ends the 30 days/],
    [secondary(rules()), /no lifecycle rule ends the 30 days/],
    [secondary({ versioning: { enabled: false } }), /versioning is off/],
    [secondary({ softDeletePolicy: { retentionDurationSeconds: daysInSeconds(7) } }), /604800; set 30 days/],
    [bucket("second-media"), /versioning is off.*\n.*no lifecycle rule.*\n.*retentionDurationSeconds is not set/],
  ],
});
