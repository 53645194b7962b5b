import * as aws from "@pulumi/aws";
import { all, ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { type IdentityId, identity } from "../../plan/identities";
import {
  document,
  identityPolicy,
  type PolicyDocument,
  podTrust,
  type S3Store,
  type Statement,
  tokenTrust,
} from "../../plan/s3-permissions";
import type { EksCluster } from "./eks-cluster";

/** Arguments of {@link PodIdentity}. */
export interface PodIdentityArgs {
  account: string;
  cluster: EksCluster;
  /** Row of the identity matrix that lives on AWS. */
  identity: IdentityId;
  /** The standby's buckets by store. */
  buckets: Record<S3Store, string[]>;
  /** Account that takes the role on by its own token as well; the account has to trust the cluster's issuer for that. */
  byToken?: { provider: aws.iam.OpenIdConnectProvider; user: { namespace: string; name: string } };
  /** What the role may do besides its cells. Default: nothing. */
  more?: Statement[];
}

/**
 * An identity of the matrix on AWS: a role with its cells and nothing else, and which pods act as it (EKS Pod Identity). No
 * key, no issuer that the account trusts; the role's name is the row's.
 */
export class PodIdentity extends ComponentResource {
  readonly role: aws.iam.Role;
  /** Pods of the row get credentials from then on. */
  readonly associations: aws.eks.PodIdentityAssociation[];

  constructor(name: string, args: PodIdentityArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:PodIdentity", name, {}, opts);
    const row = identity(args.identity);
    const cells = identityPolicy(row.id, args.buckets);
    this.role = podRole(name, this, {
      account: args.account,
      cluster: args.cluster,
      roleName: row.id,
      description: row.why,
      users: row.kubernetes,
      policy: document([...(cells?.Statement ?? []), ...(args.more ?? [])]),
      ...(args.byToken && { byToken: args.byToken }),
    });
    this.associations = associate(name, this, args.cluster, this.role, row.kubernetes);
    this.registerOutputs({ role: this.role.arn });
  }
}

interface PodRole {
  account: string;
  cluster: EksCluster;
  roleName: string;
  description: string;
  users: readonly { namespace: string; name: string }[];
  policy: PolicyDocument;
  byToken?: PodIdentityArgs["byToken"];
}

/** A role for some Kubernetes accounts of the cluster, with one policy of its own. */
export function podRole(name: string, parent: ComponentResource, role: PodRole): aws.iam.Role {
  const pods = podTrust(role.account, role.cluster.arn, role.users);
  const { byToken } = role;
  const made = new aws.iam.Role(
    `${name}-role`,
    {
      name: role.roleName,
      description: role.description.slice(0, 256).replace(/[^\x20-\x7e]/g, ""),
      assumeRolePolicy: byToken
        ? all([byToken.provider.arn, byToken.provider.url]).apply(([arn, url]) =>
            JSON.stringify(document([...pods.Statement, tokenTrust(arn, url, byToken.user)])),
          )
        : JSON.stringify(pods),
      maxSessionDuration: 3600,
    },
    { parent },
  );
  new aws.iam.RolePolicy(
    `${name}-policy`,
    { name: role.roleName, role: made.name, policy: JSON.stringify(role.policy) },
    { parent },
  );
  return made;
}

/** Associates Kubernetes accounts of the cluster with a role. */
export function associate(
  name: string,
  parent: ComponentResource,
  cluster: EksCluster,
  role: aws.iam.Role,
  users: readonly { namespace: string; name: string }[],
): aws.eks.PodIdentityAssociation[] {
  return users.map(
    (user) =>
      new aws.eks.PodIdentityAssociation(
        `${name}-${user.name}`,
        {
          clusterName: cluster.cluster.name,
          namespace: user.namespace,
          serviceAccount: user.name,
          roleArn: role.arn,
        },
        { parent, deletedWith: cluster.cluster },
      ),
  );
}
