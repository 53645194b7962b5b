/**
 * Traffic: what stands behind global forwarding rules. It follows the declared resources, the pods and the network's faults;
 * nothing is configured on the side.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackendStatus, FrontEndStatus, TrafficStatus } from "../cloud/api";
import { regionOf } from "../cloud/gcp/cluster";
import { FIREWALL, NETWORK, SUBNETWORK } from "../cloud/gcp/compute";
import { named, TOKENS } from "../cloud/gcp/load-balancing";
import { TYPES } from "../cloud/iam/access";
import { authority, issue, type KeyPair } from "../lib/certificates";
import { kubeConfigOf } from "../lib/kube-config";
import { logger } from "../lib/log";
import { freePort, type ProcessTable } from "../lib/process";
import type { ClusterSpec, RunningCluster } from "../lib/types";
import { capacityOf, everySecond, Rates, type Weights, weightsOf } from "./capacity";
import { type BackendService, type Declared, declared, type FrontEnd, type Resources } from "./declaration";
import { GroupController, type GroupEndpoint, type Groups } from "./endpoint-groups";
import { Envoy, EnvoyFiles } from "./envoy";
import {
  CLIENT_REGION_HEADER,
  checkedPort,
  clusterName,
  type Endpoint,
  type EnvoyConfig,
  envoyConfig,
  regionsOf,
  type Surroundings,
} from "./envoy-config";
import { admits } from "./firewall";
import { Paths } from "./paths";
import { byDistance } from "./places";
import { Wire } from "./wire";

/** What {@link Traffic} stands on. */
export interface TrafficOptions {
  /** Folder for its files. */
  dir: string;
  /** The Envoy program. */
  envoy: string;
  processes: ProcessTable;
  resources: Resources;
}

/** Where health checks and requests come from. Source: "Firewall rules" of the external Application Load Balancer. */
const GOOGLE_RANGES = ["35.191.0.0/16", "130.211.0.0/22"];
const SETTLE_MS = 50;
/** A wire that nobody names any more carries what is under way for so long. */
const DRAIN_MS = 60_000;
const NOTHING: EnvoyConfig = { listeners: new Map(), routes: new Map(), clusters: new Map(), assignments: new Map() };

export class Traffic {
  /** Faults of the network. */
  readonly paths = new Paths();
  private readonly log = logger("traffic");
  private readonly files: EnvoyFiles;
  private readonly endpoints = new Map<string, { cluster: string; endpoints: GroupEndpoint[] }>();
  /** Clusters without power: their pods do not answer, and nobody says so. */
  private readonly dark = new Set<string>();
  private readonly wires = new Map<string, Wire>();
  /** Wires to what the declared firewall keeps packets from. */
  private readonly refused = new Set<string>();
  private readonly ports = new Map<string, number>();
  private readonly certificates = new Map<string, KeyPair>();
  private readonly said = new Set<string>();
  private ca?: KeyPair;
  private envoy?: Envoy;
  private applied: EnvoyConfig = NOTHING;
  private frontEnds: FrontEnd[] = [];
  private services: BackendService[] = [];
  private readonly rates = new Rates();
  /** How front ends spread what is more than their region takes, by the name of their cluster. */
  private weights = new Map<string, Weights>();
  private looking?: { stop(): void };
  private settle?: NodeJS.Timeout;
  private working: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly options: TrafficOptions) {
    mkdirSync(options.dir, { recursive: true });
    this.files = new EnvoyFiles(join(options.dir, "envoy"));
    this.paths.onChange(() => this.mend());
  }

  /** PEM file of the authority of every certificate, for clients. */
  get authorityFile(): string {
    return join(this.options.dir, "ca.crt");
  }

  /** Front ends that answer. */
  get served(): FrontEndStatus[] {
    return this.frontEnds.map(({ id, address, port }) => ({
      address,
      port,
      listener: `127.0.0.1:${this.ports.get(id)}`,
    }));
  }

  /** What the health checks say of every endpoint. */
  async health(): Promise<BackendStatus[]> {
    return (await this.envoy?.health()) ?? [];
  }

  async status(): Promise<TrafficStatus> {
    return {
      frontEnds: this.served,
      backends: await this.health(),
      authority: this.authorityFile,
      clientHeader: CLIENT_REGION_HEADER,
      logs: this.logs,
    };
  }

  private get logs() {
    return { requests: join(this.options.dir, "requests.log"), health: join(this.options.dir, "health.log") };
  }

  /**
   * Serves a cluster's endpoint groups until it is stopped. When it was lost, its groups keep their endpoints and packets to
   * them vanish: to be called before its processes end.
   */
  async attach(cluster: RunningCluster): Promise<{ stop(lost: boolean): Promise<void> }> {
    this.enter(cluster.spec.id);
    const controller = new GroupController(kubeConfigOf(cluster.adminKubeconfig), (groups) =>
      this.fill(cluster.spec, groups),
    );
    await controller.start();
    return {
      stop: async (lost) => {
        this.leave(cluster.spec.id, lost);
        await controller.stop();
      },
    };
  }

  /** A cluster that was lost has power again. */
  enter(clusterId: string): void {
    if (this.dark.delete(clusterId)) this.mend();
  }

  /** A cluster is gone: its pods leave their groups. Lost: they stay, and do not answer. */
  leave(clusterId: string, lost: boolean): void {
    if (lost) {
      this.dark.add(clusterId);
      return;
    }
    for (const [id, held] of this.endpoints) if (held.cluster === clusterId) this.endpoints.delete(id);
    this.changed();
  }

  /** Something was declared otherwise; follows soon. */
  changed(): void {
    if (this.stopped) return;
    this.settle ??= setTimeout(() => {
      this.settle = undefined;
      this.working = this.working.then(() => this.follow()).catch((error: Error) => this.log(error.message));
    }, SETTLE_MS);
  }

  /** Ends when everything that was declared before is in effect. */
  async settled(): Promise<void> {
    while (this.settle) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await this.working;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.settle);
    this.looking?.stop();
    await this.working;
    await this.envoy?.stop();
    await Promise.all([...this.wires.values()].map((wire) => wire.close()));
  }

  /** What a cluster's controller found; groups that are not declared, or of another network, it leaves alone. */
  fill({ id, project }: ClusterSpec, groups: Groups): void {
    const cluster = this.options.resources.all(TYPES.cluster).find((each) => each.id === id);
    for (const { zone, name, endpoints } of groups.values()) {
      const groupId = `projects/${project}/zones/${zone}/networkEndpointGroups/${name}`;
      const group = this.options.resources.all(TOKENS.group).find((each) => each.id === groupId);
      const problem = group && cluster ? this.notTakenOver(group.inputs, cluster.inputs) : "is not declared";
      if (problem) {
        if (endpoints.length > 0) this.say(`${groupId} ${problem}; its pods get no requests`);
        continue;
      }
      this.endpoints.set(groupId, { cluster: id, endpoints });
    }
    this.changed();
  }

  /** Why the controller leaves a group alone (`ensureNetworkEndpointGroup` of ingress-gce). */
  private notTakenOver(group: Record<string, unknown>, cluster: Record<string, unknown>): string | undefined {
    if (!group.description) return "has no description";
    for (const [field, type] of [
      ["network", NETWORK],
      ["subnetwork", SUBNETWORK],
    ] as const) {
      const idOf = (inputs: Record<string, unknown>) =>
        named(this.options.resources, [type], inputs[field], inputs)?.id;
      if (group[field] && idOf(group) !== idOf(cluster)) return `is of another ${field} than the cluster`;
    }
    return undefined;
  }

  private async follow(): Promise<void> {
    if (this.stopped) return;
    const found = declared(this.options.resources);
    for (const { id, reason } of found.refused) this.say(`${id} is not served: ${reason}`);
    if (found.frontEnds.length === 0 && !this.envoy) return;
    await this.prepare(found);
    const config = envoyConfig(found, this.surroundings());
    if (this.envoy) {
      const before = this.applied;
      this.applied = config;
      await this.envoy.apply(config, before);
    } else {
      this.files.writeClusters(config);
      this.files.writeListeners(config);
      this.envoy = await Envoy.start({
        files: this.files,
        binary: this.options.envoy,
        processes: this.options.processes,
      });
      this.looking = everySecond(() => this.look());
    }
    this.mend();
    this.applied = config;
    this.frontEnds = found.frontEnds;
    this.services = found.services;
    this.dropWires(found.services);
  }

  /** Compares what comes with what regions take, and spreads it otherwise when that has changed. */
  private async look(): Promise<void> {
    if (!this.envoy) return;
    this.rates.add(performance.now(), await this.envoy.requests());
    const health = await this.health();
    const weights = new Map<string, Weights>();
    for (const service of this.services) {
      const regions = regionsOf(service);
      const demands = regions.map((near) => ({
        near,
        order: byDistance(near, regions),
        rate: this.rates.of(clusterName(service, near)),
      }));
      const capacity = capacityOf(service, regionOf, (group) => {
        const named = new Set(this.endpointsOf(group).map(({ address, port }) => `${address}:${port}`));
        const good = health.filter((each) => each.healthy && !each.ejected && named.has(each.endpoint));
        return new Set(good.map(({ endpoint }) => endpoint)).size;
      });
      for (const [near, each] of weightsOf(demands, capacity)) weights.set(clusterName(service, near), each);
    }
    const text = (all: Map<string, Weights>) => JSON.stringify([...all].map(([name, each]) => [name, [...each]]));
    if (text(weights) === text(this.weights)) return;
    this.weights = weights;
    this.changed();
  }

  /** Makes what the configuration names: ports, certificates, wires. */
  private async prepare({ frontEnds, services }: Declared): Promise<void> {
    for (const { id } of frontEnds) if (!this.ports.has(id)) this.ports.set(id, await freePort());
    for (const domains of frontEnds.flatMap(({ tls }) => tls?.certificates ?? []).map((each) => each.domains)) {
      const key = domains.join(",");
      this.ca ??= await this.ownAuthority();
      if (!this.certificates.has(key))
        this.certificates.set(key, await issue(this.ca, { commonName: domains[0] ?? "", dnsNames: domains }));
    }
    for (const { from, group, endpoint, port } of this.ways(services)) {
      const key = wireKey(from, group.id, endpoint, port);
      if (this.admitted(group.id, group.network, endpoint, port)) this.refused.delete(key);
      else this.refused.add(key);
      if (this.wires.has(key)) continue;
      const to = regionOf(group.zone);
      const cluster = this.endpoints.get(group.id)!.cluster;
      const wire = await Wire.start({
        target: { host: endpoint.address, port },
        delayMs: () => this.paths.delayMs(from, to),
        open: () => this.paths.open(from, to) && !this.dark.has(cluster) && !this.refused.has(key),
      });
      this.wires.set(key, wire);
    }
  }

  /** Every way from front ends to an endpoint's port. */
  private ways(services: readonly BackendService[]) {
    return services.flatMap((service) => {
      const regions = [...new Set(service.groups.map(({ zone }) => regionOf(zone)))];
      return regions.flatMap((from) =>
        service.groups.flatMap((group) =>
          this.endpointsOf(group.id).flatMap((endpoint) =>
            [...new Set([endpoint.port, checkedPort(service, endpoint)])].map((port) => ({
              from,
              group,
              endpoint,
              port,
            })),
          ),
        ),
      );
    });
  }

  private dropWires(services: readonly BackendService[]): void {
    const keep = new Set(
      this.ways(services).map(({ from, group, endpoint, port }) => wireKey(from, group.id, endpoint, port)),
    );
    for (const [key, wire] of this.wires) {
      if (keep.has(key)) continue;
      this.wires.delete(key);
      this.refused.delete(key);
      void wire.close(DRAIN_MS);
    }
  }

  private endpointsOf(group: string): GroupEndpoint[] {
    return this.endpoints.get(group)?.endpoints ?? [];
  }

  /** Firewall rules are for machines, and so for the pods on them: both of Google's ranges have to be let in. */
  private admitted(group: string, network: string, endpoint: GroupEndpoint, port: number): boolean {
    const { resources } = this.options;
    const cluster = this.endpoints.get(group)?.cluster;
    const pool = resources.all(TYPES.nodePool).find(({ id }) => id === `${cluster}/nodePools/${endpoint.pool}`);
    const { tags = [] } = (pool?.inputs.nodeConfig ?? {}) as { tags?: string[] };
    const rules = resources.all(FIREWALL).map(({ inputs }) => ({
      network: named(resources, [NETWORK], inputs.network, inputs)?.id ?? "",
      inputs,
    }));
    return GOOGLE_RANGES.every((source) => admits(rules, { network, tags, source, port }));
  }

  private surroundings(): Surroundings {
    return {
      endpoints: (group) => this.endpointsOf(group),
      reach: (from, group, endpoint, port) => this.wires.get(wireKey(from, group, endpoint, port))!.end,
      weights: (service, near) => this.weights.get(clusterName(service, near)),
      listener: ({ id }) => this.ports.get(id)!,
      certificate: (domains) => this.certificates.get(domains.join(","))!,
      logs: this.logs,
      file: (kind, name) => this.files.path(kind, name),
    };
  }

  private async ownAuthority(): Promise<KeyPair> {
    const key = join(this.options.dir, "ca.key");
    if (existsSync(key))
      return { certificate: readFileSync(this.authorityFile, "utf8"), key: readFileSync(key, "utf8") };
    const made = await authority("sandbox public certificates");
    writeFileSync(this.authorityFile, made.certificate);
    writeFileSync(key, made.key, { mode: 0o600 });
    return made;
  }

  private mend(): void {
    for (const wire of this.wires.values()) wire.mend();
  }

  /** Once. */
  private say(problem: string): void {
    if (this.said.has(problem)) return;
    this.said.add(problem);
    this.log(problem);
  }
}

const wireKey = (from: string, group: string, { address }: Endpoint, port: number) =>
  `${from} ${group} ${address}:${port}`;
