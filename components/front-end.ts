import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";

/** Arguments of {@link FrontEnd}. */
export interface FrontEndArgs {
  project: string;
  /** Name of the resources in Google Cloud. */
  frontEndName: string;
  domain: string;
  /** The reserved address; of the same project, or Google refuses it. */
  address: Input<string>;
  /** Certificate map as an HTTPS proxy takes it. */
  certificateMap: Input<string>;
  /** Link of the serving site's backend service, in the site's own project. */
  backendService: string;
}

/**
 * What stands at the public address (D1, D2): HTTPS for the domain, forwarded to one site; everything else is sent there.
 * Another site takes over by another `backendService`, which is an update of the URL map and nothing else (ADR 10).
 */
export class FrontEnd extends ComponentResource {
  constructor(name: string, args: FrontEndArgs, opts?: ComponentResourceOptions) {
    super("iconik:traffic:FrontEnd", name, {}, opts);
    const { project, domain, frontEndName } = args;
    const toDomain = {
      hostRedirect: domain,
      httpsRedirect: true,
      redirectResponseCode: "MOVED_PERMANENTLY_DEFAULT",
      stripQuery: false,
    };
    const policy = new gcp.compute.SSLPolicy(
      `${name}-tls`,
      { project, name: frontEndName, profile: "MODERN", minTlsVersion: "TLS_1_2" },
      { parent: this },
    );
    const map = new gcp.compute.URLMap(
      `${name}-map`,
      {
        project,
        name: frontEndName,
        hostRules: [{ hosts: [domain], pathMatcher: "app" }],
        pathMatchers: [{ name: "app", defaultService: args.backendService }],
        defaultUrlRedirect: toDomain,
      },
      { parent: this },
    );
    const https = new gcp.compute.TargetHttpsProxy(
      `${name}-https`,
      { project, name: frontEndName, urlMap: map.id, certificateMap: args.certificateMap, sslPolicy: policy.id },
      { parent: this },
    );
    const redirect = new gcp.compute.URLMap(
      `${name}-redirect`,
      { project, name: `${frontEndName}-redirect`, defaultUrlRedirect: toDomain },
      { parent: this },
    );
    const http = new gcp.compute.TargetHttpProxy(
      `${name}-http`,
      { project, name: `${frontEndName}-redirect`, urlMap: redirect.id },
      { parent: this },
    );
    for (const [scheme, proxy, port] of [
      ["https", https, "443"],
      ["http", http, "80"],
    ] as const) {
      new gcp.compute.GlobalForwardingRule(
        `${name}-rule-${scheme}`,
        {
          project,
          name: `${frontEndName}-${scheme}`,
          loadBalancingScheme: "EXTERNAL_MANAGED",
          ipProtocol: "TCP",
          ipAddress: args.address,
          portRange: port,
          target: proxy.id,
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
