/** What the namespaces of a site's and the vault's clusters do on the network. */
import { inNamespace, type NamespaceTraffic, type Peers, storeClients } from "../components/network-rules";
import type { RegionRanges } from "../plan/addresses";
import { canary } from "../plan/canary";
import { freshnessPort } from "../plan/freshness";
import { namespaces } from "../plan/names";
import { ports } from "../plan/ports";
import { standbyRanges } from "../plan/standby";
import { frontPort } from "../plan/traffic";

const blocks = (ranges: string[]) => ranges.map((cidr) => ({ ipBlock: { cidr } }));
/** Nobody is no rule: a rule without peers would let everybody in. */
const rule = (ranges: string[], ...numbers: number[]): Peers[] =>
  ranges.length === 0 ? [] : [{ peers: blocks(ranges), ports: numbers }];

/** GKE's managed collection reads these ports. */
const scraped = (...numbers: number[]): Peers => ({ peers: [inNamespace("gmp-system")], ports: numbers });

/** The pods that write canaries, and no other of their namespace. */
const canaries = {
  ...inNamespace(namespaces.dr),
  podSelector: { matchLabels: { "app.kubernetes.io/component": "canary" } },
};

const operators: Record<string, NamespaceTraffic> = {
  [namespaces.certManager]: { webhook: ports.certManagerWebhook, from: [scraped(ports.certManagerMetrics)] },
  [namespaces.onepassword]: { publicHttps: true },
};

/** A region's cluster; `others` are the site's other regions. */
export function regionTraffic(others: RegionRanges[], control: RegionRanges): Record<string, NamespaceTraffic> {
  const peers = others.map(({ pods }) => pods);
  return {
    ...operators,
    [namespaces.elasticOperator]: {
      to: [{ peers: [inNamespace(namespaces.elasticsearch)], ports: [ports.elasticsearchHttp] }],
    },
    [namespaces.cassandra]: {
      within: [ports.cassandraInternode, ports.cassandraCql, ports.cassandraManagement, ports.medusa],
      webhook: ports.operatorWebhook,
      publicHttps: true,
      from: [
        { peers: [storeClients, canaries], ports: [ports.cassandraCql] },
        scraped(ports.cassandraMetrics, ports.reaperAdmin),
        ...rule([control.pods], ports.cassandraManagement),
        ...rule(peers, ports.cassandraInternode),
      ],
      to: rule(peers, ports.cassandraInternode),
    },
    [namespaces.elasticsearch]: {
      within: [ports.elasticsearchHttp, ports.elasticsearchTransport],
      publicHttps: true,
      from: [
        { peers: [inNamespace(namespaces.elasticOperator), storeClients, canaries], ports: [ports.elasticsearchHttp] },
      ],
    },
    [namespaces.dr]: {
      publicHttps: true,
      from: [scraped(canary.port)],
      to: [
        { peers: [inNamespace(namespaces.cassandra)], ports: [ports.cassandraCql] },
        { peers: [inNamespace(namespaces.elasticsearch)], ports: [ports.elasticsearchHttp] },
      ],
    },
  };
}

/** The control cluster, whose operator works in every region's cluster. */
export function controlTraffic(regions: RegionRanges[]): Record<string, NamespaceTraffic> {
  return {
    ...operators,
    [namespaces.cassandra]: {
      webhook: ports.operatorWebhook,
      to: [
        ...rule(
          regions.map(({ nodes }) => nodes),
          ports.https,
        ),
        ...rule(
          regions.map(({ pods }) => pods),
          ports.cassandraManagement,
        ),
      ],
    },
  };
}

/** The vault's cluster: copy jobs call storage and nobody calls them; how fresh copies are is scraped. */
export const vaultTraffic: Record<string, NamespaceTraffic> = {
  [namespaces.dr]: { publicHttps: true, from: [scraped(freshnessPort)] },
};

/** The standby's cluster, which is all of a site in one: stores, their operators and the copier. */
export const standbyTraffic: Record<string, NamespaceTraffic> = {
  [namespaces.certManager]: { webhook: ports.certManagerWebhook },
  [namespaces.onepassword]: { publicHttps: true },
  [namespaces.loadBalancer]: { webhook: ports.operatorWebhook, publicHttps: true },
  [namespaces.elasticOperator]: {
    to: [{ peers: [inNamespace(namespaces.elasticsearch)], ports: [ports.elasticsearchHttp] }],
  },
  [namespaces.cassandra]: {
    within: [ports.cassandraInternode, ports.cassandraCql, ports.cassandraManagement, ports.medusa],
    webhook: ports.operatorWebhook,
    publicHttps: true,
    from: [{ peers: [storeClients], ports: [ports.cassandraCql] }],
  },
  [namespaces.elasticsearch]: {
    within: [ports.elasticsearchHttp, ports.elasticsearchTransport],
    publicHttps: true,
    from: [{ peers: [inNamespace(namespaces.elasticOperator), storeClients], ports: [ports.elasticsearchHttp] }],
  },
  [namespaces.dr]: { publicHttps: true },
};

/** Beside the services' own policies: names and tokens as EKS has them, and the load balancer in its subnets. */
export const standbyServicesTraffic: Record<string, NamespaceTraffic> = {
  [namespaces.services]: { from: rule([...standbyRanges.public], frontPort) },
};
