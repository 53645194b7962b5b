/** Disks of the stores. */

/** StorageClass of both stores, in every region's cluster and the standby's. */
export const storeDisks = {
  className: "iconik-stores",
  /** n2 machines take no Hyperdisk Balanced. */
  type: "pd-ssd",
  fileSystem: "ext4",
} as const;

/** What stands behind the class on EBS; gp3 has 3,000 operations and 125 MiB a second unless more is asked for. */
export const standbyDisks = { type: "gp3", iops: "6000", throughput: "500", fileSystem: "ext4" } as const;

/**
 * What a Cassandra node does when it cannot write or read its disk (D3): it stays up and serves nobody, so that the other replicas
 * answer and people can look. Cassandra's built-in default is to ignore it; its shipped file says the same as here.
 */
export const diskFailures = { disk_failure_policy: "stop", commit_failure_policy: "stop" } as const;
