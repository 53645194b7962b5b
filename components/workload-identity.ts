import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type CustomResourceOptions } from "@pulumi/pulumi";
import { accountId, type IdentityId, identity, type KubernetesAccount } from "../plan/identities";
import { serviceAccountEmail, workloadIdentityMember } from "../plan/names";
import type { Condition } from "../plan/permissions";

/** Arguments of {@link WorkloadIdentity}. */
export interface WorkloadIdentityArgs {
  /** Row of the identity matrix. */
  identity: IdentityId;
  /** Project of the Google service account. */
  project: string;
  /** Project of the clusters whose pods act as it; it must have a Workload Identity pool (a GKE cluster) already. */
  poolProject: string;
  /** Site that a granted identity is for. */
  site?: string;
  /** Ends the binding, e.g. with a restore grant. Default: it lasts. */
  condition?: Condition;
}

/**
 * A Google service account without keys. Only the Kubernetes accounts of its row may act as it; the binding is
 * authoritative for that role.
 */
export class WorkloadIdentity extends ComponentResource {
  readonly account: gcp.serviceaccount.Account;
  /** Known before it exists: a function of its id and project. */
  readonly email: string;

  constructor(name: string, args: WorkloadIdentityArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:WorkloadIdentity", name, {}, opts);
    const row = identity(args.identity);
    const id = accountId(args.identity, args.site);
    this.email = serviceAccountEmail(id, args.project);
    this.account = new gcp.serviceaccount.Account(
      `${name}-account`,
      { project: args.project, accountId: id, displayName: id, description: row.why.slice(0, 256) },
      { parent: this },
    );
    new gcp.serviceaccount.IAMBinding(
      `${name}-users`,
      {
        serviceAccountId: this.account.name,
        role: "roles/iam.workloadIdentityUser",
        members: row.kubernetes.map((user) => workloadIdentityMember(args.poolProject, user.namespace, user.name)),
        ...(args.condition && { condition: args.condition }),
      },
      { parent: this },
    );
    this.registerOutputs({ email: this.email });
  }
}

/**
 * The Kubernetes service account that acts as an identity: a Google one by its e-mail address, or without one a role of AWS that
 * Pod Identity associates. Its API token is mounted only where a pod asks for it.
 */
export function kubernetesAccount(
  name: string,
  account: KubernetesAccount,
  email: string | undefined,
  opts: CustomResourceOptions,
): k8s.core.v1.ServiceAccount {
  return new k8s.core.v1.ServiceAccount(
    name,
    {
      metadata: {
        name: account.name,
        namespace: account.namespace,
        ...(email !== undefined && { annotations: { "iam.gke.io/gcp-service-account": email } }),
      },
      automountServiceAccountToken: false,
    },
    opts,
  );
}
