/**
 * GKE's controller of network endpoint groups for one cluster: keeps the ready pods of Services with the annotation
 * `cloud.google.com/neg` in the zonal groups of the declared name. It runs with the control plane: without that, groups
 * stay as they are. Source: "Container-native load balancing through standalone zonal NEGs"; ingress-gce.
 */
import { CoreV1Api, type KubeConfig, type V1Node, type V1Pod, type V1Service } from "@kubernetes/client-node";
import { backends, targetPort } from "../nodes/services";
import { type Watched, watchAll } from "../nodes/watch";
import type { Endpoint } from "./envoy-config";

const ANNOTATION = "cloud.google.com/neg";
const SETTLE_MS = 50;

/** A pod behind a group, with the node pool whose network tags it has. */
export interface GroupEndpoint extends Endpoint {
  pool: string;
}

/** Pods by zone and name of a group. */
export type Groups = Map<string, { zone: string; name: string; endpoints: GroupEndpoint[] }>;

/** Watches a cluster; `tell` gets what its groups hold after every change. */
export class GroupController {
  private services?: Watched<V1Service>;
  private pods?: Promise<Watched<V1Pod>>;
  private nodes?: Promise<Watched<V1Node>>;
  private settle?: NodeJS.Timeout;
  private stopped = false;
  private readonly core: CoreV1Api;

  constructor(
    private readonly config: KubeConfig,
    private readonly tell: (groups: Groups) => void,
  ) {
    this.core = config.makeApiClient(CoreV1Api);
  }

  async start(): Promise<void> {
    this.services = await watchAll<V1Service>(
      this.config,
      "/api/v1/services",
      () => this.core.listServiceForAllNamespaces(),
      () => this.changed(),
    );
    this.changed();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.settle);
    const watched = await Promise.all([this.pods, this.nodes]);
    await Promise.all([this.services, ...watched].map((each) => each?.stop()));
  }

  private changed(): void {
    if (this.stopped) return;
    this.settle ??= setTimeout(() => {
      this.settle = undefined;
      void this.sync();
    }, SETTLE_MS);
  }

  /** Most clusters have no such Service, and nobody watches their pods. */
  private async sync(): Promise<void> {
    const services = [...(this.services?.list() ?? [])];
    if (!this.pods && !services.some(hasGroups)) return;
    this.pods ??= watchAll<V1Pod>(
      this.config,
      "/api/v1/pods",
      () => this.core.listPodForAllNamespaces(),
      () => this.changed(),
    );
    this.nodes ??= watchAll<V1Node>(
      this.config,
      "/api/v1/nodes",
      () => this.core.listNode(),
      () => this.changed(),
    );
    const [pods, nodes] = await Promise.all([this.pods, this.nodes]);
    if (!this.stopped) this.tell(groupsOf(services, [...pods.list()], [...nodes.list()]));
  }
}

const hasGroups = (service: V1Service) => service.metadata?.annotations?.[ANNOTATION] !== undefined;

/** What the groups hold: the pods that are ready, each in the group of its node's zone. */
export function groupsOf(services: V1Service[], pods: V1Pod[], nodes: V1Node[]): Groups {
  const groups: Groups = new Map();
  const zones = new Set(nodes.map((node) => label(node, "topology.kubernetes.io/zone")));
  for (const service of services) {
    for (const [port, name] of exposed(service)) {
      for (const zone of zones) groups.set(`${zone}/${name}`, { zone, name, endpoints: [] });
      const declared = service.spec?.ports?.find((each) => each.port === port);
      if (!declared) continue;
      for (const pod of pods) {
        const [backend] = backends(service, [pod]);
        const node = nodes.find(({ metadata }) => metadata?.name === pod.spec?.nodeName);
        const number = backend && targetPort(backend, declared.targetPort ?? port);
        if (!backend?.ready || !node || number === undefined) continue;
        groups.get(`${label(node, "topology.kubernetes.io/zone")}/${name}`)?.endpoints.push({
          address: backend.address,
          port: number,
          pool: label(node, "cloud.google.com/gke-nodepool"),
        });
      }
    }
  }
  return groups;
}

/** Ports and the names of their groups: `{"exposed_ports": {"80": {"name": "…"}}}`. Other annotations ask for other things. */
function exposed(service: V1Service): [port: number, name: string][] {
  try {
    const { exposed_ports: ports = {} } = JSON.parse(service.metadata?.annotations?.[ANNOTATION] ?? "{}") as {
      exposed_ports?: Record<string, { name?: string }>;
    };
    return Object.entries(ports).flatMap(([port, { name }]) => (name ? [[Number(port), name]] : []));
  } catch {
    return [];
  }
}

const label = (node: V1Node, name: string) => node.metadata?.labels?.[name] ?? "";
