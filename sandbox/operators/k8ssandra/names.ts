/** Names and labels as cass-operator gives them. */
import type { CassandraDatacenter, Rack } from "./types";

/** A cluster's name as part of resource names: lower case, only what Kubernetes allows. */
export function cleaned(clusterName: string): string {
  return clusterName
    .toLowerCase()
    .replace(/[^-a-z0-9]/g, "")
    .replace(/^-+|-+$/g, "");
}

/** Names of a datacenter's Services. */
export function serviceNames(clusterName: string, datacenter: string) {
  const prefix = cleaned(clusterName);
  return {
    cql: `${prefix}-${datacenter}-service`,
    seeds: `${prefix}-seed-service`,
    additionalSeeds: `${prefix}-${datacenter}-additional-seed-service`,
    allPods: `${prefix}-${datacenter}-all-pods-service`,
  };
}

export const statefulSetName = (clusterName: string, datacenter: string, rack: string): string =>
  `${cleaned(clusterName)}-${datacenter}-${rack}-sts`;

/** Labels of everything of a datacenter, or of one of its racks. */
export function labels(datacenter: CassandraDatacenter, rack?: string): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "cass-operator",
    "cassandra.datastax.com/cluster": cleaned(datacenter.spec?.clusterName ?? ""),
    "cassandra.datastax.com/datacenter": datacenter.metadata?.name ?? "",
    ...(rack ? { "cassandra.datastax.com/rack": rack } : {}),
  };
}

/** Nodes of each rack: as even as can be, the first racks get what is left over. */
export function rackSizes(size: number, racks: Rack[]): { rack: Rack; nodes: number }[] {
  return racks.map((rack, index) => ({ rack, nodes: Math.ceil((size - index) / racks.length) }));
}
