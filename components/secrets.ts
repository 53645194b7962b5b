import * as k8s from "@pulumi/kubernetes";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
  secret,
} from "@pulumi/pulumi";
import { cassandraClusterName, namespaces, secrets, superuserItem } from "../plan/names";
import type { Cluster } from "./cluster";

/** Arguments of {@link BootstrapToken}. */
export interface BootstrapTokenArgs {
  cluster: Cluster;
  /** 1Password service account token from the deployer's environment; stored encrypted in the state. */
  token: Input<string>;
}

/** The one secret that a person hands over (S5): with it the cluster fetches every other from 1Password. */
export class BootstrapToken extends ComponentResource {
  readonly secret: k8s.core.v1.Secret;

  constructor(name: string, args: BootstrapTokenArgs, opts?: ComponentResourceOptions) {
    super("iconik:secrets:BootstrapToken", name, {}, opts);
    this.secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { name: secrets.onePasswordToken, namespace: namespaces.onepassword },
        stringData: { token: secret(args.token) as Output<string> },
      },
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}

/** Arguments of {@link SuperuserSecret}. */
export interface SuperuserSecretArgs {
  cluster: Cluster;
  /** 1Password vault that holds the item. */
  vault: string;
}

/**
 * Labels by which k8ssandra-operator brings a Secret of its cluster to every datacenter. It sets them itself, but 1Password's
 * operator makes a Secret's labels equal to its item's: said there, both want the same.
 */
const replicated = {
  "app.kubernetes.io/managed-by": "k8ssandra-operator",
  "k8ssandra.io/replicated-by": "k8ssandracluster-controller",
  "k8ssandra.io/cluster-name": cassandraClusterName,
  "k8ssandra.io/cluster-namespace": namespaces.cassandra,
};

/**
 * Cassandra's superuser, from the same 1Password item in every site: a restore brings system_auth along. It stands in the
 * control cluster, whose operator brings it to the datacenters.
 */
export class SuperuserSecret extends ComponentResource {
  /** Ready when the operator has written the Secret. */
  readonly item: Resource;

  constructor(name: string, args: SuperuserSecretArgs, opts?: ComponentResourceOptions) {
    super("iconik:secrets:SuperuserSecret", name, {}, opts);
    this.item = new k8s.apiextensions.CustomResource(
      `${name}-item`,
      {
        apiVersion: "onepassword.com/v1",
        kind: "OnePasswordItem",
        metadata: {
          name: secrets.cassandraSuperuser,
          namespace: namespaces.cassandra,
          labels: replicated,
          annotations: { "pulumi.com/waitFor": "condition=Ready" },
        },
        spec: { itemPath: `vaults/${args.vault}/items/${superuserItem}` },
      },
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}
