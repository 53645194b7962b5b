/** Services of one cluster: their endpoints from pods and selectors, their names, and a TCP forwarder per cluster IP. */
import { connect, createServer, type Server } from "node:net";
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import type { Log } from "../lib/log";
import type { ClusterSpec } from "../lib/types";
import type { HostsFiles, ServiceRecord } from "./hosts";

/**
 * Addresses of a headless Service without a selector, separated by commas. Elsewhere they would be in Endpoints, but the
 * API refuses loopback addresses there.
 */
export const ADDRESSES_ANNOTATION = "meta.sandbox/addresses";

/** A pod as Services see it. */
export interface Backend {
  pod: V1Pod;
  address: string;
  ready: boolean;
  hostname?: string;
  subdomain?: string;
  /** Container ports by name. */
  ports: Record<string, number>;
}

export class Services {
  private readonly listeners = new Map<string, { server: Server; targets: () => { host: string; port: number }[] }>();
  private rotation = 0;

  constructor(
    private readonly spec: ClusterSpec,
    private readonly hosts: HostsFiles,
    private readonly log: Log,
  ) {}

  /** Brings names and forwarders in line with the cluster's Services and pods. */
  update(services: V1Service[], pods: V1Pod[]): void {
    this.hosts.update(
      this.spec,
      services.map((service) => record(service, pods)),
    );
    const wanted = new Set<string>();
    for (const service of services) {
      const clusterIP = service.spec?.clusterIP;
      if (!clusterIP || clusterIP === "None") continue;
      for (const port of service.spec?.ports ?? []) {
        if ((port.protocol ?? "TCP") !== "TCP") continue;
        const key = `${clusterIP}:${port.port}`;
        wanted.add(key);
        const targets = () =>
          backends(service, pods)
            .filter((backend) => backend.ready)
            .map((backend) => ({ host: backend.address, port: targetPort(backend, port.targetPort ?? port.port) }))
            .filter((target): target is { host: string; port: number } => target.port !== undefined);
        const listener = this.listeners.get(key);
        if (listener) listener.targets = targets;
        else this.listen(key, clusterIP, port.port, targets);
      }
    }
    for (const [key, { server }] of this.listeners) {
      if (wanted.has(key)) continue;
      server.close();
      this.listeners.delete(key);
    }
  }

  close(): void {
    for (const { server } of this.listeners.values()) server.close();
    this.listeners.clear();
  }

  private listen(key: string, host: string, port: number, targets: () => { host: string; port: number }[]): void {
    const server = createServer((client) => {
      const candidates = this.listeners.get(key)?.targets() ?? [];
      const target = candidates[this.rotation++ % Math.max(candidates.length, 1)];
      if (!target) return client.destroy();
      const upstream = connect(target);
      client.pipe(upstream).pipe(client);
      client.on("error", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
      return undefined;
    });
    server.on("error", (error) => this.log(`Service address ${key}: ${error.message}`));
    server.listen(port, host);
    this.listeners.set(key, { server, targets });
  }
}

/** Does a condition of a pod hold? */
export function isTrue({ status }: V1Pod, condition: string): boolean {
  return (status?.conditions ?? []).some(({ type, status }) => type === condition && status === "True");
}

/** Pods that a Service selects and that have an address. Finished and unselected pods are none. */
export function backends(service: V1Service, pods: V1Pod[]): Backend[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  if (selector.length === 0) return [];
  return pods
    .filter(
      (pod) =>
        pod.metadata?.namespace === service.metadata?.namespace &&
        pod.status?.podIP &&
        pod.status.phase === "Running" &&
        selector.every(([key, value]) => pod.metadata?.labels?.[key] === value),
    )
    .map((pod) => ({
      pod,
      address: pod.status?.podIP ?? "",
      ready: !pod.metadata?.deletionTimestamp && isTrue(pod, "Ready"),
      hostname: pod.spec?.hostname,
      subdomain: pod.spec?.subdomain,
      ports: Object.fromEntries(
        (pod.spec?.containers ?? []).flatMap((container) =>
          (container.ports ?? []).flatMap((port): [string, number][] =>
            port.name ? [[port.name, port.containerPort]] : [],
          ),
        ),
      ),
    }));
}

/** The names and addresses of a Service. Pods that are not ready have none unless publishNotReadyAddresses. */
export function record(service: V1Service, pods: V1Pod[]): ServiceRecord {
  const clusterIP = service.spec?.clusterIP;
  const headless = clusterIP === "None";
  const published = backends(service, pods).filter(
    (backend) => backend.ready || service.spec?.publishNotReadyAddresses,
  );
  const declared = service.metadata?.annotations?.[ADDRESSES_ANNOTATION]?.split(",").filter(Boolean) ?? [];
  return {
    namespace: service.metadata?.namespace ?? "",
    name: service.metadata?.name ?? "",
    headless,
    addresses: headless ? [...published.map((backend) => backend.address), ...declared] : clusterIP ? [clusterIP] : [],
    pods: published.flatMap((backend) =>
      backend.hostname && backend.subdomain === service.metadata?.name
        ? [{ hostname: backend.hostname, address: backend.address }]
        : [],
    ),
  };
}

/** A target port's number at one pod; a name is looked up among the pod's own container ports. */
export function targetPort(backend: Backend, port: string | number): number | undefined {
  if (typeof port === "number") return port;
  return /^\d+$/.test(port) ? Number(port) : backend.ports[port];
}
