import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { retention } from "../../plan/retention";
import { serviceTrust } from "../../plan/s3-permissions";
import type { Cluster } from "../cluster";
import { eksKubeconfig } from "../kubeconfig";
import { ClusterViewers, viewersGroup } from "./cluster-viewers";
import { EksAddons } from "./eks-addons";
import { EksNodes, type EksPoolArgs } from "./eks-nodes";

/** Arguments of {@link EksCluster}. */
export interface EksClusterArgs {
  account: string;
  region: string;
  clusterName: string;
  /** Kubernetes version, `major.minor`. */
  version: string;
  /** Subnets of machines and of the control plane's addresses, one in each zone. */
  subnets: aws.ec2.Subnet[];
  /** Range of Services. */
  serviceRange: string;
  /** Networks that may reach the control plane, CIDR, the deployer's among them. Besides them only the network itself may. */
  authorizedNetworks: string[];
  /** ARN of the role that deploys: it administers the cluster. */
  deployer: string;
  /** ARN of the role that previews: it reads what is in the cluster but Secrets. Default: nobody. */
  previewer?: string;
  secretsKey: aws.kms.Key;
  volumesKey: aws.kms.Key;
  logsKey: aws.kms.Key;
  pools: EksPoolArgs[];
  /** What machines need before they start, e.g. their routes. */
  machinesDependOn: Input<Resource>[];
  deletionProtection: boolean;
}

const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
/** EKS's own access policies. */
const accessPolicy = (name: string) => `arn:aws:eks::aws:cluster-access-policy/${name}`;

/**
 * The standby's cluster (S7), as private as the primary's (S4): machines without public addresses, a control plane for named
 * networks, access by entries of IAM roles and no ConfigMap, Secrets encrypted with a key of ours, everything logged. Pods get
 * their identities from Pod Identity, so that the account trusts no issuer; Google trusts this cluster's.
 */
export class EksCluster extends ComponentResource implements Cluster {
  readonly cloud = "aws";
  readonly clusterName: string;
  readonly arn: string;
  readonly cluster: aws.eks.Cluster;
  /** Issuer of the tokens of the cluster's Kubernetes accounts: what Google's workload identity pools are told. */
  readonly issuer: Output<string>;
  /** Security group of machines and pods. */
  readonly securityGroup: Output<string>;
  /** How a person or a program reaches the cluster with an IAM role of its own; it holds no secret. */
  readonly kubeconfig: Output<string>;
  readonly provider: k8s.Provider;
  /** Log group of the pods' logs. */
  readonly podLogs: aws.cloudwatch.LogGroup;

  constructor(name: string, args: EksClusterArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:EksCluster", name, {}, opts);
    const { clusterName, region, account, deletionProtection } = args;
    this.clusterName = clusterName;
    this.arn = `arn:aws:eks:${region}:${account}:cluster/${clusterName}`;
    const role = new aws.iam.Role(
      `${name}-role`,
      { name: `${clusterName}-cluster`, assumeRolePolicy: JSON.stringify(serviceTrust("eks.amazonaws.com")) },
      { parent: this },
    );
    const rights = new aws.iam.RolePolicyAttachment(
      `${name}-role`,
      { role: role.name, policyArn: "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" },
      { parent: this },
    );
    // Made before the cluster, which would make one without an end and a key.
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: `/aws/eks/${clusterName}/cluster`,
        retentionInDays: retention.standbyLogDays,
        kmsKeyId: args.logsKey.arn,
      },
      { parent: this },
    );
    this.cluster = new aws.eks.Cluster(
      `${name}-cluster`,
      {
        name: clusterName,
        version: args.version,
        roleArn: role.arn,
        vpcConfig: {
          subnetIds: args.subnets.map(({ id }) => id),
          endpointPrivateAccess: true,
          endpointPublicAccess: true,
          publicAccessCidrs: args.authorizedNetworks,
        },
        kubernetesNetworkConfig: { serviceIpv4Cidr: args.serviceRange, ipFamily: "ipv4" },
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
        // Add-ons are declared, all of them.
        bootstrapSelfManagedAddons: false,
        encryptionConfig: { provider: { keyArn: args.secretsKey.arn }, resources: ["secrets"] },
        enabledClusterLogTypes: logTypes,
        upgradePolicy: { supportType: "STANDARD" },
        zonalShiftConfig: { enabled: true },
        deletionProtection,
      },
      {
        parent: this,
        protect: deletionProtection,
        dependsOn: [rights, logs],
        customTimeouts: { create: "45m", update: "90m", delete: "45m" },
      },
    );
    this.issuer = this.cluster.identities.apply((identities) => identities[0]?.oidcs?.[0]?.issuer ?? "");
    this.securityGroup = this.cluster.vpcConfig.clusterSecurityGroupId;
    const access = [
      this.entry(`${name}-deployer`, args.deployer, "AmazonEKSClusterAdminPolicy"),
      ...(args.previewer
        ? [this.entry(`${name}-previewer`, args.previewer, "AmazonEKSViewPolicy", [viewersGroup])]
        : []),
    ];
    const nodes = new EksNodes(
      `${name}-nodes`,
      {
        clusterName,
        cluster: this.cluster,
        version: args.version,
        volumesKey: args.volumesKey,
        subnets: args.subnets,
        pools: args.pools,
        dependsOn: args.machinesDependOn,
      },
      { parent: this },
    );
    const addons = new EksAddons(
      `${name}-addons`,
      {
        account,
        clusterName,
        clusterArn: this.arn,
        cluster: this.cluster,
        volumesKey: args.volumesKey,
        logsKey: args.logsKey,
        nodes: nodes.pools,
      },
      { parent: this },
    );
    this.podLogs = addons.podLogs;
    this.kubeconfig = all([this.cluster.endpoint, this.cluster.certificateAuthority]).apply(([endpoint, { data }]) =>
      eksKubeconfig({
        name: clusterName,
        region,
        // EKS gives an address with its scheme.
        endpoint: (endpoint ?? "").replace(/^https:\/\//, ""),
        clusterCaCertificate: data,
      }),
    );
    this.provider = new k8s.Provider(
      `${name}-kubernetes`,
      { kubeconfig: this.kubeconfig, clusterIdentifier: this.arn },
      // Workloads start when there are machines, names and identities for them.
      { parent: this, dependsOn: [...access, nodes, addons] },
    );
    if (args.previewer) new ClusterViewers(`${name}-viewers`, { cluster: this }, { parent: this });
    this.registerOutputs({ clusterName, issuer: this.issuer });
  }

  /** Options of an object inside the cluster; when the cluster goes, the object is gone with it. */
  inside(parent: Resource): CustomResourceOptions {
    return { parent, provider: this.provider, deletedWith: this.cluster };
  }

  /** Lets an IAM role into the whole cluster with one of EKS's access policies and as a member of groups. */
  private entry(name: string, principalArn: string, policy: string, groups: string[] = []): Resource {
    const of = { clusterName: this.cluster.name, principalArn };
    const inside = { parent: this, deletedWith: this.cluster };
    const entry = new aws.eks.AccessEntry(
      name,
      { ...of, type: "STANDARD", ...(groups.length > 0 && { kubernetesGroups: groups }) },
      inside,
    );
    return new aws.eks.AccessPolicyAssociation(
      name,
      { ...of, policyArn: accessPolicy(policy), accessScope: { type: "cluster" } },
      { ...inside, dependsOn: [entry] },
    );
  }
}
