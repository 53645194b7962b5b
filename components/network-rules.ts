/** Parts of network policies, and what the plan's namespaces do on the network. */
import type * as k8s from "@pulumi/kubernetes";
import { local, ports, privateRanges } from "../plan/ports";
import type { Cluster } from "./cluster";

type Peer = k8s.types.input.networking.v1.NetworkPolicyPeer;
type Port = k8s.types.input.networking.v1.NetworkPolicyPort;

/** Who, on which TCP ports. */
export interface Peers {
  peers: Peer[];
  ports: number[];
}

/** What the pods of a namespace do on the network. */
export interface NamespaceTraffic {
  /** Ports on which they serve each other. Default: none. */
  within?: number[];
  /** Port of an admission webhook among them. Default: none. */
  webhook?: number;
  /** They call Google's APIs or 1Password. Default: false. */
  publicHttps?: boolean;
  /** Who else calls them. Default: nobody. */
  from?: Peers[];
  /** Whom else they call. Default: nobody. */
  to?: Peers[];
}

/** On a namespace: its pods use both stores. */
export const storeClientLabel = "iconik.io/store-client";

/** Pods of a namespace by its name; of the policy's own without one. */
export function inNamespace(name?: string): Peer {
  return name === undefined
    ? { podSelector: {} }
    : { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

/** Pods that use the stores. */
export const storeClients: Peer = { namespaceSelector: { matchLabels: { [storeClientLabel]: "true" } } };

/** Google's APIs and other public services; their addresses change, so that only private ones are left out. */
export const publicHttps: Peer = { ipBlock: { cidr: "0.0.0.0/0", except: [...privateRanges] } };

/** A rule of a policy. */
export function policyRule<D extends "from" | "to">(direction: D, { peers, ports: numbers }: Peers) {
  return { [direction]: peers, ports: numbers.map((port) => ({ protocol: "TCP", port })) };
}

/**
 * Names, the tokens of the pods' identities, and the cluster's own API server: in the machines' range, and at the address of
 * its Service where that is judged.
 */
export function basics(nodes: string, cloud: Cluster["cloud"] = "google", apiService?: string): Egress[] {
  return [
    ...namesAndTokens[cloud],
    {
      to: [...block(nodes), ...(apiService === undefined ? [] : block(`${apiService}/32`))],
      ports: [{ protocol: "TCP", port: ports.https }],
    },
  ];
}

interface Egress {
  to: Peer[];
  ports: Port[];
}

const block = (cidr: string) => [{ ipBlock: { cidr } }];
const names: Port[] = [
  { protocol: "UDP", port: ports.dns },
  { protocol: "TCP", port: ports.dns },
];

const namesAndTokens: Record<Cluster["cloud"], Egress[]> = {
  google: [
    { to: block(local.metadata.address), ports: [...names, { protocol: "TCP", port: local.metadata.port }] },
    {
      to: block(local.gkeMetadata.address),
      ports: local.gkeMetadata.ports.map((port) => ({ protocol: "TCP", port })),
    },
  ],
  aws: [
    { to: [inNamespace("kube-system")], ports: names },
    { to: block(local.podIdentity.address), ports: [{ protocol: "TCP", port: local.podIdentity.port }] },
  ],
};
