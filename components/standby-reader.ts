import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { accountId, identity } from "../plan/identities";
import { serviceAccountEmail } from "../plan/names";
import { type StandbyReaderId, standbyPool, standbySubject, subjectMember } from "../plan/state";
import { Federation } from "./federation";

/** Arguments of {@link StandbyReader}. */
export interface StandbyReaderArgs {
  /** Row of the identity matrix. */
  identity: StandbyReaderId;
  /** Rows that the pool lets in as well; their accounts are somebody else's to declare ({@link standbyAccount}). */
  others?: readonly StandbyReaderId[];
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
  /** Full name of the pool. */
  readonly pool: Output<string>;

  constructor(name: string, args: StandbyReaderArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:StandbyReader", name, {}, opts);
    const { project, issuer } = args;
    const subjects = [args.identity, ...(args.others ?? [])].map((each) => standbySubject[each]);
    const standby = new Federation(
      `${name}-standby`,
      {
        project,
        poolId: standbyPool.id,
        providerId: standbyPool.provider,
        description: "The standby's cluster on AWS",
        issuer,
        attributes: { "google.subject": "assertion.sub" },
        condition: subjects.map((subject) => `assertion.sub == "${subject}"`).join(" || "),
      },
      { parent: this },
    );
    this.pool = standby.pool;
    this.account = standbyAccount(name, this, { project, identity: args.identity, pool: this.pool });
    this.member = standbyMember(args.identity, project);
    this.registerOutputs({ member: this.member });
  }
}

/** IAM member of a row that the standby acts as. */
export function standbyMember(row: StandbyReaderId, project: string): string {
  return `serviceAccount:${serviceAccountEmail(accountId(row), project)}`;
}

/** The account of a row that one Kubernetes account of the standby acts as, by its own token. */
export function standbyAccount(
  name: string,
  parent: ComponentResource,
  { project, identity: row, pool }: { project: string; identity: StandbyReaderId; pool: Output<string> },
): gcp.serviceaccount.Account {
  const id = accountId(row);
  const account = new gcp.serviceaccount.Account(
    `${name}-account`,
    { project, accountId: id, displayName: id, description: identity(row).why.slice(0, 256) },
    { parent },
  );
  new gcp.serviceaccount.IAMBinding(
    `${name}-users`,
    {
      serviceAccountId: account.name,
      role: "roles/iam.workloadIdentityUser",
      members: [pool.apply((of) => subjectMember(of, standbySubject[row]))],
    },
    { parent },
  );
  return account;
}
