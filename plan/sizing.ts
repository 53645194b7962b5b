/** Machines and volumes of a site. Quantities are Kubernetes' own notation. */

/** Names of the node pools: the value of their label, and part of their machines' network tag. */
export const pools = {
  databases: "databases",
  services: "services",
  control: "control",
  jobs: "jobs",
  pilot: "pilot",
  verification: "verification",
} as const;

/** Node pool of the stores: one Cassandra and one Elasticsearch node fit on a machine. */
export const databaseNodes = { machineType: "n2-highmem-8", diskGigabytes: 100 } as const;

/**
 * Machines of the stores in each zone. A rack's nodes are all in one zone, so zones without a rack take none of them;
 * search nodes are spread over all zones.
 */
export function databaseNodesPerZone(
  {
    cassandra,
    elasticsearch,
  }: { cassandra: { racks: number; nodesPerRegion: number }; elasticsearch: { nodes: number } },
  zones: number,
): number {
  return Math.max(Math.ceil(cassandra.nodesPerRegion / cassandra.racks), Math.ceil(elasticsearch.nodes / zones));
}

/** Node pool of services and operators, per zone. */
export const serviceNodes = { machineType: "e2-standard-4", diskGigabytes: 100, minPerZone: 1, maxPerZone: 4 } as const;

/** Node pool of the control cluster: operators only, per zone. */
export const controlNodes = { machineType: "e2-standard-2", diskGigabytes: 50, perZone: 1 } as const;

/** Node pool of the vault's copy jobs, per zone. */
export const jobNodes = { machineType: "e2-standard-2", diskGigabytes: 50, minPerZone: 1, maxPerZone: 2 } as const;

export const cassandraNode = {
  cpu: "3",
  memory: "32Gi",
  heap: "12Gi",
  storage: "1Ti",
} as const;

/** Reaper of each datacenter, on the services' machines. */
export const reaperContainer = { cpuRequest: "250m", memory: "3Gi", heap: "2Gi" } as const;

export const medusaContainer = { cpuRequest: "250m", memoryRequest: "1Gi", memoryLimit: "8Gi" } as const;

/** `recovery` is what a restore may write in a second: most of what a disk of that size takes (0.48 MB a GB of pd-ssd). */
export const elasticsearchNode = { cpu: "2", memory: "16Gi", storage: "500Gi", recovery: "200mb" } as const;

/** Container of the exporter that lists buckets. */
export const exporterContainer = { cpuRequest: "50m", memoryRequest: "128Mi", memoryLimit: "512Mi" } as const;

/** Containers of snapshot, copy and restore jobs. On the scratch disk lie lists of at most 500 bytes for each object. */
export const jobContainer = { cpuRequest: "250m", memoryRequest: "256Mi", memoryLimit: "2Gi", scratch: "4Gi" } as const;

/**
 * Machines of the standby on AWS. `pilot` keeps the copier and the operators alive; the others have none until it is active
 * and then what a region has in Google Cloud.
 */
export const standbyNodes = {
  pilot: { instanceType: "t3a.large", diskGigabytes: 50, count: 2, max: 3 },
  databases: { instanceType: "r6i.2xlarge", diskGigabytes: 100 },
  services: { instanceType: "m6i.xlarge", diskGigabytes: 100, perZone: 2 },
} as const;

/** Node pool of the vault's deep verifications, per zone: machines come for a run and go after it. */
export const verificationNodes = {
  machineType: "e2-highmem-4",
  diskGigabytes: 50,
  minPerZone: 0,
  maxPerZone: 1,
} as const;

/**
 * Throwaway servers of deep verifications. The volume holds the largest Cassandra node's data twice, or a search repository
 * beside what is restored from it.
 */
export const verificationServers = {
  cassandra: { cpu: "2", memory: "16Gi", heap: "6G", volume: "2Ti" },
  elasticsearch: { cpu: "2", memory: "16Gi", heap: "8g", volume: "3Ti" },
} as const;
