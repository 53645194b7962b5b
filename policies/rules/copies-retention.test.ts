import { daysInSeconds } from "../../plan/retention";
import { bucket, type Props, specify } from "../testing";
import { copiesRetention } from "./copies-retention";

const locked = { retentionPeriod: String(daysInSeconds(35)), isLocked: true };
const copies = (changes: Props = {}) =>
  bucket("second-copy", {
    retentionPolicy: locked,
    softDeletePolicy: { retentionDurationSeconds: daysInSeconds(30) },
    ...changes,
  });

specify(copiesRetention, {
  holds: [copies(), bucket("second-copy", { project: "iconik-drill-vault" }), bucket("media")],
  violated: [
    [bucket("second-copy"), /S2, D5: retentionPolicy.retentionPeriod is not set/],
    [copies({ retentionPolicy: undefined }), /isLocked is not set; set true/],
    [copies({ retentionPolicy: { ...locked, isLocked: false } }), /isLocked is false/],
    [copies({ retentionPolicy: { ...locked, retentionPeriod: String(daysInSeconds(6)) } }), /518400".*at least 7/],
    [copies({ softDeletePolicy: { retentionDurationSeconds: 0 } }), /retentionDurationSeconds is 0; set 30 days/],
    [copies({ softDeletePolicy: undefined }), /retentionDurationSeconds is not set/],
    [copies({ forceDestroy: true }), /forceDestroy/],
    // A project is a drill's by its name only.
    [bucket("second-copy", { project: "drilling" }), /isLocked is not set/],
  ],
});
