/** The product's own media buckets (S6). Customer-owned buckets are never ours to declare, copy or grant. */

/** A media bucket and its secondary. */
export interface MediaBucket {
  name: string;
  /** Name of the secondary bucket in the vault. */
  secondary: string;
}

/** Every media bucket that is ours. What is not in this list is a customer's, whatever it is called. */
export const mediaBuckets: readonly MediaBucket[] = ["iconik-files", "iconik-keyframes", "iconik-proxies"].map(
  (name) => ({ name, secondary: `${name}-secondary` }),
);

/** A media bucket by its name or its secondary's, or undefined for a bucket that is not ours. */
export function mediaBucket(name: string): MediaBucket | undefined {
  return mediaBuckets.find((bucket) => bucket.name === name || bucket.secondary === name);
}

/** Why a bucket is no primary of ours, or undefined when it is one. */
export function mediaBucketProblem(name: string): string | undefined {
  if (mediaBucket(name)?.name === name) return undefined;
  const allowed = mediaBuckets.map((bucket) => bucket.name).join(", ");
  return `no media bucket of the product, and customer-owned buckets are never copied; allowed: ${allowed}`;
}

/**
 * The breaker of media replication: how many objects of a secondary one night may remove or overwrite together.
 * The greater of both counts; a primary that is empty removes nothing at all.
 */
export const mediaBreaker = {
  /** Share of the secondary's objects, 0 to 1. */
  share: 0.02,
  /** Objects that pass whatever their share, so that a small bucket does not open the breaker every night. */
  floor: 500,
} as const;

/** A removal that people meant: lets one night of one bucket pass the breaker, up to a number of objects. */
export interface MediaApproval {
  /** Day of the run in UTC, `YYYY-MM-DD`. */
  date: string;
  /** Objects that may be removed or overwritten. */
  objects: number;
}

/** Days ahead that an approval may be given for: long-standing ones would be there when an attacker comes. */
export const mediaApprovalDays = 7;

/** CronJob that replicates a bucket. */
export function mediaJobName(bucket: string): string {
  return `replicate-media-${bucket}`;
}
