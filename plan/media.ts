/** The product's own media buckets (S6). Customer-owned buckets are never ours to declare, copy or grant. */
import { isDrillProject } from "./names";

/** A media bucket and its secondary. */
export interface MediaBucket {
  name: string;
  /** Name of the secondary bucket in the vault. */
  secondary: string;
}

const kinds = ["files", "keyframes", "proxies"] as const;

/** What the product's buckets are called before their kind. Scratch ones of drills have "drill" between hyphens in it. */
export const mediaPrefix = "iconik-";

/** The media buckets with a prefix: the product's own, or a drill's scratch ones. */
export function mediaBucketsOf(prefix: string): readonly MediaBucket[] {
  return kinds.map((kind) => ({ name: `${prefix}${kind}`, secondary: `${prefix}${kind}-secondary` }));
}

/** Every media bucket that is ours. What is not in this list is a customer's, whatever it is called. */
export const mediaBuckets = mediaBucketsOf(mediaPrefix);

/** A media bucket or scratch one by its name or its secondary's, or undefined for a bucket that is not ours. */
export function mediaBucket(name: string): MediaBucket | undefined {
  const prefix = /^(.*-)(files|keyframes|proxies)(-secondary)?$/.exec(name)?.[1];
  if (prefix === undefined || !(prefix === mediaPrefix || isDrillProject(prefix))) return undefined;
  return mediaBucketsOf(prefix).find((bucket) => bucket.name === name || bucket.secondary === name);
}

/** Why a bucket is no primary of ours, or undefined when it is one of these. */
export function mediaBucketProblem(name: string, ours = mediaBuckets): string | undefined {
  if (ours.some((bucket) => bucket.name === name)) return undefined;
  const allowed = ours.map((bucket) => bucket.name).join(", ");
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

/** Media that people bring back: what, as of when, and until when the grants for it last. */
export interface MediaRestore {
  /** Names its Job. */
  id: string;
  /** The primary bucket. */
  bucket: string;
  /** Names that begin with it, or the one object; with neither the whole bucket. */
  prefix?: string | undefined;
  object?: string | undefined;
  /** The moment, ISO-8601 with a zone. */
  at: string;
  /** Replaces what is there by now with other content. */
  overwrite: boolean;
  /** Counts, and changes nothing. */
  dryRun: boolean;
  /** End of the grants, ISO-8601 with a zone. */
  expires: string;
}

/** Identities that bring media back. */
export const mediaRestorers = ["media-restorer", "media-overwriter"] as const;

/** The identity of a restore: only what may overwrite may delete. */
export function mediaRestorerOf({ overwrite }: Pick<MediaRestore, "overwrite">): (typeof mediaRestorers)[number] {
  return overwrite ? "media-overwriter" : "media-restorer";
}

/** Job that brings media back. */
export function mediaRestoreJobName(id: string): string {
  return `restore-media-${id}`;
}

/** Longest id of a restore: a Job's pods have names of 63 characters at most. */
export const mediaRestoreIdLength = 40;

/** CronJob that replicates a bucket. */
export function mediaJobName(bucket: string): string {
  return `replicate-media-${bucket}`;
}
