/** Load balancers as they are declared. Source: "Elastic Load Balancing API reference". */
import { randomBytes } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { issued } from "./acm";
import { accountOf, arn, parseArn } from "./arn";
import { required, texts } from "./checks";
import { subnetsIn } from "./ec2";
import { AWS } from "./types";

/** Type tokens. */
export const LB = {
  balancer: "aws:lb/loadBalancer:LoadBalancer",
  group: "aws:lb/targetGroup:TargetGroup",
  listener: "aws:lb/listener:Listener",
  rule: "aws:lb/listenerRule:ListenerRule",
} as const;

const refused = (code: string, message: string) => new CloudError(400, code, message);

/** Behaviours by type token. */
export function elbBehaviours(registry: Registry): Record<string, Behaviour> {
  const one = (type: string, id: string, code: string, what: string) => {
    if (!registry.get(type, id)) throw refused(code, `One or more ${what} not found: ${id}`);
  };
  const targets = (actions: unknown) => {
    for (const action of (actions ?? []) as Props[])
      if (action.targetGroupArn) one(LB.group, text(action, "targetGroupArn"), "TargetGroupNotFound", "target groups");
  };
  const certificate = (inputs: Props) => {
    const id = text(inputs, "certificateArn");
    if (!id) return;
    const found = registry.get(AWS.certificate, id);
    if (!found) throw refused("CertificateNotFound", `Certificate '${id}' not found`);
    if (!issued(registry, id))
      throw refused(
        "UnsupportedCertificate",
        `The certificate '${id}' must have a fully-qualified domain name, a supported signature, and a supported key size, and be issued.`,
      );
  };
  return {
    [LB.balancer]: {
      create: async (inputs, caller) => {
        const name = required(inputs, "name");
        if (
          registry.all(LB.balancer).some((other) => other.inputs.name === name && other.inputs.region === inputs.region)
        )
          throw refused("DuplicateLoadBalancerName", `A load balancer with the name '${name}' already exists`);
        const subnets = subnetsIn(
          registry,
          texts(inputs, "subnets"),
          inputs.loadBalancerType === "network" ? 1 : 2,
          "ValidationError",
        );
        const logs = inputs.accessLogs as { bucket?: string; enabled?: boolean } | undefined;
        if (logs?.enabled && !registry.get(AWS.bucketPolicy, text(logs as Props, "bucket")))
          throw refused(
            "InvalidConfigurationRequest",
            `Access Denied for bucket: ${logs.bucket}. Please check S3bucket permission`,
          );
        const kind = inputs.loadBalancerType === "network" ? "net" : "app";
        const id = arn(
          "elasticloadbalancing",
          text(inputs, "region"),
          accountOf(caller),
          `loadbalancer/${kind}/${name}/${randomBytes(8).toString("hex")}`,
        );
        const outputs = {
          ...inputs,
          arn: id,
          arnSuffix: parseArn(id)?.resource.replace("loadbalancer/", ""),
          dnsName: `${name}-${Date.now() % 1_000_000_000}.${inputs.region}.elb.amazonaws.com`,
          zoneId: `Z${randomBytes(6).toString("hex").toUpperCase()}`,
          vpcId: subnets[0]?.inputs.vpcId,
        };
        return { id, outputs };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
    },
    [LB.group]: {
      create: async (inputs, caller) => {
        const name = required(inputs, "name");
        if (registry.all(LB.group).some((other) => other.inputs.name === name && other.inputs.region === inputs.region))
          throw refused("DuplicateTargetGroupName", `A target group with the name '${name}' already exists`);
        const check = (inputs.healthCheck ?? {}) as Props;
        if (Number(check.timeout ?? 5) >= Number(check.interval ?? 30))
          throw refused(
            "ValidationError",
            `Health check interval must be greater than the timeout: ${check.interval} and ${check.timeout}`,
          );
        const id = arn(
          "elasticloadbalancing",
          text(inputs, "region"),
          accountOf(caller),
          `targetgroup/${name}/${randomBytes(8).toString("hex")}`,
        );
        return { id, outputs: { ...inputs, arn: id, arnSuffix: parseArn(id)?.resource } };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      delete: async ({ id }) => {
        const used = registry.some(
          ({ type, inputs }) => (type === LB.listener || type === LB.rule) && JSON.stringify(inputs).includes(id),
        );
        if (used) throw refused("ResourceInUse", `Target group '${id}' is currently in use by a listener or a rule`);
      },
    },
    [LB.listener]: {
      create: async (inputs) => {
        const balancer = required(inputs, "loadBalancerArn");
        one(LB.balancer, balancer, "LoadBalancerNotFound", "load balancers");
        if (
          registry
            .all(LB.listener)
            .some((other) => other.inputs.loadBalancerArn === balancer && other.inputs.port === inputs.port)
        )
          throw refused("DuplicateListener", `A listener already exists on port ${inputs.port} of the load balancer`);
        certificate(inputs);
        targets(inputs.defaultActions);
        const id = `${balancer.replace(":loadbalancer/", ":listener/")}/${randomBytes(8).toString("hex")}`;
        return { id, outputs: { ...inputs, arn: id } };
      },
      update: async ({ outputs }, inputs) => {
        certificate(inputs);
        targets(inputs.defaultActions);
        return { ...outputs, ...inputs };
      },
    },
    [LB.rule]: {
      create: async (inputs) => {
        const listener = required(inputs, "listenerArn");
        one(LB.listener, listener, "ListenerNotFound", "listeners");
        if (
          registry
            .all(LB.rule)
            .some((other) => other.inputs.listenerArn === listener && other.inputs.priority === inputs.priority)
        )
          throw refused("PriorityInUse", `Priority '${inputs.priority}' is currently in use`);
        targets(inputs.actions);
        const id = `${listener.replace(":listener/", ":listener-rule/")}/${randomBytes(8).toString("hex")}`;
        return { id, outputs: { ...inputs, arn: id } };
      },
      update: async ({ outputs }, inputs) => {
        targets(inputs.actions);
        return { ...outputs, ...inputs };
      },
    },
  };
}
