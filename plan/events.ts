/** Names of what jobs and services report in the field `event` of their log lines, for the alerts that listen to them. */
export const events = {
  /** A media bucket's secondary holds what the primary does. */
  mediaCopied: "media-copied",
  /** Too many objects would have been removed or overwritten in a secondary: nothing was. */
  mediaBreakerOpen: "media-breaker-open",
  /** A media bucket's copy in S3 holds what its secondary does. */
  mediaPulled: "media-pulled",
  /** The standby could not take the newest backup: its topology is another one's. */
  standbyContractBroken: "standby-contract-broken",
  /** An object of the newest second copy is gone or another, though nobody may change it. */
  copyDamaged: "copy-damaged",
  /** A marker in the second copy is not signed by the vault's key, or for another copy. */
  markerRefused: "marker-refused",
  /** A customer's bucket does not let the standby's API in. */
  customerBucketRefused: "customer-bucket-refused",
  /** A service saw a change whose time is ahead of its own clock. */
  clockAhead: "clock-ahead",
  /** The last line of a run that did its work. */
  jobSucceeded: "job-succeeded",
  /** The last line of a run that did not; Kubernetes may start another one. */
  jobFailed: "job-failed",
} as const;
