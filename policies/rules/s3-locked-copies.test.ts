import { awsTypes } from "../lib/aws";
import type { Declared } from "../lib/rule";
import { type Props, resource, specify } from "../testing";
import { s3LockedCopies } from "./s3-locked-copies";

const bucket = (store: string, props: Props = {}, more: Partial<Declared> = {}, name = "b") =>
  resource(awsTypes.bucket, { bucket: name, objectLockEnabled: true, tags: { "iconik-store": store }, ...props }, more);
const versioning = (status: string, name = "b") =>
  resource(awsTypes.versioning, { bucket: name, versioningConfiguration: { status } });
const lock = (mode: string, days: number, name = "b") =>
  resource(awsTypes.lock, { bucket: name, rule: { defaultRetention: { mode, days } } });
const lifecycle = (rule: Props) => resource(awsTypes.lifecycle, { bucket: "b", rules: [{ id: "r", ...rule }] });
const copies = [bucket("s3-copies"), versioning("Enabled"), lock("COMPLIANCE", 35)];
const drill = "iconik-drill-standby-b";

specify(s3LockedCopies, {
  holds: [
    copies,
    [...copies, lifecycle({ noncurrentVersionExpiration: { noncurrentDays: 35 }, expiration: { expired: true } })],
    [bucket("s3-media-copies"), versioning("Enabled"), lock("COMPLIANCE", 30)],
    [bucket("s3-backups", { objectLockEnabled: false }), versioning("Enabled")],
    // No store of the matrix.
    [resource(awsTypes.bucket, { bucket: "logs" }, { protect: false })],
    [
      bucket("s3-copies", { forceDestroy: true }, { protect: false }, drill),
      versioning("Enabled", drill),
      lock("GOVERNANCE", 1, drill),
    ],
  ],
  violated: [
    [copies.slice(0, 2), /S7, D4, D5: bucket b: the lock's mode is not set; set "COMPLIANCE"/],
    [[copies[0]!, copies[2]!], /versioning is not set/],
    [[copies[0]!, versioning("Suspended"), copies[2]!], /versioning is "Suspended"/],
    [[copies[0]!, copies[1]!, lock("GOVERNANCE", 35)], /mode is "GOVERNANCE"/],
    [[copies[0]!, copies[1]!, lock("COMPLIANCE", 7)], /for 7 days; set 35 or more/],
    [[bucket("s3-copies", { objectLockEnabled: false }), ...copies.slice(1)], /objectLockEnabled is not true/],
    [[bucket("s3-copies", {}, { protect: false }), ...copies.slice(1)], /protect is not set/],
    [[bucket("s3-copies", { forceDestroy: true }), ...copies.slice(1)], /forceDestroy is true/],
    [[...copies, lifecycle({ expiration: { days: 90 } })], /ends current objects/],
    [[...copies, lifecycle({ noncurrentVersionExpiration: { noncurrentDays: 1 } })], /ends versions after 1 days/],
    [[bucket("s3-media", { objectLockEnabled: false })], /versioning is not set/],
  ],
});
