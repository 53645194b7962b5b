import type * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { namespaces } from "../../plan/names";
import { document, type PolicyDocument } from "../../plan/s3-permissions";
import { charts } from "../../plan/versions";
import { withImages } from "../operator-images";
import { restricted } from "../operators";
import type { EksCluster } from "./eks-cluster";
import { associate, podRole } from "./pod-identity";

/** Arguments of {@link LoadBalancerController}. */
export interface LoadBalancerControllerArgs {
  account: string;
  region: string;
  cluster: EksCluster;
  vpc: aws.ec2.Vpc;
  /** OCI repository of the charts. */
  repository: string;
  /** Repository that mirrors the images. */
  mirror: string;
  /** Name of the target group; the controller changes no other one's targets. */
  targetGroup: string;
}

const account = "aws-load-balancer-controller";

/**
 * AWS's controller for load balancers, which keeps pods in the target group that the stack has made and does nothing else: it
 * may make no load balancer, no group and no rule. Objects that would want one stay without.
 */
export class LoadBalancerController extends ComponentResource {
  /** TargetGroupBinding works from then on. */
  readonly release: Resource;

  constructor(name: string, args: LoadBalancerControllerArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:LoadBalancerController", name, {}, opts);
    const { cluster } = args;
    const user = { namespace: namespaces.loadBalancer, name: account };
    const role = podRole(name, this, {
      account: args.account,
      cluster,
      roleName: `${cluster.clusterName}-load-balancer-controller`,
      description: "keeps pods in the target group of the standby's load balancer",
      users: [user],
      policy: controllerPolicy(args),
    });
    const associations = associate(name, this, cluster, role, [user]);
    this.release = new k8s.helm.v3.Release(
      `${name}-${charts.awsLoadBalancer.name}`,
      {
        name: charts.awsLoadBalancer.name,
        chart: `${args.repository}/${charts.awsLoadBalancer.name}`,
        version: charts.awsLoadBalancer.version,
        namespace: user.namespace,
        values: withImages("awsLoadBalancer", args.mirror, {
          clusterName: cluster.clusterName,
          region: args.region,
          // It could not ask the machine: pods do not reach the metadata service.
          vpcId: args.vpc.id as Input<string>,
          serviceAccount: { create: true, name: account },
          replicaCount: 2,
          // In place of the chart's own, which a restricted namespace refuses; the group reads the account's token.
          podSecurityContext: { ...restricted.podSecurityContext, fsGroup: 65534 },
          securityContext: { ...restricted.securityContext, readOnlyRootFilesystem: true, runAsNonRoot: true },
          enableServiceMutatorWebhook: false,
          createIngressClassResource: false,
          ingressClassConfig: { default: false },
          enableShield: false,
          enableWaf: false,
          enableWafv2: false,
          enableBackendSecurityGroup: false,
          // The stack's own rules let the load balancer in.
          disableRestrictedSecurityGroupRules: true,
          podDisruptionBudget: { maxUnavailable: 1 },
        }),
        atomic: true,
        timeout: 600,
      },
      { ...cluster.inside(this), dependsOn: associations },
    );
    this.registerOutputs({});
  }
}

/** Looks at targets everywhere, which AWS cannot narrow; changes those of one group. */
export function controllerPolicy({
  account: own,
  region,
  targetGroup,
}: Pick<LoadBalancerControllerArgs, "account" | "region" | "targetGroup">): PolicyDocument {
  return document([
    {
      Sid: "Look",
      Effect: "Allow",
      Action: [
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:DescribeTags",
      ],
      Resource: "*",
    },
    {
      Sid: "TargetsOfTheFront",
      Effect: "Allow",
      Action: ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
      Resource: `arn:aws:elasticloadbalancing:${region}:${own}:targetgroup/${targetGroup}/*`,
    },
  ]);
}
