import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import type { Cluster } from "./cluster";

/** Arguments of {@link SecretItem}. */
export interface SecretItemArgs {
  cluster: Cluster;
  namespace: string;
  /** 1Password vault that holds the item. */
  vault: string;
  /** Name of the item, and of the Secret that its fields go into. */
  item: string;
  /** Type of the Secret. Default: Opaque. */
  type?: string;
}

/** A Secret out of 1Password (S5), in a namespace that 1Password's operator watches. */
export class SecretItem extends ComponentResource {
  /** Ready when the operator has written the Secret. */
  readonly item: Resource;

  constructor(name: string, args: SecretItemArgs, opts?: ComponentResourceOptions) {
    super("iconik:secrets:SecretItem", name, {}, opts);
    this.item = new k8s.apiextensions.CustomResource(
      `${name}-item`,
      {
        apiVersion: "onepassword.com/v1",
        kind: "OnePasswordItem",
        metadata: {
          name: args.item,
          namespace: args.namespace,
          annotations: { "pulumi.com/waitFor": "condition=Ready" },
        },
        spec: { itemPath: `vaults/${args.vault}/items/${args.item}` },
        ...(args.type && { type: args.type }),
      },
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}
