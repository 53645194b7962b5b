/** Recoveries in place (D3): what may be brought back into a living site from its own backups, and how fast. */

/** What a recovery brings back: a table or a whole keyspace, every node of a datacenter, or search indices of one. */
export const recoveryKinds = ["table", "datacenter", "index"] as const;
export type RecoveryKind = (typeof recoveryKinds)[number];

/** Kubernetes name of what does a recovery, and the longest id that it leaves room for in a pod's name. */
export const recoveryJobName = (kind: RecoveryKind, id: string): string => `restore-${kind}-${id}`;
export const recoveryIdMaxLength = 30;

/** Name of an index that is brought back beside the living one. */
export const recoveredIndex = (index: string, id: string): string => `${index}-${id}`;
/** Longest name of an index that can be brought back: Elasticsearch takes 255 bytes. */
export const indexNameMaxLength = 255 - recoveryIdMaxLength - 1;

/** The loader of SSTables beside a living cluster that serves meanwhile. */
export const bulkLoad = {
  /** MiB/s that it sends at most: within the datacenter, and to each of the others. */
  throttle: { local: 100, otherDatacenters: 50 },
  /** Volume for the SSTables of every node of the backup, on the class that GKE deletes with its claim. */
  volume: { className: "standard-rwo", size: "500Gi" },
  /** Share of their bytes that has to be free beyond them. */
  headroom: 0.05,
  heap: "1G",
  memory: "3Gi",
  cpuRequest: "500m",
} as const;
