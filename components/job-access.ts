import * as k8s from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { type JobCommand, jobRules } from "../jobs/config";

/**
 * Role and binding that give a Kubernetes account what a command needs of the API in one namespace, and no more.
 * @param accountNamespace where the account is. Default: the same namespace
 * @returns the binding, for the jobs to depend on.
 */
export function jobAccess(
  name: string,
  command: JobCommand,
  namespace: string,
  serviceAccount: string,
  opts: CustomResourceOptions,
  accountNamespace = namespace,
): k8s.rbac.v1.RoleBinding {
  const role = new k8s.rbac.v1.Role(
    name,
    { metadata: { name: command, namespace }, rules: jobRules[command] ?? [] },
    opts,
  );
  return new k8s.rbac.v1.RoleBinding(
    name,
    {
      metadata: { name: command, namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: serviceAccount, namespace: accountNamespace }],
    },
    opts,
  );
}
