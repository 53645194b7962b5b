import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";

/** Arguments of {@link Federation}. */
export interface FederationArgs {
  project: string;
  /** Id of the pool; taken for 30 days after a deletion. */
  poolId: string;
  providerId: string;
  /** Shown in the console. */
  description: string;
  /** OpenID Connect issuer of the tokens. */
  issuer: string;
  /** Google attributes by the expression on the token that gives them. */
  attributes: Record<string, string>;
  /** Which tokens are accepted at all (CEL on `assertion`). */
  condition: string;
}

/**
 * Tokens of somebody else are exchanged for Google's: a workload identity pool with one provider. The pool gives nothing;
 * who of it may act as which account is bound on the account.
 */
export class Federation extends ComponentResource {
  /** Full name of the pool, `projects/NUMBER/locations/global/workloadIdentityPools/ID`. */
  readonly pool: Output<string>;
  /** Full name of the provider: what a workflow hands to its log-in. */
  readonly provider: Output<string>;

  constructor(name: string, args: FederationArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:Federation", name, {}, opts);
    const { project } = args;
    const pool = new gcp.iam.WorkloadIdentityPool(
      `${name}-pool`,
      { project, workloadIdentityPoolId: args.poolId, displayName: args.poolId, description: args.description },
      { parent: this },
    );
    const provider = new gcp.iam.WorkloadIdentityPoolProvider(
      `${name}-provider`,
      {
        project,
        workloadIdentityPoolId: pool.workloadIdentityPoolId,
        workloadIdentityPoolProviderId: args.providerId,
        displayName: args.providerId,
        attributeMapping: args.attributes,
        attributeCondition: args.condition,
        oidc: { issuerUri: args.issuer },
      },
      { parent: this },
    );
    this.pool = pool.name;
    this.provider = provider.name;
    this.registerOutputs({ provider: this.provider });
  }
}
