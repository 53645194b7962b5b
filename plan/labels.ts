/** Labels on Google Cloud resources that policies and people go by. */
import type { BucketStore } from "./permissions";

/** Says which column of the identity matrix a bucket is. */
export const storeLabel = "iconik-store";

/** Label value of a store, e.g. `second-copy`. */
export function storeLabelValue(store: BucketStore): string {
  return store.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** On a second copy: the locations of what it is a copy of. */
export const primariesLabel = "iconik-primaries";

/** Label value of location codes, e.g. `eu_eur4`. */
export function primariesLabelValue(locations: readonly string[]): string {
  return [...new Set(locations.map((location) => location.toLowerCase()))].sort().join("_");
}

/** Location codes that the labels of a second copy name; none without the label. */
export function primariesOf(labels: Record<string, unknown>): string[] {
  return String(labels[primariesLabel] ?? "")
    .split("_")
    .filter(Boolean)
    .map((code) => (/^[a-z]+\d?$/.test(code) ? code.toUpperCase() : code));
}

/** On an alert policy: the id of the alert of the plan that it is. */
export const alertLabel = "alert";

/** On every resource: the stack that declares it, the stack's role, and that a change by hand will be undone. */
export const stackLabel = "iconik-stack";
export const roleLabel = "iconik-role";
export const managedByLabel = "managed-by";

/** Keys of {@link stackLabels}. */
export const stackLabelKeys = [stackLabel, roleLabel, managedByLabel] as const;

/** Labels of whatever a stack declares. Google allows lower-case letters, digits, `_` and `-`, 63 of them. */
export function stackLabels(stack: string, role: string): Record<(typeof stackLabelKeys)[number], string> {
  return { [stackLabel]: labelValue(stack), [roleLabel]: labelValue(role), [managedByLabel]: "pulumi" };
}

function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "-")
    .slice(0, 63);
}

/** Types that carry labels, and the input that holds them; a resource of any other type has none. */
export const labelInputs: Readonly<Record<string, "labels" | "resourceLabels" | "userLabels">> = {
  "gcp:artifactregistry/repository:Repository": "labels",
  "gcp:certificatemanager/certificate:Certificate": "labels",
  "gcp:certificatemanager/certificateMap:CertificateMap": "labels",
  "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": "labels",
  "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": "labels",
  "gcp:compute/address:Address": "labels",
  "gcp:compute/globalAddress:GlobalAddress": "labels",
  "gcp:compute/globalForwardingRule:GlobalForwardingRule": "labels",
  "gcp:compute/securityPolicy:SecurityPolicy": "labels",
  "gcp:container/cluster:Cluster": "resourceLabels",
  "gcp:dns/managedZone:ManagedZone": "labels",
  "gcp:kms/cryptoKey:CryptoKey": "labels",
  "gcp:monitoring/alertPolicy:AlertPolicy": "userLabels",
  "gcp:monitoring/notificationChannel:NotificationChannel": "userLabels",
  "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": "userLabels",
  "gcp:pubsub/topic:Topic": "labels",
  "gcp:pubsub/subscription:Subscription": "labels",
  "gcp:secretmanager/secret:Secret": "labels",
  "gcp:storage/bucket:Bucket": "labels",
};
