/** Nodes that hold each row in each region at least (S1, D3): one may be lost, or lie. */
export const minimumReplicas = 2;

/** Repair of Cassandra (D3): replicas are compared and made equal before a removed row could come back. */
export const repair = {
  /** Every row of every replica is read once in this many days. Reaper's own interval: its schedules follow it. */
  everyDays: 7,
  /** Cassandra forgets removals after this time (gc_grace_seconds, its default): a repair has to be done before. */
  graceDays: 10,
  /** ISO 8601: from a keyspace's appearance to its first repair, and from the start of one keyspace's to the next one's. */
  firstAfter: "PT5M",
  spread: "PT6H",
} as const;
