import * as k8s from "@pulumi/kubernetes";
import { all, ComponentResource, type ComponentResourceOptions, type Resource, secret } from "@pulumi/pulumi";
import { controlPlaneAccount, kubeconfigSecret, namespaces, secrets } from "../plan/names";
import type { GkeCluster } from "./gke-cluster";
import { tokenKubeconfig } from "./kubeconfig";

/** Arguments of {@link ControlPlaneAccess}. */
export interface ControlPlaneAccessArgs {
  /** The site's control cluster. */
  control: GkeCluster;
  /** The cluster to be driven. */
  region: GkeCluster;
  /** Name of its datacenter, which is its `k8sContext` too. */
  datacenter: string;
}

const everything = ["create", "delete", "get", "list", "patch", "update", "watch"];

/** What k8ssandra-operator's control plane does in a datacenter's namespace, taken from its chart's own Role. */
const rules = [
  { apiGroups: [""], resources: ["configmaps", "endpoints", "secrets", "services"], verbs: everything },
  // Seeds of the other datacenters, which the operator watches and keeps in every region.
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices", "endpointslices/restricted"], verbs: everything },
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: everything },
  { apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["batch"], resources: ["cronjobs"], verbs: everything },
  { apiGroups: ["cassandra.datastax.com"], resources: ["cassandradatacenters"], verbs: everything },
  { apiGroups: ["control.k8ssandra.io"], resources: ["cassandratasks", "cassandratasks/status"], verbs: everything },
  { apiGroups: ["medusa.k8ssandra.io"], resources: ["medusabackupschedules"], verbs: everything },
  { apiGroups: ["reaper.k8ssandra.io"], resources: ["reapers"], verbs: everything },
  { apiGroups: ["stargate.k8ssandra.io"], resources: ["stargates"], verbs: everything },
  { apiGroups: ["monitoring.coreos.com"], resources: ["servicemonitors"], verbs: [...everything, "deletecollection"] },
];

/**
 * Lets the control cluster's k8ssandra-operator work in a region (S1): an account with rights in the region's Cassandra
 * namespace only, its token, and in the control cluster the kubeconfig with that token under the datacenter's name. The
 * token is in the stack's state, encrypted, and in these two clusters (ADR 8).
 */
export class ControlPlaneAccess extends ComponentResource {
  /** The operator knows the region from then on. */
  readonly clientConfig: Resource;

  constructor(name: string, args: ControlPlaneAccessArgs, opts?: ComponentResourceOptions) {
    super("iconik:cassandra:ControlPlaneAccess", name, {}, opts);
    const { control, region, datacenter } = args;
    const namespace = namespaces.cassandra;
    const there = region.inside(this);
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata: { name: controlPlaneAccount, namespace }, automountServiceAccountToken: false },
      there,
    );
    const role = new k8s.rbac.v1.Role(
      `${name}-role`,
      { metadata: { name: controlPlaneAccount, namespace }, rules },
      there,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata: { name: controlPlaneAccount, namespace },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      there,
    );
    const token = new k8s.core.v1.Secret(
      `${name}-token`,
      {
        type: "kubernetes.io/service-account-token",
        metadata: {
          name: secrets.controlPlaneToken,
          namespace,
          annotations: { "kubernetes.io/service-account.name": account.metadata.name },
        },
      },
      there,
    );
    const kubeconfig = all([region.privateEndpoint, region.cluster.masterAuth, token.data]).apply(
      ([endpoint, { clusterCaCertificate }, data]) =>
        tokenKubeconfig(
          { name: datacenter, endpoint, clusterCaCertificate },
          // Absent in a preview: Kubernetes fills it in.
          Buffer.from(data?.token ?? "", "base64").toString("utf8"),
        ),
    );
    const stored = new k8s.core.v1.Secret(
      `${name}-kubeconfig`,
      { metadata: { name: kubeconfigSecret(datacenter), namespace }, stringData: { kubeconfig: secret(kubeconfig) } },
      control.inside(this),
    );
    this.clientConfig = new k8s.apiextensions.CustomResource(
      `${name}-client`,
      {
        apiVersion: "config.k8ssandra.io/v1beta1",
        kind: "ClientConfig",
        metadata: { name: datacenter, namespace },
        spec: { contextName: datacenter, kubeConfigSecret: { name: stored.metadata.name } },
      },
      { ...control.inside(this), dependsOn: [binding] },
    );
    this.registerOutputs({});
  }
}
