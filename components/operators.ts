import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { namespaces, secrets } from "../plan/names";
import { charts } from "../plan/versions";
import type { Cluster } from "./cluster";
import { withImages } from "./operator-images";

/** Arguments of {@link Operators}. */
export interface OperatorsArgs {
  cluster: Cluster;
  /** OCI repository of the charts, e.g. `oci://registry/charts`: the vault's, so that a rebuild needs nobody else's. */
  repository: string;
  /** Repository that mirrors the operators' images and those that they start, e.g. `HOST/PROJECT/mirror`. */
  mirror: string;
  /**
   * True in the site's control cluster: its k8ssandra-operator drives every region's Cassandra, and it holds no store. False
   * in a region's cluster: the operator serves the region's own datacenter and backups.
   */
  controlPlane: boolean;
  /** The cluster holds stores. Default: unless it is a control plane. The standby's is both. */
  stores?: boolean;
  /** Protects what data would go with: the operators of the stores and their kinds. */
  deletionProtection: boolean;
}

/** What a restricted namespace asks of a pod; the charts' own contexts say less. */
export const restricted = {
  podSecurityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};

/** The operators of a cluster, each with rights in its own namespace only where its chart allows that. */
export class Operators extends ComponentResource {
  /** Certificate and Issuer work from then on. */
  readonly certificates: Resource;
  /** K8ssandraCluster, or CassandraDatacenter and Medusa's resources, work from then on. */
  readonly cassandra: Resource;
  /** Elasticsearch works from then on; undefined in a cluster without stores. */
  readonly elasticsearch: Resource | undefined;
  /** OnePasswordItem works from then on. */
  readonly onePassword: Resource;

  constructor(name: string, args: OperatorsArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:Operators", name, {}, opts);
    const { controlPlane, stores = !controlPlane } = args;
    const release = (
      chart: keyof typeof charts,
      namespace: string,
      values: Record<string, unknown>,
      dependsOn: Resource[] = [],
    ) =>
      new k8s.helm.v3.Release(
        `${name}-${charts[chart].name}`,
        {
          name: charts[chart].name,
          chart: `${args.repository}/${charts[chart].name}`,
          version: charts[chart].version,
          namespace,
          values: withImages(chart, args.mirror, values),
          atomic: true,
          timeout: 600,
        },
        { ...args.cluster.inside(this), dependsOn, protect: args.deletionProtection && chart !== "onePassword" },
      );

    this.certificates = release("certManager", namespaces.certManager, {
      crds: { enabled: true, keep: true },
    });
    this.cassandra = release(
      "k8ssandra",
      namespaces.cassandra,
      {
        controlPlane,
        global: { clusterScoped: false },
        ...restricted,
        "cass-operator": restricted,
        // It would fetch the kinds from the publisher's repository; they come from the vault's chart (docs/traps.md).
        disableCrdUpgraderJob: true,
      },
      [this.certificates],
    );
    this.elasticsearch = !stores
      ? undefined
      : release("eck", namespaces.elasticOperator, {
          managedNamespaces: [namespaces.elasticsearch],
          createClusterScopedResources: false,
          webhook: { enabled: false },
          config: { validateStorageClass: false },
          podSecurityContext: restricted.podSecurityContext,
        });
    this.onePassword = release("onePassword", namespaces.onepassword, {
      connect: { create: false },
      operator: {
        create: true,
        authMethod: "service-account",
        serviceAccountToken: { name: secrets.onePasswordToken, key: "token" },
        watchNamespace: stores
          ? [namespaces.cassandra, namespaces.elasticsearch, namespaces.services, namespaces.dr]
          : [namespaces.cassandra],
      },
    });
    this.registerOutputs({});
  }
}
