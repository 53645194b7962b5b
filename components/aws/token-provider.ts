import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";

/** Arguments of {@link TokenProvider}. */
export interface TokenProviderArgs {
  /** OpenID Connect issuer of the cluster. */
  issuer: Input<string>;
}

/**
 * The account trusts tokens of the cluster's accounts that were made for its STS; which role takes which token is said by the
 * role. Only Elasticsearch needs it: everybody else comes by Pod Identity.
 */
export class TokenProvider extends ComponentResource {
  readonly provider: aws.iam.OpenIdConnectProvider;

  constructor(name: string, args: TokenProviderArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:TokenProvider", name, {}, opts);
    this.provider = new aws.iam.OpenIdConnectProvider(
      `${name}-provider`,
      { url: args.issuer, clientIdLists: ["sts.amazonaws.com"] },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
