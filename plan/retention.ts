/** How long things are kept. All numbers are days unless the name says otherwise. */
export const retention = {
  /**
   * Nights that stay in the primary bucket at least. Elasticsearch counts complete ones. Medusa counts whatever an attempt left, so it
   * keeps this many for each attempt of a night (`attempts` in components/cron-job.ts): 42 nights when none needs a second one.
   */
  primaryBackupDays: 14,
  /** Soft delete of primary buckets: nobody can purge a soft-deleted object. Google allows 7 to 90 days. */
  primarySoftDeleteDays: 30,
  /** Locked retention of the second copies: no identity can remove a younger object. */
  copiesDays: 35,
  /** Soft delete of the second copies, beyond the retention. */
  copiesSoftDeleteDays: 30,
  /** A version of the markers' key that somebody destroys can be brought back this long. Google allows 120 at most. */
  markerKeyDestroyDays: 120,
  /** S6: a file stays in the secondary media buckets this long after its removal from the primary. */
  mediaAfterRemovalDays: 30,
  /** Noncurrent versions stay in the primary media buckets this long after their object was removed or overwritten. */
  mediaVersionsDays: 30,
  /** Uploads to media buckets that nobody completed are aborted after this. */
  mediaUploadDays: 7,
  /** Soft delete of media buckets, for what objects.delete removes among noncurrent versions. */
  mediaSoftDeleteDays: 30,
  /** Longest life of a restore grant, from the day it is given. */
  restoreGrantDays: 14,
  /** Replaced versions of a state stay this long: a stale or broken state is recovered from them. */
  stateVersionsDays: 90,
  /** Soft delete of state buckets, beyond their versions. */
  stateSoftDeleteDays: 90,
  /** A key's versions are replaced after this time; older ones still decrypt. */
  stateKeyRotationDays: 90,
  /** A key version that somebody destroys can be brought back this long. Google allows 120 at most. */
  stateKeyDestroyDays: 120,
  /** Object Lock in compliance mode of the standby's copies of backups: as long as the second copy's own lock. */
  s3CopiesDays: 35,
  /** Object Lock of the standby's copies of media, and life of their noncurrent versions: S6's days after a removal. */
  s3MediaDays: 30,
  /** Noncurrent versions of what the active standby writes. */
  s3LiveVersionsDays: 30,
  /** Access logs, flow logs and the trail of the standby. */
  s3LogDays: 400,
  /** Logs of the standby's cluster and of its jobs in CloudWatch. */
  standbyLogDays: 90,
  /** Days in which the deletion of a key of the standby can be undone. AWS allows 30 at most. */
  standbyKeyDeletionDays: 30,
  /** Longest break-glass access to a state, from the day it is given. */
  breakGlassDays: 1,
} as const;

/** How many copies stay of each kind; one copy may be of several. */
export interface Tiers {
  /** Newest copy of so many days that have one. */
  nightly: number;
  /** Newest copy of so many weeks (Monday to Sunday, UTC) that have one. */
  weekly: number;
  /** Newest copy of so many months that have one. */
  monthly: number;
}

/**
 * Second copies that stay. The primary keeps {@link retention.primaryBackupDays} nights: Medusa and Elasticsearch know no other
 * tiers. What no tier keeps is pruned once it is past {@link retention.copiesDays}; soft delete lies beneath that.
 */
export const copyTiers: Tiers = { nightly: 35, weekly: 13, monthly: 13 };

/** What one run of the pruner may remove: the greater of a share of a site's objects and a number. */
export const pruneBreaker = { share: 0.2, floor: 10_000 } as const;

/** Days as the seconds that bucket policies want. */
export function daysInSeconds(days: number): number {
  return days * 24 * 3600;
}
