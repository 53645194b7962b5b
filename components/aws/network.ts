import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import type { LogsBucket } from "./logs-bucket";

/** Arguments of {@link StandbyNetwork}. */
export interface StandbyNetworkArgs {
  /** Name of the network and prefix of its parts. */
  networkName: string;
  region: string;
  zones: readonly string[];
  /** Ranges in CIDR notation; one of each list for every zone. */
  ranges: { network: string; private: readonly string[]; public: readonly string[] };
  /** Endpoints in every zone, or in the first alone: what the pilot light can do without is paid by the hour. */
  everyZone: boolean;
  logs: LogsBucket;
}

/** Services of AWS that are reached without leaving the network: images, identities of pods and machines, logs. */
const endpoints = ["ecr.api", "ecr.dkr", "eks-auth", "logs", "sts"] as const;

/**
 * The standby's network over three zones (S7): machines and pods have private addresses and leave by address translation; only
 * load balancers stand in the public subnets. S3 and what machines need to start is reached within AWS.
 */
export class StandbyNetwork extends ComponentResource {
  readonly vpc: aws.ec2.Vpc;
  /** Subnets in the order of the zones. */
  readonly private: aws.ec2.Subnet[];
  readonly public: aws.ec2.Subnet[];
  /** From then on machines reach what they need. */
  readonly routes: Resource[];

  constructor(name: string, args: StandbyNetworkArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:StandbyNetwork", name, {}, opts);
    const inside = { parent: this };
    const named = (part: string) => ({ tags: { Name: `${args.networkName}-${part}` } });
    this.vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      {
        cidrBlock: args.ranges.network,
        enableDnsHostnames: true,
        enableDnsSupport: true,
        tags: { Name: args.networkName },
      },
      inside,
    );
    const vpcId = this.vpc.id;
    // What AWS makes along with a network lets everything through until it is told otherwise.
    new aws.ec2.DefaultSecurityGroup(`${name}-default`, { vpcId, ingress: [], egress: [] }, inside);
    new aws.ec2.DefaultRouteTable(
      `${name}-default`,
      { defaultRouteTableId: this.vpc.defaultRouteTableId, routes: [] },
      inside,
    );
    new aws.ec2.FlowLog(
      `${name}-flows`,
      {
        vpcId,
        trafficType: "ALL",
        logDestinationType: "s3",
        logDestination: args.logs.bucket.arn.apply((arn) => `${arn}/flows/`),
        maxAggregationInterval: 60,
        destinationOptions: { fileFormat: "parquet", hiveCompatiblePartitions: false, perHourPartition: true },
      },
      { ...inside, dependsOn: [args.logs.policy] },
    );
    const gateway = new aws.ec2.InternetGateway(`${name}-gateway`, { vpcId, ...named("gateway") }, inside);
    const subnets = (kind: "private" | "public", role: string) =>
      args.zones.map(
        (zone, index) =>
          new aws.ec2.Subnet(
            `${name}-${kind}-${zone}`,
            {
              vpcId,
              availabilityZone: zone,
              cidrBlock: args.ranges[kind][index]!,
              mapPublicIpOnLaunch: false,
              tags: { Name: `${args.networkName}-${kind}-${zone}`, [`kubernetes.io/role/${role}`]: "1" },
            },
            inside,
          ),
      );
    this.public = subnets("public", "elb");
    this.private = subnets("private", "internal-elb");
    const publicTable = new aws.ec2.RouteTable(`${name}-public`, { vpcId, ...named("public") }, inside);
    const out = new aws.ec2.Route(
      `${name}-public`,
      { routeTableId: publicTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
      inside,
    );
    const join = (part: string, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) =>
      new aws.ec2.RouteTableAssociation(`${name}-${part}`, { subnetId: subnet.id, routeTableId: table.id }, inside);
    for (const [index, zone] of args.zones.entries()) join(`public-${zone}`, this.public[index]!, publicTable);
    // In every zone from the beginning: a gateway that an activation makes, and is killed while it does, keeps its address from the
    // next one.
    const translators = args.zones.map((zone, index) => {
      const address = new aws.ec2.Eip(`${name}-nat-${zone}`, { domain: "vpc", ...named(`nat-${zone}`) }, inside);
      return new aws.ec2.NatGateway(
        `${name}-nat-${zone}`,
        { allocationId: address.allocationId, subnetId: this.public[index]!.id, ...named(`nat-${zone}`) },
        { ...inside, dependsOn: [out] },
      );
    });
    const tables = args.zones.map((zone, index) => {
      const table = new aws.ec2.RouteTable(`${name}-private-${zone}`, { vpcId, ...named(`private-${zone}`) }, inside);
      const route = new aws.ec2.Route(
        `${name}-private-${zone}`,
        {
          routeTableId: table.id,
          destinationCidrBlock: "0.0.0.0/0",
          natGatewayId: translators[index]!.id,
        },
        inside,
      );
      return { table, route, joined: join(`private-${zone}`, this.private[index]!, table) };
    });
    const s3 = new aws.ec2.VpcEndpoint(
      `${name}-s3`,
      {
        vpcId,
        serviceName: `com.amazonaws.${args.region}.s3`,
        vpcEndpointType: "Gateway",
        routeTableIds: tables.map(({ table }) => table.id),
        ...named("s3"),
      },
      inside,
    );
    const group = new aws.ec2.SecurityGroup(
      `${name}-endpoints`,
      { vpcId, name: `${args.networkName}-endpoints`, description: "Endpoints of AWS services, for the network alone" },
      inside,
    );
    new aws.vpc.SecurityGroupIngressRule(
      `${name}-endpoints`,
      {
        securityGroupId: group.id,
        description: "HTTPS from the network",
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        cidrIpv4: args.ranges.network,
      },
      inside,
    );
    const within = args.everyZone ? this.private : this.private.slice(0, 1);
    const reached = endpoints.map(
      (service) =>
        new aws.ec2.VpcEndpoint(
          `${name}-${service}`,
          {
            vpcId,
            serviceName: `com.amazonaws.${args.region}.${service}`,
            vpcEndpointType: "Interface",
            privateDnsEnabled: true,
            subnetIds: within.map(({ id }) => id),
            securityGroupIds: [group.id],
            ...named(service),
          },
          inside,
        ),
    );
    this.routes = [s3, ...reached, ...tables.flatMap(({ route, joined }) => [route, joined])];
    this.registerOutputs({ vpc: vpcId });
  }
}
