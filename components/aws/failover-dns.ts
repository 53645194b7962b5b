import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { certificateAuthorities, recordTtlSeconds, route53Check, type Server, searchString } from "../../plan/failover";
import { ports } from "../../plan/ports";
import type { TrafficSwitch } from "./traffic-switch";

/** Arguments of {@link DomainZone}. */
export interface DomainZoneArgs {
  domain: string;
  deletionProtection: boolean;
}

/**
 * The public name as a zone of its own in Route 53: the parent zone needs nothing but its delegation (docs/runbooks/
 * d4-google-lost.md), wherever that zone is. Only the two clouds' authorities may issue certificates for it.
 */
export class DomainZone extends ComponentResource {
  readonly zone: aws.route53.Zone;

  constructor(name: string, args: DomainZoneArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:DomainZone", name, {}, opts);
    this.zone = new aws.route53.Zone(
      `${name}-zone`,
      {
        name: args.domain,
        comment: "Public name of the product, in whichever cloud it is",
        // Changes can be made again an hour after us-east-1, where the control plane is, has failed.
        enableAcceleratedRecovery: true,
        forceDestroy: !args.deletionProtection,
      },
      { parent: this, protect: args.deletionProtection, retainOnDelete: args.deletionProtection },
    );
    new aws.route53.Record(
      `${name}-authorities`,
      {
        zoneId: this.zone.zoneId,
        name: args.domain,
        type: "CAA",
        ttl: 3600,
        records: certificateAuthorities.map((authority) => `0 issue "${authority}"`),
      },
      { parent: this },
    );
    this.registerOutputs({ nameServers: this.zone.nameServers });
  }
}

/** Arguments of {@link FailoverDns}. */
export interface FailoverDnsArgs {
  domain: string;
  zone: aws.route53.Zone;
  /** Where the primary is reached, and the record by which Google renews the primary's certificate. */
  primary: { address: string; certificateRecord?: { name: string; data: string } };
  loadBalancer: aws.lb.LoadBalancer;
  /** Says who serves. */
  trafficSwitch: TrafficSwitch;
  serves: Server;
  /** What has to be there before the answer may change: while the standby serves, its restored services. */
  dependsOn: Resource[];
}

/**
 * Where `app.iconik.io` leads (D4). Two failover records and their health checks are there beforehand, so that nothing has to be
 * called when Google is lost. The primary is healthy when Google's own address answers and the object in S3 says that it serves;
 * the standby is when the object names it and its load balancer has a healthy pod. Once activated, the primary's record leads
 * to the standby as well: Route 53 answers with the primary when nobody is healthy, and that must not be Google's stale data.
 */
export class FailoverDns extends ComponentResource {
  /** Does Google's address answer? */
  readonly reachable: aws.route53.HealthCheck;
  /** Does the primary get the traffic? */
  readonly primary: aws.route53.HealthCheck;
  /** Is who serves said to serve? */
  readonly named: aws.route53.HealthCheck;

  constructor(name: string, args: FailoverDnsArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:FailoverDns", name, {}, opts);
    const { domain, primary, trafficSwitch } = args;
    const inside = { parent: this };
    const check = (part: string, inputs: aws.route53.HealthCheckArgs) =>
      new aws.route53.HealthCheck(
        `${name}-${part}`,
        { ...inputs, tags: { Name: `${domain} ${part}` } },
        // A checked address cannot change in place, and a record wants a check at every moment.
        inside,
      );
    const polled = {
      port: ports.https,
      requestInterval: route53Check.intervalSeconds,
      failureThreshold: route53Check.failureThreshold,
      enableSni: true,
      measureLatency: false,
    };
    const reachable = check("primary-reachable", {
      ...polled,
      type: "HTTPS",
      // By its address: by the public name it would ask whoever serves.
      ipAddress: primary.address,
      fqdn: domain,
      resourcePath: route53Check.path,
    });
    const named = (server: Server) =>
      check(`${server}-named`, {
        ...polled,
        type: "HTTPS_STR_MATCH",
        fqdn: trafficSwitch.host,
        resourcePath: trafficSwitch.path,
        searchString: searchString(server),
      });
    const primaryNamed = named("primary");
    const primaryCheck = check("primary", {
      type: "CALCULATED",
      childHealthchecks: [reachable.id, primaryNamed.id],
      childHealthThreshold: 2,
    });
    // Its load balancer's health is in the record.
    const standbyCheck = named("standby");
    this.named = args.serves === "primary" ? primaryNamed : standbyCheck;
    this.reachable = reachable;
    this.primary = primaryCheck;

    const toStandby = [
      {
        name: args.loadBalancer.dnsName,
        zoneId: args.loadBalancer.zoneId,
        // Healthy with a healthy pod only.
        evaluateTargetHealth: true,
      },
    ];
    const record = (part: Server, type: string, inputs: Partial<aws.route53.RecordArgs>, dependsOn: Resource[]) =>
      new aws.route53.Record(
        `${name}-${part}`,
        {
          zoneId: args.zone.zoneId,
          name: domain,
          type: "A",
          setIdentifier: part,
          failoverRoutingPolicies: [{ type }],
          ...inputs,
        },
        { ...inside, dependsOn },
      );
    record(
      "primary",
      "PRIMARY",
      {
        healthCheckId: primaryCheck.id,
        ...(args.serves === "primary"
          ? { ttl: recordTtlSeconds, records: [primary.address] }
          : { aliases: toStandby.map((alias) => ({ ...alias, evaluateTargetHealth: false })) }),
      },
      args.serves === "primary" ? [] : args.dependsOn,
    );
    record("standby", "SECONDARY", { healthCheckId: standbyCheck.id, aliases: toStandby }, []);
    if (primary.certificateRecord) {
      const { name: recordName, data } = primary.certificateRecord;
      new aws.route53.Record(
        `${name}-primary-certificate`,
        { zoneId: args.zone.zoneId, name: recordName.replace(/\.$/, ""), type: "CNAME", ttl: 300, records: [data] },
        inside,
      );
    }
    this.registerOutputs({});
  }
}
