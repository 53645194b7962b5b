import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { accountId, identity } from "../plan/identities";
import { serviceAccountEmail } from "../plan/names";
import { type StandbyReaderId, standbyPool, standbySubject, subjectMember } from "../plan/state";
import { Federation } from "./federation";

/** Arguments of {@link StandbyReader}. */
export interface StandbyReaderArgs {
  /** Row of the identity matrix. */
  identity: StandbyReaderId;
  project: string;
  /** OpenID Connect issuer of the standby's EKS cluster. It changes when the cluster's name or place does. */
  issuer: string;
}

/**
 * Who reads for the standby on AWS: one Kubernetes account of its cluster, by its own token, and no key. It reads and does no
 * more: states as they lie, their secrets encrypted with a key that it cannot use; copies, to take them to S3.
 */
export class StandbyReader extends ComponentResource {
  /** IAM member. */
  readonly member: string;
  readonly account: gcp.serviceaccount.Account;

  constructor(name: string, args: StandbyReaderArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:StandbyReader", name, {}, opts);
    const { project, issuer } = args;
    const subject = standbySubject[args.identity];
    const standby = new Federation(
      `${name}-standby`,
      {
        project,
        poolId: standbyPool.id,
        providerId: standbyPool.provider,
        description: "The standby's cluster on AWS",
        issuer,
        attributes: { "google.subject": "assertion.sub" },
        condition: `assertion.sub == "${subject}"`,
      },
      { parent: this },
    );
    const id = accountId(args.identity);
    this.account = new gcp.serviceaccount.Account(
      `${name}-account`,
      { project, accountId: id, displayName: id, description: identity(args.identity).why.slice(0, 256) },
      { parent: this },
    );
    new gcp.serviceaccount.IAMBinding(
      `${name}-users`,
      {
        serviceAccountId: this.account.name,
        role: "roles/iam.workloadIdentityUser",
        members: [standby.pool.apply((pool) => subjectMember(pool, subject))],
      },
      { parent: this },
    );
    this.member = `serviceAccount:${serviceAccountEmail(id, project)}`;
    this.registerOutputs({ member: this.member });
  }
}
