import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { ports } from "../plan/ports";
import type { Cluster } from "./cluster";
import { basics, inNamespace, type NamespaceTraffic, type Peers, policyRule, publicHttps } from "./network-rules";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  cluster: Cluster;
  /** Range of the cluster's machines, where its control plane has its address too. */
  nodes: string;
  /**
   * Address of the API server's Service. The VPC CNI judges a connection before that is translated, and the Service has no pods to
   * select; Dataplane V2 judges afterwards. Default: judged afterwards.
   */
  apiService?: string;
  /** What pods of each namespace do beyond names, tokens and their own API server, which all may ask for. */
  namespaces: Record<string, NamespaceTraffic>;
  /** Namespaces whose manifests bring policies of their own: what the cloud needs beside them. Default: nothing. */
  beside?: Record<string, NamespaceTraffic>;
}

/**
 * What pods may say to whom (S1, S3): nothing, but for what is listed. Dataplane V2 enforces it, on EKS the VPC CNI. Each namespace has a policy that
 * denies, and one with everything that is allowed.
 */
export class NetworkPolicies extends ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:NetworkPolicies", name, {}, opts);
    const inside = args.cluster.inside(this);
    const policy = (namespace: string, policyName: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${namespace}-${policyName}`,
        { metadata: { name: policyName, namespace }, spec },
        inside,
      );
    for (const [namespace, traffic] of Object.entries(args.namespaces)) {
      policy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
      policy(namespace, "allowed", allowed(traffic, args.nodes, args.cluster.cloud, args.apiService));
    }
    for (const [namespace, traffic] of Object.entries(args.beside ?? {}))
      policy(namespace, "cloud", allowed(traffic, args.nodes, args.cluster.cloud, args.apiService));
    this.registerOutputs({});
  }
}

/** The policy of a namespace with everything that its pods may do. */
export function allowed(
  traffic: NamespaceTraffic,
  nodes: string,
  cloud: Cluster["cloud"] = "google",
  apiService?: string,
): k8s.types.input.networking.v1.NetworkPolicySpec {
  const within: Peers[] = traffic.within ? [{ peers: [inNamespace()], ports: traffic.within }] : [];
  const webhooks: Peers[] = traffic.webhook
    ? // The API server calls from its address or through its agents in kube-system.
      [{ peers: [{ ipBlock: { cidr: nodes } }, inNamespace("kube-system")], ports: [traffic.webhook] }]
    : [];
  const outside: Peers[] = traffic.publicHttps ? [{ peers: [publicHttps], ports: [ports.https] }] : [];
  return {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress: [...within, ...webhooks, ...(traffic.from ?? [])].map((each) => policyRule("from", each)),
    egress: [
      ...basics(nodes, cloud, apiService),
      ...[...within, ...outside, ...(traffic.to ?? [])].map((each) => policyRule("to", each)),
    ],
  };
}
