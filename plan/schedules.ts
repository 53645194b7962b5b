/** The plan's clock. Cron expressions have five fields and are read in UTC. */

/** Time zone of every schedule, as Kubernetes' CronJob wants it. */
export const timeZone = "Etc/UTC";

/** One nightly job. */
export interface Schedule {
  cron: string;
  /** How late the CronJob may still start, in seconds: a missed night is caught up until then. */
  startingDeadlineSeconds: number;
  /** How long one run may take, in seconds, before it is failed and alerted. */
  activeDeadlineSeconds: number;
}

/** Names of the schedules; config may override a cron by this name. */
export type ScheduleName =
  | "cassandraSnapshot"
  | "elasticsearchSnapshot"
  | "replication"
  | "mediaReplication"
  | "verification"
  | "pruning";

const hour = 3600;

/** The night: snapshots first, replication when the manifests have appeared, done by 05:00; media in their own time. */
export const schedules: Record<ScheduleName, Schedule> = {
  cassandraSnapshot: { cron: "0 1 * * *", startingDeadlineSeconds: 2 * hour, activeDeadlineSeconds: 3 * hour },
  elasticsearchSnapshot: { cron: "30 1 * * *", startingDeadlineSeconds: 2 * hour, activeDeadlineSeconds: 2 * hour },
  replication: { cron: "0 2 * * *", startingDeadlineSeconds: 3 * hour, activeDeadlineSeconds: 3 * hour },
  // What a night does not finish the next one goes on with.
  mediaReplication: { cron: "0 3 * * *", startingDeadlineSeconds: 6 * hour, activeDeadlineSeconds: 18 * hour },
  // Weekly, after a night and before the next: it and the copies exclude each other.
  pruning: { cron: "0 12 * * 3", startingDeadlineSeconds: 6 * hour, activeDeadlineSeconds: 8 * hour },
  // Weekly, when Monday's copy is complete, and over before the weekend, when the vault's cluster is upgraded.
  verification: { cron: "0 7 * * 1", startingDeadlineSeconds: 12 * hour, activeDeadlineSeconds: 36 * hour },
};

/** Time each restore step may take, in seconds. Grows with the data: measured by the quarterly restore test (S8). */
export const restoreSeconds = { copy: 6 * hour, cassandra: 8 * hour, elasticsearch: 4 * hour, media: 24 * hour };

/** Time each recovery in place may take, in seconds. */
export const recoverySeconds = { table: 8 * hour, datacenter: 8 * hour, index: 4 * hour };
