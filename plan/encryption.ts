/** How connections between Cassandra's nodes are encrypted (S1). */

/** Certificates of the nodes, in days. cert-manager renews them, and Cassandra reads changed keystores by itself. */
export const internodeCertificate = { days: 90, renewDaysBefore: 30 } as const;

/** Protocols that nodes accept from each other. */
export const internodeProtocols = ["TLSv1.3", "TLSv1.2"] as const;

/** Days as cert-manager wants durations. */
export function daysAsDuration(days: number): string {
  return `${days * 24}h`;
}

/** Key of a cluster's Secrets: how often it changes, and how long a destroyed version can be brought back. */
export const clusterKey = { rotation: seconds(90), destroyedAfter: seconds(30) } as const;

/** Days as Google's APIs write durations. */
function seconds(days: number): string {
  return `${days * 24 * 3600}s`;
}
