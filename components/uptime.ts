import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";

/** Arguments of {@link Uptime}. */
export interface UptimeArgs {
  project: string;
  /** Host that is asked over HTTPS. */
  host: string;
  /** Path that answers 2xx while the product works. */
  path: string;
}

/** Asks the product from several continents every minute, as a user would: name, certificate, answer (D1). */
export class Uptime extends ComponentResource {
  constructor(name: string, args: UptimeArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:Uptime", name, {}, opts);
    new gcp.monitoring.UptimeCheckConfig(
      `${name}-check`,
      {
        project: args.project,
        displayName: args.host,
        monitoredResource: { type: "uptime_url", labels: { project_id: args.project, host: args.host } },
        httpCheck: {
          path: args.path,
          port: 443,
          useSsl: true,
          validateSsl: true,
          requestMethod: "GET",
          acceptedResponseStatusCodes: [{ statusClass: "STATUS_CLASS_2XX" }],
        },
        period: "60s",
        timeout: "10s",
        selectedRegions: ["EUROPE", "USA_VIRGINIA", "USA_OREGON", "SOUTH_AMERICA", "ASIA_PACIFIC"],
        checkerType: "STATIC_IP_CHECKERS",
        logCheckFailures: true,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
