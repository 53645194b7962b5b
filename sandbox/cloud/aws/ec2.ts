/** Networks. Source: "Amazon EC2 API reference", "VPC CIDR blocks", "Subnet CIDR blocks". */
import { createHash, randomBytes } from "node:crypto";
import { type Behaviour, CloudError, type CloudResource, type Props } from "../../lib/types";
import { regionOfZone } from "../../providers/aws/regions";
import { overlap } from "../../providers/shape/syntax";
import { type Registry, text } from "../registry";
import { accountOf, arn } from "./arn";
import { present, required, texts } from "./checks";
import { AWS } from "./types";

const ID = {
  address: "aws:ec2/eip:Eip",
  endpoint: "aws:ec2/vpcEndpoint:VpcEndpoint",
  gateway: "aws:ec2/internetGateway:InternetGateway",
  nat: "aws:ec2/natGateway:NatGateway",
  route: "aws:ec2/route:Route",
  table: "aws:ec2/routeTable:RouteTable",
  association: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  template: "aws:ec2/launchTemplate:LaunchTemplate",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
} as const;

const newId = (prefix: string): string => `${prefix}-0${randomBytes(8).toString("hex")}`;
/** A part that AWS makes along with a network: its id follows from the network's. */
const part = (prefix: string, of: string): string =>
  `${prefix}-0${createHash("sha256").update(`${prefix} ${of}`).digest("hex").slice(0, 16)}`;

const refused = (code: string, message: string) => new CloudError(400, code, message);

/** Behaviours by type token. */
export function ec2Behaviours(registry: Registry): Record<string, Behaviour> {
  const vpcOf = (inputs: Props) =>
    present(
      registry,
      AWS.vpc,
      required(inputs, "vpcId"),
      "InvalidVpcID.NotFound",
      `The vpc ID '${inputs.vpcId}' does not exist`,
    );
  const subnetOf = (id: string) =>
    present(registry, AWS.subnet, id, "InvalidSubnetID.NotFound", `The subnet ID '${id}' does not exist`);
  /** Plain things of a network: an id, an ARN, and nothing that is still in use goes. */
  const thing = (
    prefix: string,
    resource: string,
    check: (inputs: Props) => unknown = () => undefined,
    users: (id: string) => boolean = () => false,
  ): Behaviour => ({
    create: async (inputs, caller) => {
      const more = (check(inputs) ?? {}) as Props;
      const id = newId(prefix);
      const account = accountOf(caller);
      return {
        id,
        outputs: {
          ...inputs,
          ownerId: account,
          arn: arn("ec2", text(inputs, "region"), account, `${resource}/${id}`),
          ...more,
        },
      };
    },
    update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
    delete: async ({ id }) => {
      if (users(id))
        throw refused("DependencyViolation", `${resource} '${id}' has dependencies and cannot be deleted.`);
    },
  });
  const group = (id: string) => {
    if (registry.get(AWS.securityGroup, id)) return;
    // Groups that come with a network or a cluster.
    if (registry.all(AWS.vpc).some((vpc) => part("sg", vpc.id) === id)) return;
    if (registry.all(AWS.cluster).some((cluster) => clusterGroup(text(cluster.outputs, "arn")) === id)) return;
    throw refused("InvalidGroup.NotFound", `The security group '${id}' does not exist`);
  };
  const rule = (type: string): Behaviour =>
    thing("sgr", "security-group-rule", (inputs) => {
      group(required(inputs, "securityGroupId"));
      if (inputs.referencedSecurityGroupId) group(text(inputs, "referencedSecurityGroupId"));
      const same = [
        "securityGroupId",
        "ipProtocol",
        "fromPort",
        "toPort",
        "cidrIpv4",
        "cidrIpv6",
        "prefixListId",
        "referencedSecurityGroupId",
      ];
      const twice = registry
        .all(type)
        .some((other) => same.every((name) => text(other.inputs, name) === text(inputs, name)));
      if (twice) throw refused("InvalidPermission.Duplicate", "the specified rule already exists");
    });

  return {
    [AWS.vpc]: {
      create: async (inputs, caller) => {
        const id = newId("vpc");
        const account = accountOf(caller);
        const outputs = {
          ...inputs,
          ownerId: account,
          arn: arn("ec2", text(inputs, "region"), account, `vpc/${id}`),
          defaultSecurityGroupId: part("sg", id),
          defaultRouteTableId: part("rtb", id),
          mainRouteTableId: part("rtb", id),
          defaultNetworkAclId: part("acl", id),
        };
        return { id, outputs };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      delete: async ({ id }) => {
        const types = [AWS.subnet, AWS.securityGroup, ID.gateway, ID.endpoint, ID.table];
        if (types.some((type) => registry.all(type).some(({ inputs }) => inputs.vpcId === id)))
          throw refused("DependencyViolation", `The vpc '${id}' has dependencies and cannot be deleted.`);
      },
    },
    [AWS.subnet]: thing(
      "subnet",
      "subnet",
      (inputs) => {
        const vpc = vpcOf(inputs);
        const [range, zone] = [text(inputs, "cidrBlock"), text(inputs, "availabilityZone")];
        if (zone && regionOfZone(zone) !== text(vpc.inputs, "region"))
          throw refused(
            "InvalidParameterValue",
            `Value (${zone}) for parameter availabilityZone is invalid: it is no zone of ${vpc.inputs.region}.`,
          );
        if (!within(range, text(vpc.inputs, "cidrBlock")))
          throw refused("InvalidSubnet.Range", `The CIDR '${range}' is invalid.`);
        const other = registry
          .all(AWS.subnet)
          .find((each) => each.inputs.vpcId === vpc.id && overlap(text(each.inputs, "cidrBlock"), range));
        if (other) throw refused("InvalidSubnet.Conflict", `The CIDR '${range}' conflicts with another subnet`);
        return { availabilityZone: zone || `${vpc.inputs.region}a` };
      },
      (id) =>
        [ID.nat].some((type) => registry.all(type).some(({ inputs }) => inputs.subnetId === id)) ||
        registry.some(({ type, inputs }) => type !== ID.association && JSON.stringify(inputs).includes(`"${id}"`)),
    ),
    [ID.gateway]: thing("igw", "internet-gateway", (inputs) => {
      if (inputs.vpcId && registry.all(ID.gateway).some((other) => other.inputs.vpcId === vpcOf(inputs).id))
        throw refused("Resource.AlreadyAssociated", `network ${inputs.vpcId} already has an internet gateway attached`);
    }),
    [ID.address]: {
      create: async (inputs, caller) => {
        const id = newId("eipalloc");
        const publicIp = `203.0.113.${randomBytes(1)[0]}`;
        return {
          id,
          outputs: {
            ...inputs,
            allocationId: id,
            publicIp,
            arn: arn("ec2", text(inputs, "region"), accountOf(caller), `elastic-ip/${id}`),
          },
        };
      },
      delete: async ({ id }) => {
        if (registry.all(ID.nat).some(({ inputs }) => inputs.allocationId === id))
          throw refused("InvalidIPAddress.InUse", `The address ${id} is in use.`);
      },
    },
    [ID.nat]: thing("nat", "natgateway", (inputs) => {
      const subnet = subnetOf(required(inputs, "subnetId"));
      const address = text(inputs, "allocationId");
      if (address)
        present(
          registry,
          ID.address,
          address,
          "InvalidAllocationID.NotFound",
          `The allocation ID '${address}' does not exist`,
        );
      if (registry.all(ID.nat).some((other) => address && other.inputs.allocationId === address))
        throw refused("Resource.AlreadyAssociated", `Elastic IP address [${address}] is already associated`);
      const open = registry.all(ID.gateway).some((gateway) => gateway.inputs.vpcId === subnet.inputs.vpcId);
      if ((inputs.connectivityType ?? "public") === "public" && !open)
        throw refused("Gateway.NotAttached", `Network ${subnet.inputs.vpcId} has no Internet gateway attached`);
    }),
    [ID.table]: thing(
      "rtb",
      "route-table",
      (inputs) => void vpcOf(inputs),
      (id) => registry.all(ID.association).some(({ inputs }) => inputs.routeTableId === id),
    ),
    [ID.route]: {
      create: async (inputs) => {
        const table = required(inputs, "routeTableId");
        present(
          registry,
          ID.table,
          table,
          "InvalidRouteTableID.NotFound",
          `The routeTable ID '${table}' does not exist`,
        );
        const to =
          text(inputs, "destinationCidrBlock") ||
          text(inputs, "destinationIpv6CidrBlock") ||
          text(inputs, "destinationPrefixListId");
        const id = `r-${table}${createHash("md5").update(to).digest("hex").slice(0, 10)}`;
        if (registry.get(ID.route, id))
          throw refused("RouteAlreadyExists", `The route identified by ${to} already exists.`);
        for (const [name, type] of [
          ["gatewayId", ID.gateway],
          ["natGatewayId", ID.nat],
        ] as const)
          if (inputs[name])
            present(
              registry,
              type,
              text(inputs, name),
              "InvalidGatewayID.NotFound",
              `The gateway '${inputs[name]}' does not exist`,
            );
        return { id, outputs: { ...inputs, origin: "CreateRoute", state: "active" } };
      },
    },
    [ID.association]: {
      create: async (inputs) => {
        if (inputs.subnetId) subnetOf(text(inputs, "subnetId"));
        if (registry.all(ID.association).some((other) => inputs.subnetId && other.inputs.subnetId === inputs.subnetId))
          throw refused(
            "Resource.AlreadyAssociated",
            `the specified association for route table ${inputs.routeTableId} conflicts with an existing association`,
          );
        return { id: newId("rtbassoc"), outputs: { ...inputs } };
      },
    },
    [AWS.securityGroup]: thing(
      "sg",
      "security-group",
      (inputs) => {
        vpcOf(inputs);
        const twice = registry
          .all(AWS.securityGroup)
          .some((other) => other.inputs.vpcId === inputs.vpcId && other.inputs.name === inputs.name);
        if (twice || inputs.name === "default")
          throw refused(
            "InvalidGroup.Duplicate",
            `The security group '${inputs.name}' already exists for VPC '${inputs.vpcId}'`,
          );
      },
      // A rule of its own goes with it; one of another group does not.
      (id) =>
        registry.some(
          ({ type, inputs }) =>
            inputs.securityGroupId !== id && type !== AWS.securityGroup && JSON.stringify(inputs).includes(`"${id}"`),
        ),
    ),
    [ID.ingress]: rule(ID.ingress),
    [ID.egress]: rule(ID.egress),
    [ID.endpoint]: thing("vpce", "vpc-endpoint", (inputs) => {
      const vpc = vpcOf(inputs);
      const service = required(inputs, "serviceName");
      if (!service.startsWith(`com.amazonaws.${vpc.inputs.region}.`))
        throw refused(
          "InvalidServiceName",
          `The Vpc Endpoint Service '${service}' does not exist in ${vpc.inputs.region}`,
        );
      for (const id of texts(inputs, "subnetIds")) subnetOf(id);
      for (const id of texts(inputs, "securityGroupIds")) group(id);
      const dns = vpc.inputs.enableDnsHostnames === true && vpc.inputs.enableDnsSupport !== false;
      if (inputs.privateDnsEnabled === true && !dns)
        throw refused(
          "InvalidParameter",
          "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true",
        );
      if (
        registry
          .all(ID.endpoint)
          .some(
            (other) =>
              other.inputs.vpcId === vpc.id &&
              other.inputs.serviceName === service &&
              text(other.inputs, "vpcEndpointType") === text(inputs, "vpcEndpointType"),
          )
      )
        throw refused("RouteAlreadyExists", `an endpoint of ${service} is in ${vpc.id} already`);
      return { state: "available" };
    }),
    [ID.template]: {
      ...thing("lt", "launch-template", (inputs) => {
        if (registry.all(ID.template).some((other) => other.inputs.name === inputs.name))
          throw refused(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            `Launch template name already in use: ${inputs.name}`,
          );
        return { latestVersion: 1, defaultVersion: 1 };
      }),
      update: async ({ outputs }, inputs) => {
        const latestVersion = Number(outputs.latestVersion ?? 1) + 1;
        return {
          ...outputs,
          ...inputs,
          latestVersion,
          ...(inputs.updateDefaultVersion === true && { defaultVersion: latestVersion }),
        };
      },
    },
  };
}

/** Id of the security group that a cluster makes for its machines. */
export const clusterGroup = (clusterArn: string): string => part("sg", clusterArn);

/** Subnets that something is to be in. @throws CloudError 400 when one is missing, or they are in fewer zones than needed */
export function subnetsIn(registry: Registry, ids: string[], zones: number, code: string): CloudResource[] {
  const found = ids.map((id) => {
    const subnet = registry.get(AWS.subnet, id);
    if (!subnet) throw refused(code, `The subnet ID '${id}' does not exist`);
    return subnet;
  });
  const distinct = new Set(found.map(({ outputs }) => text(outputs, "availabilityZone")));
  if (distinct.size < zones)
    throw refused(
      code,
      `Subnets specified must be in at least ${zones} different AZs, but are in ${[...distinct].join(", ") || "none"}`,
    );
  if (new Set(found.map(({ inputs }) => inputs.vpcId)).size > 1) throw refused(code, "Subnets must be of one VPC");
  return found;
}

/** True when a range lies in another. */
function within(range: string, outer: string): boolean {
  const [, length = "32"] = range.split("/");
  const [, wide = "0"] = outer.split("/");
  return Number(length) >= Math.max(16, Number(wide)) && Number(length) <= 28 && overlap(range, outer);
}
