/** Node objects and storage classes: what a GKE cluster has before anybody deploys to it. */
import {
  CoreV1Api,
  type KubeConfig,
  StorageV1Api,
  setHeaderOptions,
  type V1Node,
  type V1StorageClass,
} from "@kubernetes/client-node";
import type { ClusterSpec, NodePoolSpec } from "../lib/types";

/** Storage classes of GKE that bind on first use, so that the scheduler picks the zone. */
const STORAGE_CLASSES = ["standard-rwo", "premium-rwo"];
export const PROVISIONER = "pd.csi.storage.gke.io";

/** Names of a pool's nodes, as `gke-CLUSTER-POOL-ZONE-N`. */
export function nodeNames(cluster: string, pool: NodePoolSpec): { name: string; zone: string }[] {
  return pool.zones.flatMap((zone) =>
    Array.from({ length: pool.nodesPerZone }, (_, index) => ({
      name: `gke-${cluster}-${pool.name}-${zone.split("-").at(-1)}-${index}`,
      zone,
    })),
  );
}

/** The Node object that a pool's machine would register. */
export function nodeObject(spec: ClusterSpec, pool: NodePoolSpec, name: string, zone: string): V1Node {
  return {
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": zone.replace(/-[a-z]$/, ""),
        "topology.kubernetes.io/zone": zone,
        "cloud.google.com/gke-nodepool": pool.name,
        ...(spec.workloadPool ? { "iam.gke.io/gke-metadata-server-enabled": "true" } : {}),
        ...pool.labels,
      },
    },
    spec: { taints: pool.taints, providerID: `gce://${spec.project}/${zone}/${name}` },
  };
}

const mergePatch = setHeaderOptions("Content-Type", "application/merge-patch+json");

/** Registers a pool's nodes as ready. Nodes of the pool that it no longer has are removed. */
export async function registerNodes(config: KubeConfig, spec: ClusterSpec, pool: NodePoolSpec): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const wanted = nodeNames(spec.name, pool);
  const present = await core.listNode({ labelSelector: `cloud.google.com/gke-nodepool=${pool.name}` });
  const names = new Set(present.items.map((node) => node.metadata?.name));
  for (const { name, zone } of wanted) {
    if (!names.has(name)) await core.createNode({ body: nodeObject(spec, pool, name, zone) });
    const resources = {
      cpu: String(pool.cpu),
      memory: String(pool.memoryBytes),
      pods: "110",
      "ephemeral-storage": "100Gi",
    };
    const now = new Date();
    await core.patchNodeStatus(
      {
        name,
        body: {
          status: {
            capacity: resources,
            allocatable: resources,
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "KubeletReady",
                message: "ready",
                lastHeartbeatTime: now,
                lastTransitionTime: now,
              },
            ],
          },
        },
      },
      mergePatch,
    );
    // Admission taints every new node as not ready; the controller that lifts it wants heartbeats.
    await core.patchNode({ name, body: { spec: { taints: pool.taints } } }, mergePatch);
  }
  const keep = new Set(wanted.map(({ name }) => name));
  for (const name of names) if (name && !keep.has(name)) await core.deleteNode({ name });
}

/** Removes every node of a pool. */
export async function removeNodes(config: KubeConfig, pool: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const nodes = await core.listNode({ labelSelector: `cloud.google.com/gke-nodepool=${pool}` });
  for (const node of nodes.items) await core.deleteNode({ name: node.metadata?.name ?? "" });
}

/** Makes the storage classes that GKE clusters come with. */
export async function createStorageClasses(config: KubeConfig): Promise<void> {
  const storage = config.makeApiClient(StorageV1Api);
  for (const [index, name] of STORAGE_CLASSES.entries()) {
    const body: V1StorageClass = {
      metadata: { name, annotations: index === 0 ? { "storageclass.kubernetes.io/is-default-class": "true" } : {} },
      provisioner: PROVISIONER,
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
      allowVolumeExpansion: true,
    };
    await storage.createStorageClass({ body });
  }
}
