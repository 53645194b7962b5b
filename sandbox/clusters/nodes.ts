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

/** What clusters of each cloud come with: storage classes that bind on first use, and which is the default. */
const STORAGE_CLASSES = {
  gcp: { names: ["standard-rwo", "premium-rwo"], provisioner: "pd.csi.storage.gke.io", default: "standard-rwo" },
  // Of the volume plugin that Kubernetes no longer has: nothing makes disks for it.
  aws: { names: ["gp2"], provisioner: "kubernetes.io/aws-ebs", default: "" },
};
/** Drivers that make disks: GKE's is always there, EKS's is an add-on. */
export const PROVISIONER = "pd.csi.storage.gke.io";
export const EBS_PROVISIONER = "ebs.csi.aws.com";

/** Label by which each cloud says which pool a node is of. */
const POOL_LABEL = { gcp: "cloud.google.com/gke-nodepool", aws: "eks.amazonaws.com/nodegroup" };

const cloudOf = (spec: ClusterSpec) => spec.cloud ?? "gcp";

/** Names of a pool's nodes, as `gke-CLUSTER-POOL-ZONE-N`; EKS's are names of addresses, here they are made likewise. */
export function nodeNames(
  cluster: string,
  pool: NodePoolSpec,
  cloud: "gcp" | "aws" = "gcp",
): { name: string; zone: string }[] {
  const prefix = cloud === "aws" ? "eks" : "gke";
  if (pool.nodes !== undefined)
    return Array.from({ length: pool.nodes }, (_, index) => {
      const zone = pool.zones[index % pool.zones.length] ?? "";
      const within = Math.floor(index / pool.zones.length);
      return { name: `${prefix}-${cluster}-${pool.name}-${zone.at(-1)}-${within}`, zone };
    });
  return pool.zones.flatMap((zone) =>
    Array.from({ length: pool.nodesPerZone }, (_, index) => ({
      name: `${prefix}-${cluster}-${pool.name}-${zone.split("-").at(-1)}-${index}`,
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
        "topology.kubernetes.io/region": zone.replace(/-?[a-z]$/, ""),
        "topology.kubernetes.io/zone": zone,
        [POOL_LABEL[cloudOf(spec)]]: pool.name,
        ...(spec.workloadPool ? { "iam.gke.io/gke-metadata-server-enabled": "true" } : {}),
        ...pool.labels,
      },
    },
    spec: {
      taints: pool.taints,
      providerID: cloudOf(spec) === "aws" ? `aws:///${zone}/${name}` : `gce://${spec.project}/${zone}/${name}`,
    },
  };
}

const mergePatch = setHeaderOptions("Content-Type", "application/merge-patch+json");

/** Registers a pool's nodes as ready. Nodes of the pool that it no longer has are removed. */
export async function registerNodes(config: KubeConfig, spec: ClusterSpec, pool: NodePoolSpec): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const wanted = nodeNames(spec.name, pool, cloudOf(spec));
  const present = await core.listNode({ labelSelector: `${POOL_LABEL[cloudOf(spec)]}=${pool.name}` });
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
export async function removeNodes(config: KubeConfig, spec: ClusterSpec, pool: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const nodes = await core.listNode({ labelSelector: `${POOL_LABEL[cloudOf(spec)]}=${pool}` });
  for (const node of nodes.items) await core.deleteNode({ name: node.metadata?.name ?? "" });
}

/** Makes the storage classes that clusters come with. */
export async function createStorageClasses(config: KubeConfig, cloud: "gcp" | "aws"): Promise<void> {
  const storage = config.makeApiClient(StorageV1Api);
  const classes = STORAGE_CLASSES[cloud];
  for (const name of classes.names) {
    const body: V1StorageClass = {
      metadata: {
        name,
        annotations: name === classes.default ? { "storageclass.kubernetes.io/is-default-class": "true" } : {},
      },
      provisioner: classes.provisioner,
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
      allowVolumeExpansion: cloud === "gcp",
    };
    await storage.createStorageClass({ body });
  }
}
