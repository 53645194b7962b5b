import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { retention } from "../../plan/retention";
import { document, podTrust } from "../../plan/s3-permissions";
import { eksAddons } from "../../plan/versions";

/** Arguments of {@link EksAddons}. */
export interface EksAddonsArgs {
  account: string;
  clusterName: string;
  clusterArn: string;
  cluster: aws.eks.Cluster;
  volumesKey: aws.kms.Key;
  logsKey: aws.kms.Key;
  /** Machines: what is no daemon waits for them. */
  nodes: Input<Resource>[];
}

/** Who of an add-on acts as a role, and what the role may do by AWS's own policies. */
interface AddonIdentity {
  namespace: string;
  account: string;
  policies: string[];
}

const identities = {
  vpcCni: { namespace: "kube-system", account: "aws-node", policies: ["AmazonEKS_CNI_Policy"] },
  ebsCsi: {
    namespace: "kube-system",
    account: "ebs-csi-controller-sa",
    policies: ["service-role/AmazonEBSCSIDriverPolicy"],
  },
  observability: {
    namespace: "amazon-cloudwatch",
    account: "cloudwatch-agent",
    policies: ["CloudWatchAgentServerPolicy"],
  },
} as const satisfies Partial<Record<keyof typeof eksAddons, AddonIdentity>>;

/** What is set of an add-on; everything else is AWS's default. */
const configuration: Partial<Record<keyof typeof eksAddons, unknown>> = {
  vpcCni: {
    // A pod that starts has its policies before it has a network.
    enableNetworkPolicy: "true",
    env: { ENABLE_PREFIX_DELEGATION: "true", WARM_PREFIX_TARGET: "1", NETWORK_POLICY_ENFORCING_MODE: "standard" },
  },
  coreDns: { replicaCount: 2, podDisruptionBudget: { enabled: true, maxUnavailable: 1 } },
  ebsCsi: { controller: { extraVolumeTags: { "iconik-cluster": "standby" } } },
  // The logs of jobs and operators; metrics of pods are not asked for.
  observability: {
    containerLogs: { enabled: true },
    agent: { config: { logs: { metrics_collected: {} } } },
  },
};

/** Add-ons that run on every machine from its start; the others need machines to run on. */
const beforeNodes: readonly (keyof typeof eksAddons)[] = ["vpcCni", "kubeProxy", "podIdentity"];

/**
 * The cluster's add-ons, each at a version that the plan names: pods' networking with network policies, names, disks, identities
 * of pods, logs. AWS serves their images, so nothing of them has to be mirrored.
 */
export class EksAddons extends ComponentResource {
  /** Log group of the pods' logs. */
  readonly podLogs: aws.cloudwatch.LogGroup;

  constructor(name: string, args: EksAddonsArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:EksAddons", name, {}, opts);
    const { cluster } = args;
    const inside = { parent: this, deletedWith: cluster };
    this.podLogs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: podLogGroup(args.clusterName),
        retentionInDays: retention.standbyLogDays,
        kmsKeyId: args.logsKey.arn,
      },
      { parent: this },
    );
    for (const key of Object.keys(eksAddons) as (keyof typeof eksAddons)[]) {
      const { name: addonName, version: addonVersion } = eksAddons[key];
      const identity: AddonIdentity | undefined = identities[key as keyof typeof identities];
      const role = identity && this.role(name, addonName, identity, args);
      const set = configuration[key];
      new aws.eks.Addon(
        `${name}-${addonName}`,
        {
          clusterName: cluster.name,
          addonName,
          addonVersion,
          // What is declared here holds, whoever changed it in the cluster.
          resolveConflictsOnCreate: "OVERWRITE",
          resolveConflictsOnUpdate: "OVERWRITE",
          ...(set !== undefined && { configurationValues: JSON.stringify(set) }),
          ...(role && { podIdentityAssociations: [{ roleArn: role.arn, serviceAccount: identity.account }] }),
        },
        { ...inside, dependsOn: beforeNodes.includes(key) ? [] : [this.podLogs, ...args.nodes] },
      );
    }
    this.registerOutputs({});
  }

  /** The role of an add-on's pods. */
  private role(name: string, addon: string, { namespace, account, policies }: AddonIdentity, args: EksAddonsArgs) {
    const role = new aws.iam.Role(
      `${name}-${addon}`,
      {
        name: `${args.clusterName}-${addon}`,
        assumeRolePolicy: JSON.stringify(podTrust(args.account, args.clusterArn, [{ namespace, name: account }])),
      },
      { parent: this },
    );
    for (const policy of policies) {
      new aws.iam.RolePolicyAttachment(
        `${name}-${addon}-${policy.split("/").at(-1)}`,
        { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` },
        { parent: this },
      );
    }
    // Disks are encrypted with a key of ours.
    if (addon === eksAddons.ebsCsi.name) {
      new aws.iam.RolePolicy(
        `${name}-${addon}-key`,
        {
          name: "volumes-key",
          role: role.name,
          policy: args.volumesKey.arn.apply((arn) => JSON.stringify(volumesKeyPolicy(arn))),
        },
        { parent: this },
      );
    }
    return role;
  }
}

/** Log group into which the pods' logs go. */
export const podLogGroup = (clusterName: string) => `/aws/containerinsights/${clusterName}/application`;

function volumesKeyPolicy(arn: string) {
  return document([
    {
      Sid: "UseTheVolumesKey",
      Effect: "Allow",
      Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      Resource: arn,
    },
    {
      Sid: "GrantItToDisks",
      Effect: "Allow",
      Action: "kms:CreateGrant",
      Resource: arn,
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
  ]);
}
