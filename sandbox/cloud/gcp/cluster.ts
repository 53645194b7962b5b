/** GKE clusters and node pools: real API servers, and the nodes that pods are scheduled to. */
import {
  type Behaviour,
  CloudError,
  type CloudResource,
  type ClusterManager,
  type NodePoolSpec,
  type Props,
} from "../../lib/types";
import { TYPES } from "../iam/access";
import { type Registry, text } from "../registry";
import { absent, invalid, LABEL, matches, notFound, required } from "./checks";
import { fullId, NETWORK, SUBNETWORK } from "./compute";
import { POOLS } from "./identity";
import { checkClusterKey } from "./kms";

const EFFECTS: Record<string, string> = {
  NO_SCHEDULE: "NoSchedule",
  NO_EXECUTE: "NoExecute",
  PREFER_NO_SCHEDULE: "PreferNoSchedule",
};
/** GiB of memory per core by machine family. */
const MEMORY_PER_CORE: Record<string, number> = { standard: 4, highmem: 8, highcpu: 1 };

/** Region or zone, e.g. `europe-west1` or `europe-west1-b`. */
const LOCATION = /^[a-z]+-[a-z]+\d{1,2}(-[a-z])?$/;
const ZONE = /^[a-z]+-[a-z]+\d{1,2}-[a-z]$/;

/** Region of a region or zone. */
export const regionOf = (location: string): string => location.replace(/(\d)-[a-z]$/, "$1");

/** Drops a cluster that no longer runs, and its node pools. */
export function forgetCluster(registry: Registry, id: string): void {
  for (const pool of registry.all(TYPES.nodePool)) {
    if (pool.id.startsWith(`${id}/`)) registry.remove(TYPES.nodePool, pool.id);
  }
  registry.remove(TYPES.cluster, id);
}

/** `gcp:container/cluster:Cluster`. */
export function clusterBehaviour(registry: Registry, clusters: () => ClusterManager): Behaviour {
  return {
    create: async (inputs) => {
      const [project, name, location] = [
        required(inputs, "project", "cluster"),
        text(inputs, "name"),
        required(inputs, "location", "cluster"),
      ];
      matches(name, /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, "cluster name");
      matches(location, LOCATION, "cluster location");
      const id = `projects/${project}/locations/${location}/clusters/${name}`;
      // A record without a running cluster is of one that was lost, or that ended with an earlier daemon.
      if (!clusters().get(id)) forgetCluster(registry, id);
      absent(registry, TYPES.cluster, id);
      for (const part of ["network", "subnetwork"]) {
        // A bare name may be of a network that was there before, such as `default`.
        const reference = fullId(text(inputs, part));
        const type = part === "network" ? NETWORK : SUBNETWORK;
        if (reference.startsWith("projects/") && !registry.get(type, reference)) throw notFound(`${part} ${reference}`);
      }
      for (const zone of (inputs.nodeLocations as string[]) ?? []) {
        checkZone(zone, location);
      }
      const pool = (inputs.workloadIdentityConfig as { workloadPool?: string } | undefined)?.workloadPool;
      if (pool && pool !== `${project}.svc.id.goog`)
        throw invalid(`Workload Identity pool ${pool} is not ${project}.svc.id.goog`);
      const encryption = inputs.databaseEncryption as { state?: string; keyName?: string } | undefined;
      if (encryption?.state === "ENCRYPTED")
        checkClusterKey(registry, encryption.keyName ?? "", project, regionOf(location));
      const running = await clusters().create({
        id,
        name,
        project,
        location,
        ...(pool ? { workloadPool: pool } : {}),
      });
      if (pool) registry.note(POOLS, pool);
      if (collects(inputs)) await clusters().collectMetrics(id);
      if (inputs.removeDefaultNodePool !== true) {
        const initial = { name: "default-pool", nodeConfig: inputs.nodeConfig, nodeCount: inputs.initialNodeCount };
        await clusters().setNodePool(id, nodePoolSpec(initial, inputs));
      }
      return {
        id,
        outputs: {
          ...inputs,
          endpoint: running.endpoint,
          privateClusterConfig: privateConfig(inputs, running.endpoint),
          masterVersion: "1.35.0-gke.1",
          masterAuth: { clusterCaCertificate: Buffer.from(running.caCertificate).toString("base64") },
          selfLink: `https://container.googleapis.com/v1/${id}`,
        },
      };
    },
    read: async ({ id, outputs }) => (clusters().get(id) ? outputs : undefined),
    update: async ({ id, outputs }, inputs) => {
      if (collects(inputs) && clusters().get(id)) await clusters().collectMetrics(id);
      return { ...outputs, ...inputs, privateClusterConfig: privateConfig(inputs, text(outputs, "endpoint")) };
    },
    delete: async ({ id, inputs }) => {
      if (!clusters().get(id)) return forgetCluster(registry, id);
      if (inputs.deletionProtection !== false)
        throw new CloudError(
          400,
          "failedPrecondition",
          `Cannot destroy cluster ${id} because deletion_protection is set to true. Set it to false to proceed with cluster deletion.`,
        );
      await clusters().delete(id);
      forgetCluster(registry, id);
    },
  };
}

/** True when managed collection of Prometheus metrics is on, as the cluster declares it. */
function collects({ monitoringConfig }: Props): boolean {
  const { managedPrometheus } = (monitoringConfig ?? {}) as { managedPrometheus?: { enabled?: boolean } };
  return managedPrometheus?.enabled === true;
}

/** Here an API server has one address, inside and outside of its network. */
const privateConfig = (inputs: Props, endpoint: string): Props => ({
  ...(inputs.privateClusterConfig as Props | undefined),
  privateEndpoint: endpoint,
});

/** `gcp:container/nodePool:NodePool`. */
export function nodePoolBehaviour(registry: Registry, clusters: () => ClusterManager): Behaviour {
  const clusterOf = (inputs: Props): CloudResource => {
    const reference = required(inputs, "cluster", "node pool");
    const id = reference.startsWith("projects/")
      ? reference
      : `projects/${text(inputs, "project")}/locations/${text(inputs, "location")}/clusters/${reference}`;
    const found = registry.get(TYPES.cluster, id);
    if (!found || !clusters().get(id)) throw notFound(`Cluster ${id}`);
    return found;
  };
  const set = async (inputs: Props) => {
    const cluster = clusterOf(inputs);
    await clusters().setNodePool(cluster.id, nodePoolSpec(inputs, cluster.inputs));
    return cluster;
  };
  return {
    create: async (inputs) => {
      matches(text(inputs, "name"), LABEL, "node pool name");
      const id = `${clusterOf(inputs).id}/nodePools/${text(inputs, "name")}`;
      absent(registry, TYPES.nodePool, id);
      await set(inputs);
      return { id, outputs: { ...inputs } };
    },
    read: async ({ id, outputs }) => (clusters().get(clusterId(id)) ? outputs : undefined),
    update: async (_, inputs) => {
      await set(inputs);
      return { ...inputs };
    },
    delete: async ({ id, inputs }) => {
      if (clusters().get(clusterId(id))) await clusters().removeNodePool(clusterId(id), text(inputs, "name"));
    },
  };
}

/** Id of a node pool's cluster. */
const clusterId = (poolId: string): string => poolId.split("/nodePools/")[0] ?? "";

/** @throws CloudError 400 unless the zone is the cluster's or in its region */
function checkZone(zone: string, location: string): void {
  if (!ZONE.test(zone) || regionOf(zone) !== regionOf(location))
    throw invalid(`node location "${zone}" is no zone of ${regionOf(location)}; e.g. ${regionOf(location)}-b`);
}

/** The nodes that a pool's inputs ask for; `cluster` are its cluster's inputs. */
export function nodePoolSpec(inputs: Props, cluster: Props): NodePoolSpec {
  const node = (inputs.nodeConfig ?? {}) as {
    machineType?: string;
    labels?: Record<string, string>;
    taints?: { key: string; value?: string; effect: string }[];
  };
  const scaling = inputs.autoscaling as { minNodeCount?: number } | undefined;
  const location = text(cluster, "location");
  const zones = (inputs.nodeLocations ?? cluster.nodeLocations) as string[] | undefined;
  for (const zone of zones ?? []) checkZone(zone, location);
  const machine = node.machineType ?? "e2-medium";
  const [, family = "", cores = ""] = /^[a-z0-9]+-([a-z]+)-(\d+)$/.exec(machine) ?? [];
  const cpu = Number(cores) || 2;
  return {
    name: text(inputs, "name"),
    // Every region has zones b and c; which third one GKE would pick differs.
    zones: zones ?? (ZONE.test(location) ? [location] : [`${location}-b`, `${location}-c`]),
    nodesPerZone: Math.max(Number(inputs.nodeCount ?? scaling?.minNodeCount ?? inputs.initialNodeCount ?? 1), 1),
    labels: node.labels ?? {},
    taints: (node.taints ?? []).map(({ key, value, effect }) => {
      const known = EFFECTS[effect];
      if (!known) throw invalid(`Taint effect ${effect} is not one of ${Object.keys(EFFECTS).join(", ")}`);
      return { key, ...(value === undefined ? {} : { value }), effect: known };
    }),
    cpu,
    memoryBytes: cpu * (MEMORY_PER_CORE[family] ?? 4) * 2 ** 30,
  };
}
