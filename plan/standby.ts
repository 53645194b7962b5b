/**
 * The standby on AWS (S7, D4): where it is and what its parts are called. Nothing of it needs Google Cloud but the copier,
 * which reads the vault's copies while they are there.
 */
import { mediaBucketsOf, mediaPrefix } from "./media";
import type { Schedule } from "./schedules";

/** Region of the standby; Europe, as the primary backups are. */
export const standbyRegion = "eu-central-1";

/** Region that holds a replica of the standby's own state. */
export const standbyStateRegion = "eu-west-1";

/** Bucket of the standby's own state, made by hand, and the backend that it is (ADR 30). */
export const standbyStateBucket = "iconik-standby-state";
export const standbyBackend = `s3://${standbyStateBucket}?region=${standbyRegion}`;

/** Where Route 53 writes its metrics and AWS keeps the control planes of global services. */
export const globalRegion = "us-east-1";

/** Zones of the standby, one for each rack. */
export const standbyZones = [`${standbyRegion}a`, `${standbyRegion}b`, `${standbyRegion}c`] as const;

/**
 * Ranges of the standby's network, outside of every range of plan/addresses.ts, so that both can be joined for a failback.
 *   10.160.0.0/16   machines and pods: a /18 in each zone; load balancer and NAT: a /24 in each
 *   10.161.0.0/16   Services
 */
export const standbyRanges = {
  network: "10.160.0.0/16",
  private: ["10.160.0.0/18", "10.160.64.0/18", "10.160.128.0/18"],
  public: ["10.160.192.0/24", "10.160.193.0/24", "10.160.194.0/24"],
  services: "10.161.0.0/16",
} as const;

/** Name of the EKS cluster and of what belongs to it. */
export const standbyClusterName = "standby";

/** What the buckets are called before their kind. Scratch ones of drills have "drill" between hyphens in it. */
export const standbyPrefix = "iconik-standby-";

/** Copies of one media bucket, and the bucket that the active standby writes to. */
export interface StandbyMedia {
  /** The primary, e.g. `iconik-files`: what the services call it. */
  name: string;
  /** The vault's secondary that is copied. */
  secondary: string;
  /** Locked copies. */
  copies: string;
  /** Written while the standby is active. */
  live: string;
}

/** Every S3 bucket of the standby. */
export interface StandbyBuckets {
  /** Locked copies of the backups, laid out as the vault's second copy. */
  copies: string;
  media: readonly StandbyMedia[];
  /** The active standby's own backups, laid out as a site's primary bucket: the last of {@link standbyBackups}. */
  backups: string;
  /** Copies of Google's states. */
  states: string;
  /** The one object that says who serves, read by Route 53. */
  traffic: string;
  /** Access logs, flow logs and the trail. */
  logs: string;
}

/** Activations that a stack can have had. Each leaves a bucket, the policies of roles name all of them, and IAM takes 10 KB. */
export const maxActivations = 50;

/**
 * Buckets of the standby's own backups, one for each activation (ADR 36), the first one first: nothing in one can be replaced, so
 * that another copy needs another.
 */
export function standbyBackups(activation: number, prefix = standbyPrefix): string[] {
  return Array.from({ length: activation }, (_, index) => `${prefix}backups${index === 0 ? "" : `-${index + 1}`}`);
}

/**
 * The buckets with a prefix: {@link standbyPrefix}, or a drill's scratch ones beside media of `media`.
 * @param activation whose own backups they are
 */
export function standbyBuckets(prefix = standbyPrefix, media = mediaPrefix, activation = 1): StandbyBuckets {
  return {
    copies: `${prefix}backup-copies`,
    media: mediaBucketsOf(media).map(({ name, secondary }) => {
      const kind = name.slice(media.length);
      return { name, secondary, copies: `${prefix}${kind}-copies`, live: `${prefix}${kind}` };
    }),
    backups: standbyBackups(activation, prefix).at(-1)!,
    states: `${prefix}states`,
    traffic: `${prefix}traffic`,
    logs: `${prefix}logs`,
  };
}

const hour = 3600;

/** The standby's night: after replication has ended, so that what is pulled is tonight's. */
export const standbySchedules = {
  copies: { cron: "15 5 * * *", startingDeadlineSeconds: 2 * hour, activeDeadlineSeconds: 4 * hour },
  // What a night does not finish the next one goes on with.
  media: { cron: "30 5 * * *", startingDeadlineSeconds: 6 * hour, activeDeadlineSeconds: 18 * hour },
  states: { cron: "45 * * * *", startingDeadlineSeconds: hour / 2, activeDeadlineSeconds: hour / 2 },
  // In office hours: whoever has to be asked is a customer.
  customers: { cron: "0 8 * * *", startingDeadlineSeconds: 6 * hour, activeDeadlineSeconds: hour / 6 },
  // Suspended: people start it, in the window of a failback.
  failback: { cron: "0 0 1 1 *", startingDeadlineSeconds: hour, activeDeadlineSeconds: 6 * hour },
  failbackMedia: { cron: "0 0 1 1 *", startingDeadlineSeconds: hour, activeDeadlineSeconds: 18 * hour },
} as const satisfies Record<string, Schedule>;

/** Age in seconds at which tonight's copies in S3 are late: a day after the last run began, and the time it may take. */
export const standbyLateSeconds = 24 * hour + standbySchedules.copies.activeDeadlineSeconds;

/** Name under which the vault copies what the standby wrote while it served. */
export const standbySite = "standby";

/** CronJobs of the standby. */
export const standbyJobs = {
  copies: (site: string) => `copy-to-s3-${site}`,
  media: (bucket: string) => `copy-media-to-s3-${bucket}`,
  states: "copy-states-to-s3",
  customers: "check-customer-buckets",
  failback: "return-backups",
  failbackMedia: (bucket: string) => `return-media-${bucket}`,
} as const;

/** Repositories of ECR. Each image has one of its own there: they are made before anything is pushed. */
export const ownImages = ["dr/jobs", "dr/services"] as const;

/** Host of the account's registry in a region. */
export function ecrHost(account: string, region: string = standbyRegion): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com`;
}

/** An S3 bucket as jobs and restores name it; a bucket without scheme is Cloud Storage's. */
export function s3Url(bucket: string): string {
  return `s3://${bucket}`;
}

/** Audience of the token by which the copier is let in at Google: the provider of the vault's or bootstrap's pool. */
export function federationAudience(projectNumber: string, pool: string, provider: string): string {
  return `//iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`;
}
