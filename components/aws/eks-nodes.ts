import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { serviceTrust } from "../../plan/s3-permissions";
import { poolLabel } from "../cluster";

/** Machines of one kind. */
export interface EksPoolArgs {
  /** Name of the pool and value of the label `iconik.io/pool`. */
  name: string;
  instanceType: string;
  diskGigabytes: number;
  /** Machines, in all zones together or in each: stores want theirs where their disks are. */
  count: { total: number } | { perZone: number };
  /** Most machines there may be while they are replaced; of `total` pools. Default: one more. */
  max?: number;
  /** Keep everything off that does not tolerate `iconik.io/pool=<name>:NoSchedule`. Default: false. */
  dedicated?: boolean;
}

/** Arguments of {@link EksNodes}. */
export interface EksNodesArgs {
  clusterName: string;
  cluster: aws.eks.Cluster;
  /** Kubernetes version of the cluster, `major.minor`; the machines' follows it. */
  version: string;
  volumesKey: aws.kms.Key;
  /** Private subnets, one in each zone. */
  subnets: aws.ec2.Subnet[];
  pools: EksPoolArgs[];
  dependsOn: Input<Resource>[];
}

/** What machines may do: join their cluster and pull images. Pods' networking and everything else have identities of their own. */
const nodePolicies = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"];

/**
 * The machines of the standby's cluster: Bottlerocket, whose root cannot be written to and which has no shell. Pods cannot
 * reach the machine's own role: the metadata service answers over one hop only and wants a session token.
 */
export class EksNodes extends ComponentResource {
  readonly pools: aws.eks.NodeGroup[];

  constructor(name: string, args: EksNodesArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:EksNodes", name, {}, opts);
    const { clusterName, cluster } = args;
    const inside = { parent: this };
    const role = new aws.iam.Role(
      `${name}-role`,
      { name: `${clusterName}-nodes`, assumeRolePolicy: JSON.stringify(serviceTrust("ec2.amazonaws.com")) },
      inside,
    );
    const rights = nodePolicies.map(
      (policy) =>
        new aws.iam.RolePolicyAttachment(
          `${name}-${policy}`,
          { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
          inside,
        ),
    );
    this.pools = args.pools.flatMap((pool) => {
      const template = new aws.ec2.LaunchTemplate(
        `${name}-${pool.name}`,
        {
          name: `${clusterName}-${pool.name}`,
          updateDefaultVersion: true,
          metadataOptions: {
            httpEndpoint: "enabled",
            httpTokens: "required",
            httpPutResponseHopLimit: 1,
            instanceMetadataTags: "disabled",
          },
          // Bottlerocket has its system on one disk, images and scratch on another.
          blockDeviceMappings: [
            { deviceName: "/dev/xvda", ebs: disk(4, args.volumesKey) },
            { deviceName: "/dev/xvdb", ebs: disk(pool.diskGigabytes, args.volumesKey) },
          ],
          monitoring: { enabled: true },
          tagSpecifications: ["instance", "volume"].map((resourceType) => ({
            resourceType,
            tags: { Name: `${clusterName}-${pool.name}` },
          })),
          userData: Buffer.from(settings).toString("base64"),
        },
        inside,
      );
      return groups(pool, args.subnets).map(
        ({ part, subnetIds, scalingConfig }) =>
          new aws.eks.NodeGroup(
            `${name}-${part}`,
            {
              clusterName: cluster.name,
              nodeGroupName: part,
              // Bottlerocket's release is the newest of it: another version replaces the machines, one after another.
              version: args.version,
              nodeRoleArn: role.arn,
              subnetIds,
              amiType: "BOTTLEROCKET_x86_64",
              capacityType: "ON_DEMAND",
              instanceTypes: [pool.instanceType],
              scalingConfig,
              updateConfig: { maxUnavailable: 1 },
              nodeRepairConfig: { enabled: true },
              launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
              labels: { [poolLabel]: pool.name },
              taints: pool.dedicated ? [{ key: poolLabel, value: pool.name, effect: "NO_SCHEDULE" }] : [],
            },
            {
              ...inside,
              // And not deleted with the cluster: EKS refuses to end one that has machines.
              dependsOn: [...rights, ...args.dependsOn],
              customTimeouts: { create: "45m", update: "90m", delete: "45m" },
            },
          ),
      );
    });
    this.registerOutputs({});
  }
}

/** Settings of Bottlerocket. Elasticsearch maps its index files into memory. */
const settings = `[settings.kernel]
lockdown = "integrity"

[settings.kernel.sysctl]
"vm.max_map_count" = "1048576"
`;

function disk(volumeSize: number, key: aws.kms.Key) {
  return { volumeSize, volumeType: "gp3", encrypted: "true", kmsKeyId: key.arn, deleteOnTermination: "true" };
}

/** The node groups of a pool: one over all zones, or one in each. A group that has no machine keeps room for one. */
function groups(pool: EksPoolArgs, subnets: aws.ec2.Subnet[]) {
  if ("total" in pool.count) {
    const { total } = pool.count;
    return [
      {
        part: pool.name,
        subnetIds: subnets.map(({ id }): Input<string> => id),
        scalingConfig: { desiredSize: total, minSize: total, maxSize: Math.max(pool.max ?? total + 1, total, 1) },
      },
    ];
  }
  const { perZone } = pool.count;
  return subnets.map(({ id }, index) => ({
    part: `${pool.name}-${index + 1}`,
    subnetIds: [id as Input<string>],
    scalingConfig: { desiredSize: perZone, minSize: perZone, maxSize: Math.max(perZone + 1, 1) },
  }));
}
