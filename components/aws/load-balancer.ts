import * as aws from "@pulumi/aws";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { ports } from "../../plan/ports";
import { frontPort, healthCheck, rateLimit, requests } from "../../plan/traffic";
import type { LogsBucket } from "./logs-bucket";
import type { StandbyNetwork } from "./network";

/** Arguments of {@link StandbyLoadBalancer}. */
export interface StandbyLoadBalancerArgs {
  /** Name in AWS; 32 characters at most. */
  loadBalancerName: string;
  network: StandbyNetwork;
  /** Security group of the pods that serve. */
  pods: Input<string>;
  /** Host that is served; every other one is refused. */
  domain: string;
  /** Certificate of the domain, issued: a listener refuses one that is not. */
  certificate: Input<string>;
  logs: LogsBucket;
  deletionProtection: boolean;
}

/**
 * What answers for `app.iconik.io` in the standby (S7): there beforehand, so that the DNS record that names it never changes. It
 * has no pod behind it until the standby is active, and its health is what Route 53 goes by. The stack makes the target group;
 * the controller in the cluster keeps the front's pods in it, as GKE's does with the endpoint groups of a site.
 */
export class StandbyLoadBalancer extends ComponentResource {
  readonly loadBalancer: aws.lb.LoadBalancer;
  readonly targetGroup: aws.lb.TargetGroup;
  /** Full name as CloudWatch has it. */
  readonly metricName: Output<string>;
  /** Requests are answered from then on. */
  readonly listeners: Resource[];

  constructor(name: string, args: StandbyLoadBalancerArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:StandbyLoadBalancer", name, {}, opts);
    const { network, loadBalancerName } = args;
    const inside = { parent: this };
    const group = new aws.ec2.SecurityGroup(
      `${name}-group`,
      { vpcId: network.vpc.id, name: loadBalancerName, description: "Load balancer of the standby" },
      inside,
    );
    const rule = { securityGroupId: group.id, ipProtocol: "tcp" };
    for (const port of [80, ports.https]) {
      new aws.vpc.SecurityGroupIngressRule(
        `${name}-public-${port}`,
        { ...rule, description: "Users", fromPort: port, toPort: port, cidrIpv4: "0.0.0.0/0" },
        inside,
      );
    }
    const front = { ipProtocol: "tcp", fromPort: frontPort, toPort: frontPort };
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-to-pods`,
      { ...front, securityGroupId: group.id, description: "The front's pods", referencedSecurityGroupId: args.pods },
      inside,
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-from-balancer`,
      { ...front, securityGroupId: args.pods, description: "The load balancer", referencedSecurityGroupId: group.id },
      inside,
    );
    this.loadBalancer = new aws.lb.LoadBalancer(
      `${name}-balancer`,
      {
        name: loadBalancerName,
        loadBalancerType: "application",
        internal: false,
        ipAddressType: "ipv4",
        subnets: network.public.map(({ id }) => id),
        securityGroups: [group.id],
        dropInvalidHeaderFields: true,
        desyncMitigationMode: "defensive",
        enableHttp2: true,
        enableZonalShift: true,
        preserveHostHeader: true,
        idleTimeout: requests.timeoutSeconds,
        enableDeletionProtection: args.deletionProtection,
        accessLogs: { bucket: args.logs.bucket.bucket, prefix: "load-balancer", enabled: true },
      },
      { ...inside, dependsOn: [args.logs.policy, ...network.routes], protect: args.deletionProtection },
    );
    this.targetGroup = new aws.lb.TargetGroup(
      `${name}-front`,
      {
        name: loadBalancerName,
        vpcId: network.vpc.id,
        targetType: "ip",
        protocol: "HTTP",
        protocolVersion: "HTTP1",
        port: frontPort,
        deregistrationDelay: requests.drainingSeconds,
        loadBalancingAlgorithmType: "weighted_random",
        loadBalancingAnomalyMitigation: "on",
        healthCheck: {
          enabled: true,
          protocol: "HTTP",
          path: healthCheck.path,
          port: "traffic-port",
          matcher: "200",
          // AWS wants an interval of 5 seconds or more, above the timeout.
          interval: Math.max(5, healthCheck.intervalSeconds),
          timeout: healthCheck.timeoutSeconds,
          healthyThreshold: healthCheck.healthyThreshold,
          unhealthyThreshold: healthCheck.unhealthyThreshold,
        },
        // Without a pod in a zone its address leaves the load balancer's own DNS answer.
        targetGroupHealth: {
          dnsFailover: { minimumHealthyTargetsCount: "1", minimumHealthyTargetsPercentage: "off" },
          unhealthyStateRouting: { minimumHealthyTargetsCount: 1, minimumHealthyTargetsPercentage: "off" },
        },
      },
      inside,
    );
    const of = { loadBalancerArn: this.loadBalancer.arn };
    const https = new aws.lb.Listener(
      `${name}-https`,
      {
        ...of,
        port: ports.https,
        protocol: "HTTPS",
        sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificateArn: args.certificate,
        routingHttpResponseServerEnabled: false,
        routingHttpResponseStrictTransportSecurityHeaderValue: "max-age=31536000",
        // Whoever asks for another name is no user.
        defaultActions: [
          { type: "fixed-response", fixedResponse: { contentType: "text/plain", statusCode: "421", messageBody: "" } },
        ],
      },
      inside,
    );
    const forward = new aws.lb.ListenerRule(
      `${name}-domain`,
      {
        listenerArn: https.arn,
        priority: 1,
        conditions: [{ hostHeader: { values: [args.domain] } }],
        actions: [{ type: "forward", targetGroupArn: this.targetGroup.arn }],
      },
      inside,
    );
    const http = new aws.lb.Listener(
      `${name}-http`,
      {
        ...of,
        port: 80,
        protocol: "HTTP",
        defaultActions: [
          {
            type: "redirect",
            redirect: { host: args.domain, protocol: "HTTPS", port: String(ports.https), statusCode: "HTTP_301" },
          },
        ],
      },
      inside,
    );
    const firewall = new aws.wafv2.WebAcl(
      `${name}-firewall`,
      {
        name: loadBalancerName,
        scope: "REGIONAL",
        defaultAction: { allow: {} },
        rules: [limited()],
        visibilityConfig: visible("standby"),
      },
      inside,
    );
    const guarded = new aws.wafv2.WebAclAssociation(
      `${name}-firewall`,
      { resourceArn: this.loadBalancer.arn, webAclArn: firewall.arn },
      inside,
    );
    this.metricName = this.loadBalancer.arnSuffix;
    this.listeners = [https, http, forward, guarded];
    this.registerOutputs({ dnsName: this.loadBalancer.dnsName });
  }
}

const visible = (metricName: string) => ({ metricName, cloudwatchMetricsEnabled: true, sampledRequestsEnabled: true });

/** Refuses an address that asks more often than the plan allows, as Cloud Armor does at the primary. */
function limited() {
  return {
    name: "rate-limit",
    priority: 1,
    action: { block: { customResponse: { responseCode: 429 } } },
    statement: {
      rateBasedStatement: {
        aggregateKeyType: "IP",
        limit: rateLimit.requests,
        evaluationWindowSec: rateLimit.intervalSeconds,
      },
    },
    visibilityConfig: visible("rate-limit"),
  };
}
