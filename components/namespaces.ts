import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Cluster } from "./cluster";
import { storeClientLabel } from "./network-rules";

/** Arguments of {@link Namespaces}. */
export interface NamespacesArgs {
  cluster: Cluster;
  /** Namespaces with the Pod Security Standard that the API server enforces in each. */
  namespaces: Record<string, "baseline" | "restricted">;
  /** Namespaces whose end would be the end of data in them, or of data that they drive. Default: none. */
  protect?: string[];
  /** Namespaces whose pods use both stores: the stores' network policies let them in. Default: none. */
  storeClients?: string[];
}

/** A cluster's namespaces. They come first: everything else in the cluster depends on this component. */
export class Namespaces extends ComponentResource {
  constructor(name: string, args: NamespacesArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:Namespaces", name, {}, opts);
    for (const [namespace, standard] of Object.entries(args.namespaces)) {
      const labels = {
        "pod-security.kubernetes.io/enforce": standard,
        ...(args.storeClients?.includes(namespace) && { [storeClientLabel]: "true" }),
      };
      new k8s.core.v1.Namespace(
        `${name}-${namespace}`,
        { metadata: { name: namespace, labels } },
        { ...args.cluster.inside(this), protect: args.protect?.includes(namespace) ?? false },
      );
    }
    this.registerOutputs({});
  }
}
