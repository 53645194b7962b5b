/** Starts and stops clusters: a control plane and a node agent each, over one etcd. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { kubeConfigOf } from "../lib/kube-config";
import type { Log } from "../lib/log";
import { logger } from "../lib/log";
import type { ProcessTable } from "../lib/process";
import {
  CloudError,
  type ClusterAccess,
  type ClusterManager,
  type ClusterSpec,
  type ImageTable,
  type NodeAgent,
  type NodePoolSpec,
  type PodIdentities,
  type RunningCluster,
} from "../lib/types";
import { Agent } from "../nodes/agent";
import { HostsFiles } from "../nodes/hosts";
import { ControlPlane, type ControlPlaneBinaries } from "./control-plane";
import { type ClusterCredentials, clusterCredentials } from "./credentials";
import { setAccess, setDriver } from "./eks";
import { type Etcd, startEtcd } from "./etcd";
import { installManagedPrometheus } from "./managed-prometheus";
import { LoopbackNetworks } from "./networks";
import { createStorageClasses, registerNodes, removeNodes } from "./nodes";

export interface ClusterManagerOptions {
  /** State folder of the sandbox. */
  dir: string;
  binaries: ControlPlaneBinaries & { etcd: string; bwrap: string };
  processes: ProcessTable;
  identities: PodIdentities;
  images: ImageTable;
  /** Called when a cluster runs and its agent is ready; what it returns is stopped before the cluster is. */
  onStart(cluster: RunningCluster, agent: NodeAgent, resolve: (host: string) => string[]): Promise<Attached>;
}

/** What follows a cluster. */
interface Attached {
  /** @param lost the cluster is struck by a fault, and not deleted */
  stop(lost: boolean): Promise<void>;
}

interface Entry {
  network: number;
  cluster: RunningCluster;
  plane: ControlPlane;
  agent: Agent;
  config: KubeConfig;
  attached: Attached;
  /** Its machines, or its control plane, are off. */
  machinesOff?: boolean;
  planeOff?: boolean;
}

export class LocalClusters implements ClusterManager {
  private readonly entries = new Map<string, Entry>();
  private readonly starting = new Map<string, Promise<RunningCluster>>();
  private readonly networks = new LoopbackNetworks();
  private readonly hosts: HostsFiles;
  private readonly credentials: ClusterCredentials;
  private etcd: Promise<Etcd> | undefined;
  private readonly log: Log = logger("clusters");

  constructor(private readonly options: ClusterManagerOptions) {
    this.credentials = clusterCredentials(join(options.dir, "credentials"));
    this.hosts = new HostsFiles(join(options.dir, "hosts"));
  }

  create(spec: ClusterSpec): Promise<RunningCluster> {
    const running = this.entries.get(spec.id);
    if (running) return Promise.resolve(running.cluster);
    const pending = this.starting.get(spec.id) ?? this.start(spec).finally(() => this.starting.delete(spec.id));
    this.starting.set(spec.id, pending);
    return pending;
  }

  private async start(spec: ClusterSpec): Promise<RunningCluster> {
    const network = await this.networks.take();
    const started = Date.now();
    this.etcd ??= startEtcd({
      dir: this.options.dir,
      binary: this.options.binaries.etcd,
      processes: this.options.processes,
    });
    const plane = await this.startPlane(spec, network);
    const cluster: RunningCluster = {
      spec,
      endpoint: plane.endpoint,
      caCertificate: plane.caCertificate,
      adminKubeconfig: plane.adminKubeconfig,
    };
    const config = kubeConfigOf(plane.adminKubeconfig);
    await createStorageClasses(config, spec.cloud ?? "gcp");
    const machines = await this.startMachines(cluster, config, network);
    this.entries.set(spec.id, { network, cluster, plane, config, ...machines });
    this.log(`${spec.id} runs at ${plane.endpoint} after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return cluster;
  }

  private async startPlane(spec: ClusterSpec, network: number, port?: number): Promise<ControlPlane> {
    const { endpoint } = (await this.etcd)!;
    return ControlPlane.start({
      dir: this.dirOf(network),
      name: spec.name,
      network,
      etcdEndpoint: endpoint,
      etcdPrefix: prefixOf(network),
      credentials: this.credentials,
      ...(spec.issuer && { issuer: spec.issuer }),
      ...(spec.authenticator && { authenticator: spec.authenticator }),
      binaries: this.options.binaries,
      processes: this.options.processes,
      port,
    });
  }

  /** What runs the pods, and what follows the cluster. */
  private async startMachines(cluster: RunningCluster, config: KubeConfig, network: number) {
    const agent = new Agent({
      cluster,
      config,
      network,
      dir: this.dirOf(network),
      bwrap: this.options.binaries.bwrap,
      processes: this.options.processes,
      identities: this.options.identities,
      images: this.options.images,
      hosts: this.hosts,
    });
    await agent.start();
    const resolve = (host: string) => this.hosts.resolve(cluster.spec.id, host);
    return { agent, attached: await this.options.onStart(cluster, agent, resolve) };
  }

  async setNodePool(clusterId: string, pool: NodePoolSpec): Promise<void> {
    const { config, cluster } = this.entry(clusterId);
    await registerNodes(config, cluster.spec, pool);
  }

  async removeNodePool(clusterId: string, poolName: string): Promise<void> {
    const entry = this.entries.get(clusterId);
    if (entry) await removeNodes(entry.config, entry.cluster.spec, poolName);
  }

  async collectMetrics(clusterId: string): Promise<void> {
    await installManagedPrometheus(this.entry(clusterId).config);
  }

  async pause(clusterId: string, paused: boolean): Promise<void> {
    const { agent, plane } = this.entry(clusterId);
    agent.pause(paused);
    plane.pause(paused);
  }

  /** Lets what runs in a zone stand still, or go on. @returns how many nodes the cluster has there */
  pauseZone(clusterId: string, zone: string, paused: boolean): Promise<number> {
    return this.entry(clusterId).agent.pauseZone(zone, paused);
  }

  async setDriver(clusterId: string, driver: string, present: boolean): Promise<void> {
    await setDriver(this.entry(clusterId).config, driver, present);
  }

  async setAccess(clusterId: string, access: ClusterAccess, present: boolean): Promise<void> {
    await setAccess(this.entry(clusterId).config, access, present);
  }

  /** PEM of the key by which tokens of service accounts are checked. */
  get serviceAccountKey(): string {
    return readFileSync(this.credentials.serviceAccountPublicKey, "utf8");
  }

  async delete(clusterId: string): Promise<void> {
    await this.end(clusterId, false);
  }

  async lose(clusterId: string): Promise<void> {
    this.entry(clusterId);
    await this.end(clusterId, true);
  }

  async powerOff(clusterId: string): Promise<void> {
    const entry = this.entry(clusterId);
    if (entry.machinesOff) return;
    entry.machinesOff = true;
    await entry.attached.stop(true);
    await Promise.all([entry.agent.kill(), this.stopControlPlane(clusterId)]);
  }

  /** What is on stays as it is: started twice, everything would stand in its own way. */
  async powerOn(clusterId: string): Promise<void> {
    const entry = this.entry(clusterId);
    await this.startControlPlane(clusterId);
    if (!entry.machinesOff) return;
    Object.assign(entry, await this.startMachines(entry.cluster, entry.config, entry.network));
    entry.machinesOff = false;
  }

  async stopControlPlane(clusterId: string): Promise<void> {
    const entry = this.entry(clusterId);
    entry.planeOff = true;
    await entry.plane.stop(0);
  }

  async startControlPlane(clusterId: string): Promise<void> {
    const entry = this.entry(clusterId);
    if (!entry.planeOff) return;
    const port = Number(entry.cluster.endpoint.split(":")[1]);
    entry.plane = await this.startPlane(entry.cluster.spec, entry.network, port);
    entry.planeOff = false;
  }

  /** Processes are killed, not asked: a deleted cluster and a lost one differ only in who wanted it. */
  private async end(clusterId: string, lost: boolean): Promise<void> {
    const entry = this.entries.get(clusterId);
    if (!entry) return;
    this.entries.delete(clusterId);
    await entry.attached.stop(lost);
    entry.plane.pause(false);
    await Promise.all([entry.agent.kill(), entry.plane.stop(0)]);
    this.hosts.remove(clusterId);
    await (await this.etcd)?.removePrefix(prefixOf(entry.network));
    rmSync(this.dirOf(entry.network), { recursive: true, force: true });
    this.networks.release(entry.network);
  }

  get(clusterId: string): RunningCluster | undefined {
    return this.entries.get(clusterId)?.cluster;
  }

  list(): RunningCluster[] {
    return [...this.entries.values()].map((entry) => entry.cluster);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.entries.keys()].map((id) => this.end(id, false)));
    await (await this.etcd)?.stop();
    this.etcd = undefined;
  }

  private entry(clusterId: string): Entry {
    const entry = this.entries.get(clusterId);
    if (!entry) {
      throw new CloudError(
        404,
        "notFound",
        `cluster ${clusterId} is not running; running are ${[...this.entries.keys()].join(", ") || "none"}`,
      );
    }
    return entry;
  }

  private readonly dirOf = (network: number) => join(this.options.dir, "clusters", String(network));
}

const prefixOf = (network: number) => `/registry-${network}/`;
