/** What components need of a Kubernetes cluster, whichever cloud it is in: one definition of what runs in it. */
import type { CustomResourceOptions, Resource } from "@pulumi/pulumi";

/** A cluster to declare objects in. */
export interface Cluster {
  readonly clusterName: string;
  /** Decides what the cloud brings along: disks, identities of pods, the address of names and tokens. */
  readonly cloud: "google" | "aws";
  /** Options of an object inside the cluster. */
  inside(parent: Resource): CustomResourceOptions;
}

/** Label and taint key that tells node pools apart. */
export const poolLabel = "iconik.io/pool";

/** Where a pod of a pool's own workloads goes: on that pool only, past its taint. */
export function onPool(pool: string) {
  return {
    nodeSelector: { [poolLabel]: pool },
    tolerations: [{ key: poolLabel, operator: "Equal", value: pool, effect: "NoSchedule" }],
  };
}
