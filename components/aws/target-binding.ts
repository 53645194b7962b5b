import type * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { namespaces } from "../../plan/names";
import type { EksCluster } from "./eks-cluster";

/** Arguments of {@link TargetBinding}. */
export interface TargetBindingArgs {
  cluster: EksCluster;
  targetGroup: aws.lb.TargetGroup;
}

const front = "front";

/**
 * Condition of a front's pod: the load balancer has it as a healthy target. The controller keeps it in pods that name it as a
 * readiness gate, whoever wrote the gate there: its webhook, which would have to live for a pod to be made, is not needed.
 * Source: "Pod readiness gate" of the AWS Load Balancer Controller.
 */
export const targetHealthy = `target-health.elbv2.k8s.aws/${front}`;

/**
 * Brings the front's pods into the load balancer's target group, and out of it when they leave. It may be there before them,
 * and has to be before a pod waits for {@link targetHealthy}.
 */
export class TargetBinding extends ComponentResource {
  constructor(name: string, args: TargetBindingArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:TargetBinding", name, {}, opts);
    new k8s.apiextensions.CustomResource(
      `${name}-binding`,
      {
        apiVersion: "elbv2.k8s.aws/v1beta1",
        kind: "TargetGroupBinding",
        metadata: { name: front, namespace: namespaces.services },
        spec: {
          serviceRef: { name: front, port: 80 },
          targetGroupARN: args.targetGroup.arn,
          targetType: "ip",
        },
      },
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}
