/**
 * K8ssandraCluster, as a control plane reconciles it: its datacenters in their clusters, one after the other, with what they
 * need there, and the condition that says all of it runs.
 */
import { isIP } from "node:net";
import type { V1ConfigMap, V1Pod, V1Secret, V1Service } from "@kubernetes/client-node";
import { ADDRESSES_ANNOTATION } from "../../nodes/services";
import { condition } from "../lib";
import type { Objects } from "../objects";
import type { Contexts } from "./contexts";
import { holds, podsOf } from "./datacenter";
import { type Replication, takeOut } from "./decommission";
import { encrypted, storeVolumes, withStores } from "./encryption";
import { encodeConfig, medusaIni } from "./files";
import { labels, serviceNames } from "./names";
import { medusaConfigName } from "./pods";
import { readReplication } from "./superuser";
import { type CassandraDatacenter, type K8ssandraCluster, kinds } from "./types";

const FINALIZER = "k8ssandracluster.k8ssandra.io/finalizer";

/** A datacenter of a cluster and the context of the Kubernetes cluster that it lives in. */
interface Placed {
  context: string | undefined;
  datacenter: CassandraDatacenter;
}

/** Brings a cluster's datacenters in line with it and writes its status. */
export async function reconcileCluster(contexts: Contexts, cluster: K8ssandraCluster): Promise<void> {
  if (cluster.metadata?.deletionTimestamp) return removeCluster(contexts, cluster);
  const finalizers = cluster.metadata?.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) await setFinalizers(contexts.local, cluster, [...finalizers, FINALIZER]);
  const secret = await superuser(contexts.local, cluster);
  const placed = datacentersOf(cluster);
  const ready: CassandraDatacenter[] = [];
  const reports = { ...cluster.status?.datacenters };
  for (const { context, datacenter } of placed) {
    const remote = await contexts.objects(context);
    if (remote !== contexts.local) await remote.apply(replicated(secret, cluster));
    if (cluster.spec?.medusa) await remote.apply(medusaConfig(cluster));
    await remote.apply(seedService(datacenter, await seedsOutside(contexts, placed, datacenter)));
    const live = await remote.apply(await withEncryption(datacenter, cluster, remote));
    reports[datacenter.metadata?.name ?? ""] = {
      cassandra: live.status ?? {},
      ...(context ? { contextName: context } : {}),
    };
    // The next one joins a ring that is complete.
    if (!holds(live.status?.conditions, "Ready") || live.status?.cassandraOperatorProgress !== "Ready") break;
    ready.push(live);
  }
  // Who stays is complete before anybody goes.
  const error = ready.length === placed.length ? await removeUndeclared(contexts, cluster, placed, reports) : undefined;
  const { status } = cluster;
  const initialized = ready.length === placed.length || holds(status?.conditions, "CassandraInitialized");
  const before = { conditions: status?.conditions, datacenters: status?.datacenters, error: status?.error ?? "None" };
  const after = {
    conditions: [condition(status?.conditions, "CassandraInitialized", initialized)],
    // A merge leaves out only what is null.
    datacenters: { ...nulls(status?.datacenters, reports), ...reports },
    error: error ?? "None",
  };
  if (JSON.stringify(before) !== JSON.stringify(after))
    await contexts.local.status(cluster, "k8ssandraclusters", after);
}

const nulls = (old: object | undefined, now: object) =>
  Object.fromEntries(Object.keys(old ?? {}).flatMap((name) => (name in now ? [] : [[name, null]])));

/** Takes datacenters that are no longer declared out of the ring, and out of the reports when gone. @returns what is in the way */
async function removeUndeclared(
  contexts: Contexts,
  cluster: K8ssandraCluster,
  placed: Placed[],
  reports: Record<string, { contextName?: string }>,
): Promise<string | undefined> {
  const namespace = cluster.metadata?.namespace ?? "";
  const declared = new Set(placed.map(({ datacenter }) => datacenter.metadata?.name));
  for (const [name, { contextName }] of Object.entries(reports)) {
    if (declared.has(name)) continue;
    const remote = await contexts.objects(contextName);
    try {
      if (await takeOut(remote, namespace, name, () => replicationOf(contexts, cluster, placed))) delete reports[name];
    } catch (problem) {
      return (problem as Error).message;
    }
  }
  return undefined;
}

/** Asked of a node that stays. */
async function replicationOf(contexts: Contexts, cluster: K8ssandraCluster, placed: Placed[]): Promise<Replication> {
  const [first] = placed;
  if (!first) throw new Error("no datacenter is declared");
  const [pod] = await podsOf(await contexts.objects(first.context), first.datacenter);
  const { data = {} } = await superuser(contexts.local, cluster);
  const value = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  return readReplication(pod?.status?.podIP ?? "", { username: value("username"), password: value("password") });
}

/** The datacenter with its stores mounted and their passwords in its configuration, where nodes encrypt. */
async function withEncryption(
  datacenter: CassandraDatacenter,
  cluster: K8ssandraCluster,
  remote: Objects,
): Promise<CassandraDatacenter> {
  const template = cluster.spec?.cassandra;
  if (!template || !datacenter.spec || !encrypted(template)) return datacenter;
  const yaml = await withStores(template, remote, cluster.metadata?.namespace ?? "");
  return {
    ...datacenter,
    spec: {
      ...datacenter.spec,
      config: encodeConfig({ "cassandra-yaml": yaml }),
      podTemplateSpec: { spec: { containers: [], volumes: storeVolumes(template) } },
    },
  };
}

/** Removes what the cluster has in every context, then lets the cluster itself go. @throws while something is left */
async function removeCluster(contexts: Contexts, cluster: K8ssandraCluster): Promise<void> {
  const finalizers = cluster.metadata?.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return;
  const namespace = cluster.metadata?.namespace ?? "";
  const left: string[] = [];
  for (const { context, datacenter } of datacentersOf(cluster)) {
    const remote = await contexts.objects(context);
    const name = datacenter.metadata?.name ?? "";
    await remote.delete(datacenter);
    if (await remote.get(kinds.datacenter, namespace, name)) left.push(name);
    const secret = { ...kinds.secret, metadata: { name: superuserName(cluster), namespace } };
    const others = [medusaConfig(cluster), seedService(datacenter, []), ...(context ? [secret] : [])];
    for (const object of others) await remote.delete(object);
  }
  if (left.length > 0) throw new Error(`waits for the end of ${left.join(", ")}`);
  await setFinalizers(
    contexts.local,
    cluster,
    finalizers.filter((each) => each !== FINALIZER),
  );
}

function setFinalizers(local: Objects, { metadata }: K8ssandraCluster, finalizers: string[]): Promise<void> {
  return local.merge({
    ...kinds.cluster,
    metadata: { name: metadata?.name, namespace: metadata?.namespace, finalizers },
  });
}

const superuserName = ({ metadata, spec }: K8ssandraCluster): string =>
  spec?.cassandra.superuserSecretRef?.name ?? `${metadata?.name}-superuser`;

async function superuser(local: Objects, cluster: K8ssandraCluster): Promise<V1Secret> {
  const [namespace, name] = [cluster.metadata?.namespace ?? "", superuserName(cluster)];
  const secret = await local.get<V1Secret>(kinds.secret, namespace, name);
  if (!secret) throw new Error(`Secret ${namespace}/${name} with the superuser does not exist`);
  return secret;
}

const clusterLabels = ({ metadata }: K8ssandraCluster) => ({
  "app.kubernetes.io/managed-by": "k8ssandra-operator",
  "k8ssandra.io/cluster-name": metadata?.name ?? "",
  "k8ssandra.io/cluster-namespace": metadata?.namespace ?? "",
});

/** The superuser as a datacenter's cluster gets it. */
function replicated({ metadata, type, data }: V1Secret, cluster: K8ssandraCluster): V1Secret {
  return {
    ...kinds.secret,
    metadata: {
      name: metadata?.name,
      namespace: metadata?.namespace,
      labels: { ...clusterLabels(cluster), "k8ssandra.io/replicated-by": "k8ssandracluster-controller" },
    },
    type,
    data,
  };
}

/** Addresses of the nodes in every other datacenter. */
async function seedsOutside(contexts: Contexts, placed: Placed[], own: CassandraDatacenter): Promise<string[]> {
  const others = placed.filter(({ datacenter }) => datacenter.metadata?.name !== own.metadata?.name);
  const pods: V1Pod[] = [];
  for (const { context, datacenter } of others)
    pods.push(...(await podsOf(await contexts.objects(context), datacenter)));
  return pods.flatMap(({ metadata, status }) => (metadata?.deletionTimestamp ? [] : (status?.podIP ?? []))).sort();
}

/** The Service by which a datacenter's nodes find those addresses: a change of them restarts no node. */
function seedService(datacenter: CassandraDatacenter, addresses: string[]): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: serviceNames(datacenter.spec?.clusterName ?? "", datacenter.metadata?.name ?? "").additionalSeeds,
      namespace: datacenter.metadata?.namespace,
      labels: labels(datacenter),
      annotations: { [ADDRESSES_ANNOTATION]: addresses.join(",") },
    },
    spec: { clusterIP: "None", publishNotReadyAddresses: true },
  };
}

/** The datacenters of a cluster as cass-operator's resources. */
export function datacentersOf(cluster: K8ssandraCluster): Placed[] {
  const cassandra = cluster.spec?.cassandra;
  return (cassandra?.datacenters ?? []).map((datacenter) => ({
    context: datacenter.k8sContext,
    datacenter: {
      ...kinds.datacenter,
      metadata: {
        name: datacenter.metadata.name,
        namespace: cluster.metadata?.namespace,
        labels: clusterLabels(cluster),
      },
      spec: {
        clusterName: cassandra?.clusterName ?? cluster.metadata?.name ?? "",
        serverType: "cassandra",
        serverVersion: cassandra?.serverVersion ?? "",
        size: datacenter.size,
        racks: datacenter.racks ?? [{ name: "default" }],
        serviceAccountName: cassandra?.serviceAccount ?? "default",
        superuserSecretName: superuserName(cluster),
        // The operator drops names on purpose: only addresses are seeds.
        additionalSeeds: (cassandra?.additionalSeeds ?? []).filter((seed) => isIP(seed) !== 0),
        tolerations: cassandra?.tolerations ?? [],
        ...(cassandra?.resources ? { resources: cassandra.resources } : {}),
        storageConfig: cassandra?.storageConfig ?? {},
        config: encodeConfig({ "cassandra-yaml": cassandra?.config?.cassandraYaml ?? {} }),
        ...(datacenter.stopped ? { stopped: true } : {}),
      },
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
      labels: clusterLabels(cluster),
    },
    data: { "medusa.ini": cluster.spec?.medusa ? medusaIni(cluster.spec.medusa) : "" },
  };
}
