/** What EKS puts into a cluster when it is told to: drivers of disks, and access of groups. */
import {
  CoreV1Api,
  type KubeConfig,
  RbacAuthorizationV1Api,
  StorageV1Api,
  type V1ClusterRole,
} from "@kubernetes/client-node";
import type { ClusterAccess } from "../lib/types";

const ignore =
  (code: number) =>
  (error: { code?: number }): void => {
    if (error.code !== code) throw error;
  };

/** Registers a driver of disks, or takes it away. */
export async function setDriver(config: KubeConfig, name: string, present: boolean): Promise<void> {
  const storage = config.makeApiClient(StorageV1Api);
  if (!present) return void (await storage.deleteCSIDriver({ name }).catch(ignore(404)));
  const body = { metadata: { name }, spec: { attachRequired: true } };
  await storage.createCSIDriver({ body }).catch(ignore(409));
}

/** Reads everything but what is in Secrets' keys: EKS's AmazonEKSAdminViewPolicy, which no role of Kubernetes is. */
const ADMIN_VIEW: V1ClusterRole = {
  metadata: { name: "eks:admin-view" },
  rules: [
    { apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] },
    { nonResourceURLs: ["*"], verbs: ["get"] },
  ],
};

/** Binds a group to a role, or ends that. */
export async function setAccess(config: KubeConfig, access: ClusterAccess, present: boolean): Promise<void> {
  const { group, clusterRole, namespace } = access;
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const name = `${group}${namespace === undefined ? "" : `:${namespace}`}`;
  if (!present) {
    const gone =
      namespace === undefined
        ? rbac.deleteClusterRoleBinding({ name })
        : rbac.deleteNamespacedRoleBinding({ name, namespace });
    return void (await gone.catch(ignore(404)));
  }
  if (clusterRole === ADMIN_VIEW.metadata?.name) await rbac.createClusterRole({ body: ADMIN_VIEW }).catch(ignore(409));
  const body = {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: clusterRole },
    subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: group }],
  };
  if (namespace === undefined) return void (await rbac.createClusterRoleBinding({ body }).catch(ignore(409)));
  // EKS takes namespaces that are still to come; here they are made then.
  await config
    .makeApiClient(CoreV1Api)
    .createNamespace({ body: { metadata: { name: namespace } } })
    .catch(ignore(409));
  await rbac.createNamespacedRoleBinding({ namespace, body }).catch(ignore(409));
}
