/**
 * Canaries: each minute a row in Cassandra and a document in the region's search cluster that say when they were written.
 * The newest that a restore brings back is the point of recovery (the measured RPO), per store and region.
 */
import { freshnessSeconds } from "./freshness";
import { copyTiers, retention } from "./retention";

export const canary = {
  /** Keyspace of its own, whose replication may be set without rebuilding anybody's data. */
  keyspace: "dr",
  table: "canary",
  /** Index in each region's Elasticsearch. */
  index: "dr-canary",
  /** Seconds from one canary to the next. */
  everySeconds: freshnessSeconds.scrape,
  /** Seconds without a canary at which its store counts as not taking writes. */
  lateAfterSeconds: 600,
  /** Port that serves the metric. */
  port: 9465,
  /** Days that a canary stays: longer than any backup can be brought back, or an old one had none to tell its age by. */
  keepDays: 31 * (copyTiers.monthly + 1) + retention.copiesSoftDeleteDays,
} as const;

/** Stores that get canaries. */
export const canaryStores = ["cassandra", "elasticsearch"] as const;
export type CanaryStore = (typeof canaryStores)[number];

/** Gauge with labels `store` and `datacenter`: when its newest canary was written, in Unix seconds; 0: not yet. */
export const canaryMetric = "iconik_canary_last_success_timestamp_seconds";

/** Day of a canary in UTC, `YYYY-MM-DD`: with its datacenter it is the partition of its row. */
export function canaryDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}
