/** Thresholds of alerts that follow from no schedule and no objective. */
export const limits = {
  /**
   * Days without a finished repair of a keyspace. Below Cassandra's gc_grace_seconds (10 days by default): a tombstone that
   * a replica never got is forgotten then, and what was deleted comes back.
   */
  repairDays: 8,
  /** Share of a store's volume in use; compaction of the largest table, and a restore beside the data, need as much again. */
  diskShare: 0.5,
  /** Days left of a certificate; they are renewed 30 days before their end. */
  certificateDays: 21,
  /** Days left of the standby's certificate, which AWS renews 45 days and more before its end. */
  standbyCertificateDays: 30,
  /** Objects removed from one media bucket within an hour. People remove media in hundreds, a wipe in millions. */
  mediaRemovalsPerHour: 10_000,
  /** Share of requests that the load balancer answers with a server error. */
  errorShare: 0.05,
  /** Checkers that must fail at once, so that one continent's trouble with its own network is not ours. */
  uptimeCheckers: 2,
  /** Seconds that a store's node may be away: a restart takes less. */
  nodeDownSeconds: 600,
  /** Seconds that the time of a change may be ahead of the clock that sees it before somebody is told: clocks that are kept differ by less. */
  clockAheadSeconds: 1,
  /**
   * Seconds from which such a change is not followed and writes to its asset are refused: each that followed would be as far ahead. Above
   * what time synchronisation takes to notice, and short enough to wait for.
   */
  clockRefusedSeconds: 60,
  /** Days that the vault's logs are kept, above the time that an attacker stays unnoticed. */
  auditLogDays: 400,
} as const;
