import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { accountId, identity } from "../plan/identities";
import { serviceAccountEmail } from "../plan/names";
import { standbyPool, stateReaderSubject, subjectMember } from "../plan/state";
import { Federation } from "./federation";

/** Arguments of {@link StateReader}. */
export interface StateReaderArgs {
  project: string;
  /** OpenID Connect issuer of the standby's EKS cluster. It changes when the cluster's name or place does. */
  issuer: string;
}

/**
 * Who copies states to AWS: one Kubernetes account of the standby's cluster, by its own token. It reads states as they lie,
 * their secrets encrypted with a key that it cannot use.
 */
export class StateReader extends ComponentResource {
  /** IAM member. */
  readonly member: string;
  readonly account: gcp.serviceaccount.Account;

  constructor(name: string, args: StateReaderArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:StateReader", name, {}, opts);
    const { project, issuer } = args;
    const standby = new Federation(
      `${name}-standby`,
      {
        project,
        poolId: standbyPool.id,
        providerId: standbyPool.provider,
        description: "The standby's cluster on AWS",
        issuer,
        attributes: { "google.subject": "assertion.sub" },
        condition: `assertion.sub == "${stateReaderSubject}"`,
      },
      { parent: this },
    );
    const id = accountId("state-reader");
    this.account = new gcp.serviceaccount.Account(
      `${name}-account`,
      { project, accountId: id, displayName: id, description: identity("state-reader").why.slice(0, 256) },
      { parent: this },
    );
    new gcp.serviceaccount.IAMBinding(
      `${name}-users`,
      {
        serviceAccountId: this.account.name,
        role: "roles/iam.workloadIdentityUser",
        members: [standby.pool.apply((pool) => subjectMember(pool, stateReaderSubject))],
      },
      { parent: this },
    );
    this.member = `serviceAccount:${serviceAccountEmail(id, project)}`;
    this.registerOutputs({ member: this.member });
  }
}
