import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import {
  backendServiceName,
  frontPort,
  googleFrontEnds,
  healthCheck,
  outlierDetection,
  requests,
} from "../plan/traffic";
import { securityRules } from "./security-rules";

/** Arguments of {@link LoadBalancer}. */
export interface LoadBalancerArgs {
  project: string;
  network: Input<string>;
  /** Prefix of the firewall rule's name, e.g. the site's name. */
  prefix: string;
  /**
   * Endpoint groups of every zone of every region, and the part of their capacity that is used before the next-closest region
   * helps; one with 0 gets no new requests.
   */
  groups: { group: gcp.compute.NetworkEndpointGroup; share: number }[];
  /** Network tag of the machines that the front runs on. */
  on: string;
  /** IAM member that may send the public address's traffic here: whoever deploys the foundation. */
  frontEndDeployer: string;
}

/**
 * A site's part of the global load balancer (D1): the backend service over every region, whose healthy pods closest to a
 * user answer. The address, the certificate and the URL map that names it are the foundation's (ADR 10). It depends on
 * the Services that fill its groups, so that it is destroyed before them and they before the groups.
 */
export class LoadBalancer extends ComponentResource {
  readonly backendService: gcp.compute.BackendService;

  constructor(name: string, args: LoadBalancerArgs, opts?: ComponentResourceOptions) {
    super("iconik:traffic:LoadBalancer", name, {}, opts);
    const { project } = args;
    const firewall = new gcp.compute.Firewall(
      `${name}-firewall`,
      {
        project,
        name: `${args.prefix}-front-ends`,
        network: args.network,
        direction: "INGRESS",
        sourceRanges: [...googleFrontEnds],
        targetTags: [args.on],
        allows: [{ protocol: "tcp", ports: [String(frontPort)] }],
        logConfig: { metadata: "INCLUDE_ALL_METADATA" },
      },
      { parent: this },
    );
    const check = new gcp.compute.HealthCheck(
      `${name}-health`,
      {
        project,
        name: backendServiceName,
        checkIntervalSec: healthCheck.intervalSeconds,
        timeoutSec: healthCheck.timeoutSeconds,
        healthyThreshold: healthCheck.healthyThreshold,
        unhealthyThreshold: healthCheck.unhealthyThreshold,
        httpHealthCheck: { portSpecification: "USE_SERVING_PORT", requestPath: healthCheck.path },
        logConfig: { enable: true },
      },
      { parent: this },
    );
    const armor = new gcp.compute.SecurityPolicy(
      `${name}-armor`,
      {
        project,
        name: backendServiceName,
        type: "CLOUD_ARMOR",
        rules: securityRules(),
        adaptiveProtectionConfig: { layer7DdosDefenseConfig: { enable: true, ruleVisibility: "STANDARD" } },
        advancedOptionsConfig: { jsonParsing: "STANDARD", logLevel: "NORMAL" },
      },
      { parent: this },
    );
    this.backendService = new gcp.compute.BackendService(
      `${name}-backend`,
      {
        project,
        name: backendServiceName,
        loadBalancingScheme: "EXTERNAL_MANAGED",
        // Between Google's front ends and the pods; users get HTTPS only.
        protocol: "HTTP",
        backends: args.groups.map(({ group, share }) => ({
          group: group.id,
          balancingMode: "RATE",
          maxRatePerEndpoint: requests.maxRatePerPod,
          capacityScaler: share,
        })),
        healthChecks: check.id,
        securityPolicy: armor.id,
        timeoutSec: requests.timeoutSeconds,
        connectionDrainingTimeoutSec: requests.drainingSeconds,
        localityLbPolicy: "LEAST_REQUEST",
        outlierDetection: {
          consecutiveErrors: outlierDetection.consecutiveErrors,
          enforcingConsecutiveErrors: 100,
          interval: { seconds: outlierDetection.intervalSeconds },
          baseEjectionTime: { seconds: outlierDetection.baseEjectionSeconds },
          maxEjectionPercent: outlierDetection.maxEjectionPercent,
        },
        customResponseHeaders: ["Strict-Transport-Security: max-age=31536000"],
        logConfig: { enable: true, sampleRate: 1 },
      },
      { parent: this, dependsOn: [firewall] },
    );
    new gcp.compute.BackendServiceIamBinding(
      `${name}-users`,
      {
        project,
        name: this.backendService.name,
        role: "roles/compute.loadBalancerServiceUser",
        members: [args.frontEndDeployer],
      },
      { parent: this, deletedWith: this.backendService },
    );
    this.registerOutputs({ backendService: this.backendService.id });
  }
}
