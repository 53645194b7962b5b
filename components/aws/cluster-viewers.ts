import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { Cluster } from "../cluster";

/** Group of Kubernetes that whoever previews is in. */
export const viewersGroup = "iconik:viewers";

/** Kinds that stacks declare and EKS's AmazonEKSViewPolicy leaves out; none of them holds a secret. */
const kinds = [
  ["cert-manager.io", ["certificates", "issuers"]],
  ["elasticsearch.k8s.elastic.co", ["elasticsearches"]],
  ["elbv2.k8s.aws", ["targetgroupbindings"]],
  ["k8ssandra.io", ["k8ssandraclusters"]],
  ["onepassword.com", ["onepassworditems"]],
  ["rbac.authorization.k8s.io", ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]],
  ["storage.k8s.io", ["storageclasses"]],
] as const;

/**
 * What a preview reads in a cluster beside EKS's AmazonEKSViewPolicy. Secrets are in neither: a pull request's preview must not
 * show them, so that what is kept in Secrets, Helm's releases among it, is not refreshed by a preview.
 */
export class ClusterViewers extends ComponentResource {
  constructor(name: string, args: { cluster: Cluster }, opts?: ComponentResourceOptions) {
    super("iconik:aws:ClusterViewers", name, {}, opts);
    const inside = args.cluster.inside(this);
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-role`,
      {
        metadata: { name: viewersGroup },
        rules: kinds.map(([group, resources]) => ({
          apiGroups: [group],
          resources: [...resources],
          verbs: ["get", "list", "watch"],
        })),
      },
      inside,
    );
    new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: { name: viewersGroup },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: viewersGroup }],
      },
      inside,
    );
    this.registerOutputs({});
  }
}
