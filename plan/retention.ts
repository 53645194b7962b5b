/** How long things are kept. All numbers are days unless the name says otherwise. */
export const retention = {
  /** Nights that Medusa and Elasticsearch keep in the primary bucket. */
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

/** Days as the seconds that bucket policies want. */
export function daysInSeconds(days: number): number {
  return days * 24 * 3600;
}
