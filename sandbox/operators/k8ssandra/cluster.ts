/** K8ssandraCluster: its datacenters, Medusa's configuration, and the condition that says all of it runs. */
import type { V1ConfigMap } from "@kubernetes/client-node";
import { condition, ownedBy } from "../lib";
import type { Objects } from "../objects";
import { holds } from "./datacenter";
import { encodeConfig, medusaIni } from "./files";
import { medusaConfigName } from "./pods";
import { type CassandraDatacenter, type K8ssandraCluster, kinds } from "./types";

/** Brings a cluster's datacenters in line with it and writes its status. */
export async function reconcileCluster(objects: Objects, cluster: K8ssandraCluster): Promise<void> {
  if (cluster.metadata?.deletionTimestamp) return;
  if (cluster.spec?.medusa) await objects.apply(medusaConfig(cluster));
  const datacenters: CassandraDatacenter[] = [];
  for (const wanted of datacentersOf(cluster)) datacenters.push(await objects.apply(wanted));
  const { status } = cluster;
  const initialized =
    datacenters.length > 0 && datacenters.every((datacenter) => holds(datacenter.status?.conditions, "Ready"));
  const next = condition(
    status?.conditions,
    "CassandraInitialized",
    initialized || holds(status?.conditions, "CassandraInitialized"),
  );
  const reports = Object.fromEntries(
    datacenters.map(({ metadata, status: each }) => [metadata?.name ?? "", { cassandra: each ?? {} }]),
  );
  const before = { conditions: status?.conditions, datacenters: status?.datacenters };
  const after = { conditions: [next], datacenters: reports };
  if (JSON.stringify(before) !== JSON.stringify(after)) await objects.status(cluster, "k8ssandraclusters", after);
}

/** The datacenters of a cluster as cass-operator's resources. */
export function datacentersOf(cluster: K8ssandraCluster): CassandraDatacenter[] {
  const cassandra = cluster.spec?.cassandra;
  return (cassandra?.datacenters ?? []).map((datacenter) => ({
    ...kinds.datacenter,
    metadata: {
      name: datacenter.metadata.name,
      namespace: cluster.metadata?.namespace,
      labels: {
        "app.kubernetes.io/managed-by": "k8ssandra-operator",
        "k8ssandra.io/cluster-name": cluster.metadata?.name ?? "",
        "k8ssandra.io/cluster-namespace": cluster.metadata?.namespace ?? "",
      },
      ownerReferences: ownedBy(cluster),
    },
    spec: {
      clusterName: cassandra?.clusterName ?? cluster.metadata?.name ?? "",
      serverType: "cassandra",
      serverVersion: cassandra?.serverVersion ?? "",
      size: datacenter.size,
      racks: datacenter.racks ?? [{ name: "default" }],
      serviceAccountName: cassandra?.serviceAccount ?? "default",
      superuserSecretName: cassandra?.superuserSecretRef?.name ?? `${cluster.metadata?.name}-superuser`,
      additionalSeeds: cassandra?.additionalSeeds ?? [],
      tolerations: cassandra?.tolerations ?? [],
      ...(cassandra?.resources ? { resources: cassandra.resources } : {}),
      storageConfig: cassandra?.storageConfig ?? {},
      config: encodeConfig({ "cassandra-yaml": cassandra?.config?.cassandraYaml ?? {} }),
      ...(datacenter.stopped ? { stopped: true } : {}),
    },
  }));
}

function medusaConfig(cluster: K8ssandraCluster): V1ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: medusaConfigName(cluster.metadata?.name ?? ""),
      namespace: cluster.metadata?.namespace,
      ownerReferences: ownedBy(cluster),
    },
    data: { "medusa.ini": cluster.spec?.medusa ? medusaIni(cluster.spec.medusa) : "" },
  };
}
