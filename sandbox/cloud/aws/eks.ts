/** EKS: real API servers, the nodes that pods are scheduled to, add-ons, and who is let in. Source: "Amazon EKS API reference". */
import { createHash, randomBytes } from "node:crypto";
import {
  type Behaviour,
  CloudError,
  type CloudResource,
  type ClusterAccess,
  type ClusterManager,
  type NodePoolSpec,
  type Props,
} from "../../lib/types";
import { overlap } from "../../providers/shape/syntax";
import { type Registry, text } from "../registry";
import type { AwsAccess } from "./access";
import { accountOf, arn, nameOf } from "./arn";
import { first, invalid, required, texts } from "./checks";
import { clusterGroup, subnetsIn } from "./ec2";
import { contextOf } from "./policy/conditions";
import { AWS } from "./types";

/** Minor versions that EKS has. Source: "Understand the Kubernetes version lifecycle on EKS", November 2026. */
const VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35"];
const ADDONS = [
  "adot",
  "amazon-cloudwatch-observability",
  "aws-ebs-csi-driver",
  "aws-efs-csi-driver",
  "aws-mountpoint-s3-csi-driver",
  "cert-manager",
  "coredns",
  "eks-node-monitoring-agent",
  "eks-pod-identity-agent",
  "external-dns",
  "kube-proxy",
  "kube-state-metrics",
  "metrics-server",
  "prometheus-node-exporter",
  "snapshot-controller",
  "vpc-cni",
];
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
const EBS_ADDON = "aws-ebs-csi-driver";
const EBS_DRIVER = "ebs.csi.aws.com";
const EFFECTS: Record<string, string> = {
  NO_SCHEDULE: "NoSchedule",
  NO_EXECUTE: "NoExecute",
  PREFER_NO_SCHEDULE: "PreferNoSchedule",
};
/** Kubernetes roles of EKS's access policies. Source: "Review access policy permissions". */
const ACCESS_POLICIES: Record<string, string> = {
  AmazonEKSClusterAdminPolicy: "cluster-admin",
  AmazonEKSAdminPolicy: "admin",
  AmazonEKSEditPolicy: "edit",
  AmazonEKSViewPolicy: "view",
  AmazonEKSAdminViewPolicy: "eks:admin-view",
};

const refused = (code: string, message: string, status = 400) => new CloudError(status, code, message);
const parameter = (message: string) => refused("InvalidParameterException", message);

/** Group by which an access policy gives rights to whoever has it. */
const groupOf = (principalArn: string, policyArn: string): string =>
  `eks:${nameOf(policyArn)}:${createHash("sha256").update(principalArn).digest("hex").slice(0, 12)}`;

/** What EKS stands on. */
export interface EksOptions {
  registry: Registry;
  access: AwsAccess;
  clusters: () => ClusterManager;
  /** URL at which a cluster asks whose a token is. */
  authenticator: (clusterArn: string) => string;
}

/** Behaviours by type token. */
export function eksBehaviours(options: EksOptions): Record<string, Behaviour> {
  const { registry, access, clusters } = options;
  const clusterOf = (inputs: Props): CloudResource => {
    const name = required(inputs, "clusterName");
    const found = registry.get(AWS.cluster, name);
    if (!found || !clusters().get(text(found.outputs, "arn")))
      throw refused("ResourceNotFoundException", `No cluster found for name: ${name}.`, 404);
    return found;
  };
  const arnOf = (cluster: CloudResource) => text(cluster.outputs, "arn");
  const running = (name: string) => {
    const cluster = registry.get(AWS.cluster, name);
    return cluster !== undefined && clusters().get(arnOf(cluster)) !== undefined;
  };
  const roleFor = (roleArn: string, service: string, code = "InvalidParameterException") => {
    if (!access.role(roleArn)) throw refused(code, `Role with arn: ${roleArn}, could not be found.`);
    if (
      !access.trusts(
        roleArn,
        { kind: "Service", name: service },
        "sts:AssumeRole",
        serviceContext(registry, accountOf(roleArn)),
      )
    )
      throw refused(
        code,
        `Role with arn: ${roleArn}, could not be assumed because it does not have a trust relationship with ${service}.`,
      );
  };
  /** Parts of a cluster end with it. */
  const alive = async ({ inputs, outputs }: CloudResource) =>
    running(text(inputs, "clusterName")) ? outputs : undefined;

  return {
    [AWS.cluster]: {
      create: async (inputs, caller) => {
        const name = required(inputs, "name");
        const [region, account] = [text(inputs, "region"), accountOf(caller)];
        const clusterArn = arn("eks", region, account, `cluster/${name}`);
        const old = registry.get(AWS.cluster, name);
        // A record without a running cluster is of one that ended with an earlier daemon.
        if (old && !clusters().get(clusterArn)) forget(registry, name);
        if (registry.get(AWS.cluster, name))
          throw refused("ResourceInUseException", `Cluster already exists with name: ${name}`, 409);
        roleFor(text(inputs, "roleArn"), "eks.amazonaws.com");
        const subnets = subnetsIn(
          registry,
          texts(first(inputs.vpcConfig), "subnetIds"),
          2,
          "InvalidParameterException",
        );
        const vpc = registry.get(AWS.vpc, text(subnets[0]?.inputs ?? {}, "vpcId"));
        checkCluster(registry, inputs, text(vpc?.inputs ?? {}, "cidrBlock"));
        const oidc = randomBytes(16).toString("hex").toUpperCase();
        const issuer = `https://oidc.eks.${region}.amazonaws.com/id/${oidc}`;
        const started = await clusters().create({
          id: clusterArn,
          name,
          project: account,
          location: region,
          cloud: "aws",
          issuer,
          authenticator: options.authenticator(clusterArn),
        });
        if (first(inputs.accessConfig).bootstrapClusterCreatorAdminPermissions !== false)
          await grant(caller, clusterArn, name);
        return {
          id: name,
          outputs: {
            ...inputs,
            ...clusterOutputs(inputs, clusterArn, issuer, started, vpc?.id ?? ""),
            accessConfig: { authenticationMode: "CONFIG_MAP", ...first(inputs.accessConfig) },
          },
        };
      },
      read: async ({ id, outputs }) => (running(id) ? outputs : undefined),
      update: async ({ outputs, inputs: old }, inputs) => {
        const [before, now] = [text(old, "version"), text(inputs, "version")];
        if (before && now && VERSIONS.indexOf(now) < VERSIONS.indexOf(before))
          throw parameter(`Unsupported Kubernetes minor version update from ${before} to ${now}`);
        if (before && now && VERSIONS.indexOf(now) > VERSIONS.indexOf(before) + 1)
          throw parameter(`Unsupported Kubernetes minor version update from ${before} to ${now}`);
        return { ...outputs, ...inputs, vpcConfig: { ...first(outputs.vpcConfig), ...first(inputs.vpcConfig) } };
      },
      delete: async (cluster) => {
        if (!running(cluster.id)) return forget(registry, cluster.id);
        if (registry.all(AWS.nodeGroup).some(({ inputs }) => inputs.clusterName === cluster.id))
          throw refused("ResourceInUseException", "Cluster has nodegroups attached", 409);
        await clusters().delete(arnOf(cluster));
        forget(registry, cluster.id);
      },
    },
    [AWS.nodeGroup]: {
      create: async (inputs) => {
        const cluster = clusterOf(inputs);
        const name = required(inputs, "nodeGroupName");
        const id = `${cluster.id}:${name}`;
        if (registry.get(AWS.nodeGroup, id))
          throw refused(
            "ResourceInUseException",
            `NodeGroup already exists with name ${name} and cluster name ${cluster.id}`,
            409,
          );
        roleFor(text(inputs, "nodeRoleArn"), "ec2.amazonaws.com", "InvalidRequestException");
        const spec = nodePool(registry, inputs);
        if (spec.nodes) disksOpen(text(inputs, "region"), accountOf(arnOf(cluster)), inputs);
        await clusters().setNodePool(arnOf(cluster), spec);
        const outputs = {
          ...inputs,
          arn: `${arnOf(cluster).replace(":cluster/", ":nodegroup/")}/${name}/${randomBytes(8).toString("hex")}`,
          status: "ACTIVE",
          version: inputs.version ?? cluster.outputs.version,
        };
        return { id, outputs };
      },
      read: alive,
      update: async ({ outputs }, inputs) => {
        const [cluster, spec] = [arnOf(clusterOf(inputs)), nodePool(registry, inputs)];
        if (spec.nodes) disksOpen(text(inputs, "region"), accountOf(cluster), inputs);
        await clusters().setNodePool(cluster, spec);
        return { ...outputs, ...inputs };
      },
      delete: async ({ inputs }) => {
        const name = text(inputs, "clusterName");
        if (running(name)) await clusters().removeNodePool(arnOf(clusterOf(inputs)), text(inputs, "nodeGroupName"));
      },
    },
    [AWS.addon]: {
      create: async (inputs) => {
        const cluster = clusterOf(inputs);
        const name = required(inputs, "addonName");
        const id = `${cluster.id}:${name}`;
        if (!ADDONS.includes(name))
          throw parameter(`Addon ${name} specified is not supported; there are ${ADDONS.join(", ")}`);
        if (registry.get(AWS.addon, id)) throw refused("ResourceInUseException", `Addon already exists.`, 409);
        checkAddon(inputs);
        for (const { roleArn = "" } of (inputs.podIdentityAssociations ?? []) as { roleArn?: string }[])
          if (!access.role(roleArn)) throw parameter(`Role provided in the request does not exist: ${roleArn}`);
        if (name === EBS_ADDON) await clusters().setDriver(arnOf(cluster), EBS_DRIVER, true);
        return {
          id,
          outputs: {
            ...inputs,
            arn: `${arnOf(cluster).replace(":cluster/", ":addon/")}/${name}/${randomBytes(8).toString("hex")}`,
          },
        };
      },
      read: alive,
      update: async ({ outputs }, inputs) => {
        checkAddon(inputs);
        return { ...outputs, ...inputs };
      },
      delete: async ({ inputs }) => {
        if (inputs.addonName === EBS_ADDON && running(text(inputs, "clusterName")))
          await clusters().setDriver(arnOf(clusterOf(inputs)), EBS_DRIVER, false);
      },
    },
    [AWS.accessEntry]: {
      create: async (inputs) => {
        const cluster = clusterOf(inputs);
        const principal = required(inputs, "principalArn");
        const mode = text(first(cluster.outputs.accessConfig), "authenticationMode");
        if (mode === "CONFIG_MAP")
          throw refused(
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
          );
        if (!access.caller(principal, "check"))
          throw parameter(`The specified principalArn is invalid: invalid principal. ${principal}`);
        const id = `${cluster.id}:${principal}`;
        if (registry.get(AWS.accessEntry, id))
          throw refused(
            "ResourceInUseException",
            "The specified access entry resource is already in use on this cluster.",
            409,
          );
        if (texts(inputs, "kubernetesGroups").some((group) => group.startsWith("system:")))
          throw parameter("The kubernetes group name must not begin with system:");
        return {
          id,
          outputs: {
            ...inputs,
            accessEntryArn: `${arnOf(cluster).replace(":cluster/", ":access-entry/")}/${nameOf(principal)}`,
          },
        };
      },
      read: alive,
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
    },
    [AWS.accessPolicy]: {
      create: async (inputs) => {
        const cluster = clusterOf(inputs);
        const [principal, policy] = [required(inputs, "principalArn"), required(inputs, "policyArn")];
        if (!registry.get(AWS.accessEntry, `${cluster.id}:${principal}`))
          throw refused(
            "ResourceNotFoundException",
            "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.",
            404,
          );
        for (const binding of bindings(inputs)) await clusters().setAccess(arnOf(cluster), binding, true);
        return { id: `${cluster.id}#${principal}#${policy}`, outputs: { ...inputs } };
      },
      read: alive,
      delete: async ({ inputs }) => {
        if (!running(text(inputs, "clusterName"))) return;
        for (const binding of bindings(inputs)) await clusters().setAccess(arnOf(clusterOf(inputs)), binding, false);
      },
    },
    [AWS.podIdentity]: {
      create: async (inputs) => {
        const cluster = clusterOf(inputs);
        const [namespace, account] = [required(inputs, "namespace"), required(inputs, "serviceAccount")];
        const taken = registry
          .all(AWS.podIdentity)
          .some((other) =>
            ["clusterName", "namespace", "serviceAccount"].every((name) => other.inputs[name] === inputs[name]),
          );
        if (taken)
          throw refused(
            "ResourceInUseException",
            `Association already exists: serviceAccount ${account} in namespace ${namespace}`,
            409,
          );
        const role = text(inputs, "roleArn");
        if (!access.role(role)) throw parameter(`Role provided in the request does not exist: ${role}`);
        const associationId = `a-${randomBytes(9).toString("hex").slice(0, 17)}`;
        const outputs = {
          ...inputs,
          associationId,
          associationArn: `${arnOf(cluster).replace(":cluster/", ":podidentityassociation/")}/${associationId}`,
        };
        return { id: associationId, outputs };
      },
      read: alive,
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
    },
  };

  /** Machines start when the scaling group's role may use the keys of their disks. Source: "Required KMS key policy for use with encrypted volumes". */
  function disksOpen(region: string, account: string, inputs: Props): void {
    const template = registry.get(TEMPLATE, text(first(inputs.launchTemplate), "id"));
    const caller = access.linked(account, "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling");
    const context = {
      "kms:CallerAccount": account,
      "kms:ViaService": `ec2.${region}.amazonaws.com`,
      "kms:GrantIsForAWSResource": "true",
    };
    for (const { ebs } of (template?.inputs.blockDeviceMappings ?? []) as Props[]) {
      const key = text(first(ebs), "kmsKeyId");
      for (const action of key ? ["kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt", "kms:CreateGrant"] : []) {
        const verdict = access.onKey(caller, action, key, context);
        if (!verdict.allowed)
          throw refused(
            "AsgInstanceLaunchFailures",
            `Could not launch On-Demand Instances. Client.InternalError: Client error on launch: ${caller.arn} is not authorized to perform: ${action} on resource: ${key} ${verdict.reason}`,
          );
      }
    }
  }

  /** Whoever makes a cluster administers it, unless told otherwise. */
  async function grant(caller: string, clusterArn: string, name: string): Promise<void> {
    const policyArn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
    const inputs = { clusterName: name, principalArn: caller, policyArn, accessScope: { type: "cluster" } };
    registry.put({
      type: AWS.accessEntry,
      id: `${name}:${caller}`,
      inputs: { clusterName: name, principalArn: caller },
      outputs: {},
    });
    for (const binding of bindings(inputs)) await clusters().setAccess(clusterArn, binding, true);
  }
}

/** Groups of Kubernetes that a role has in a cluster; undefined: it is not let in. */
export function groupsIn(registry: Registry, clusterName: string, principalArn: string): string[] | undefined {
  const entry = registry.get(AWS.accessEntry, `${clusterName}:${principalArn}`);
  if (!entry) return undefined;
  const policies = registry
    .all(AWS.accessPolicy)
    .filter(({ inputs }) => inputs.clusterName === clusterName && inputs.principalArn === principalArn);
  const creator = groupOf(principalArn, "AmazonEKSClusterAdminPolicy");
  return [
    ...texts(entry.inputs, "kubernetesGroups"),
    ...policies.map(({ inputs }) => groupOf(principalArn, text(inputs, "policyArn"))),
    ...(Object.keys(entry.outputs).length === 0 ? [creator] : []),
  ];
}

/** The role that pods of an account of Kubernetes act as; undefined: none is associated. */
export function podRole(
  registry: Registry,
  clusterName: string,
  namespace: string,
  account: string,
): string | undefined {
  const declared = registry
    .all(AWS.podIdentity)
    .find(
      ({ inputs }) =>
        inputs.clusterName === clusterName && inputs.namespace === namespace && inputs.serviceAccount === account,
    );
  return declared && text(declared.inputs, "roleArn");
}

/** Drops a cluster that no longer runs, and its parts. */
export function forget(registry: Registry, name: string): void {
  for (const type of [AWS.nodeGroup, AWS.addon, AWS.accessEntry, AWS.accessPolicy, AWS.podIdentity])
    for (const { id, inputs } of registry.all(type)) if (inputs.clusterName === name) registry.remove(type, id);
  registry.remove(AWS.cluster, name);
}

function bindings(inputs: Props): ClusterAccess[] {
  const policy = nameOf(text(inputs, "policyArn"));
  const clusterRole = ACCESS_POLICIES[policy];
  if (!clusterRole)
    throw parameter(
      `The policyArn parameter format is not valid: the sandbox knows ${Object.keys(ACCESS_POLICIES).join(", ")}`,
    );
  const scope = first(inputs.accessScope);
  const group = groupOf(text(inputs, "principalArn"), policy);
  if (scope.type === "cluster") return [{ group, clusterRole }];
  const namespaces = texts(scope, "namespaces");
  if (namespaces.length === 0) throw parameter("an access scope of type namespace needs namespaces");
  return namespaces.map((namespace) => ({ group, clusterRole, namespace }));
}

function checkCluster(registry: Registry, inputs: Props, network: string): void {
  const version = text(inputs, "version");
  if (version && !VERSIONS.includes(version))
    throw parameter(`unsupported Kubernetes version ${version}; there are ${VERSIONS.join(", ")}`);
  const range = text(first(inputs.kubernetesNetworkConfig), "serviceIpv4Cidr");
  if (range && network && overlap(range, network))
    throw parameter(`The service CIDR ${range} overlaps the VPC's ${network}`);
  if (range && !["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((each) => overlap(each, range)))
    throw parameter(`The service CIDR ${range} must be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16`);
  const key = text(first(first(inputs.encryptionConfig).provider), "keyArn");
  if (key && !registry.all(AWS.key).some(({ outputs }) => outputs.arn === key))
    throw parameter(`The keyArn in encryptionConfig provider ${key} is invalid`);
  const { endpointPrivateAccess, endpointPublicAccess } = first(inputs.vpcConfig);
  if (endpointPublicAccess === false && endpointPrivateAccess !== true)
    throw parameter("Private and public endpoint access cannot be false");
}

function clusterOutputs(
  inputs: Props,
  clusterArn: string,
  issuer: string,
  started: { endpoint: string; caCertificate: string },
  vpcId: string,
): Props {
  return {
    arn: clusterArn,
    endpoint: `https://${started.endpoint}`,
    certificateAuthority: { data: Buffer.from(started.caCertificate).toString("base64") },
    certificateAuthorities: [{ data: Buffer.from(started.caCertificate).toString("base64") }],
    identities: [{ oidcs: [{ issuer }] }],
    status: "ACTIVE",
    version: text(inputs, "version") || VERSIONS.at(-1),
    platformVersion: "eks.1",
    vpcConfig: {
      endpointPublicAccess: true,
      ...first(inputs.vpcConfig),
      clusterSecurityGroupId: clusterGroup(clusterArn),
      vpcId,
    },
  };
}

function checkAddon(inputs: Props): void {
  const values = text(inputs, "configurationValues");
  if (!values) return;
  try {
    JSON.parse(values);
  } catch (error) {
    throw parameter(`ConfigurationValue provided in request is not supported: ${(error as Error).message}`);
  }
}

/** The machines of a node group, spread over the zones of its subnets. */
function nodePool(registry: Registry, inputs: Props): NodePoolSpec {
  const subnets = subnetsIn(registry, texts(inputs, "subnetIds"), 1, "InvalidParameterException");
  const template = text(first(inputs.launchTemplate), "id");
  if (template && !registry.get(TEMPLATE, template))
    throw refused("InvalidRequestException", `Launch template ${template} not found`);
  if (template && (inputs.remoteAccess || inputs.diskSize))
    throw parameter("Disk size and remote access go into the launch template");
  const { cpu, memory } = machine(texts(inputs, "instanceTypes")[0] ?? "t3.medium");
  return {
    name: text(inputs, "nodeGroupName"),
    zones: [...new Set(subnets.map(({ outputs }) => text(outputs, "availabilityZone")))],
    nodesPerZone: 0,
    nodes: Number(first(inputs.scalingConfig).desiredSize ?? 0),
    labels: (inputs.labels ?? {}) as Record<string, string>,
    taints: ((inputs.taints ?? []) as { key: string; value?: string; effect: string }[]).map(
      ({ key, value, effect }) => ({
        key,
        ...(value === undefined ? {} : { value }),
        effect: EFFECTS[effect] ?? effect,
      }),
    ),
    cpu,
    memoryBytes: memory * 2 ** 30,
  };
}

const SIZES: Record<string, number> = { nano: 2, micro: 2, small: 2, medium: 2, large: 2, xlarge: 4 };
/** GiB of memory per core by the letter of the family. */
const MEMORY: Record<string, number> = { c: 2, m: 4, t: 4, r: 8, i: 8, x: 16 };

/** Cores and memory of a machine type such as `m7i.xlarge`. */
export function machine(type: string): { cpu: number; memory: number } {
  const [, family = "", size = ""] = /^([a-z])[a-z0-9-]*\.(.+)$/.exec(type) ?? [];
  const cpu = SIZES[size] ?? Number(/^(\d+)xlarge$/.exec(size)?.[1] ?? 0) * 4;
  if (!cpu || !MEMORY[family])
    throw invalid(`The following supplied instance types do not exist: [${type}]`, "InvalidParameterException");
  return { cpu, memory: cpu * (MEMORY[family] ?? 4) };
}

/** What services say of themselves when they take a role for an account. */
function serviceContext(registry: Registry, account: string) {
  const clusters = registry.all(AWS.cluster).map(({ outputs }) => text(outputs, "arn"));
  return contextOf({ "aws:SourceAccount": account, "aws:SourceArn": clusters, "aws:PrincipalIsAWSService": "true" });
}
