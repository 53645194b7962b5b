/** The nodes of one cluster: runs the pods bound to them and gives Services their names and addresses. */
import { join } from "node:path";
import { CoreV1Api, type KubeConfig, type V1Pod, type V1Service } from "@kubernetes/client-node";
import { type Log, logger } from "../lib/log";
import type { ProcessTable } from "../lib/process";
import type { ExecResult, ImageTable, NodeAgent, PodIdentities, RunningCluster } from "../lib/types";
import type { HostsFiles } from "./hosts";
import { PodWorker } from "./pod";
import { Provisioner } from "./provisioner";
import { Services } from "./services";
import { type Watched, watchAll } from "./watch";

export interface AgentOptions {
  cluster: RunningCluster;
  /** Administrator of the cluster. */
  config: KubeConfig;
  /** Pods get addresses of 127.NETWORK.0.0/17. */
  network: number;
  /** Folder of the cluster's files. */
  dir: string;
  bwrap: string;
  processes: ProcessTable;
  identities: PodIdentities;
  images: ImageTable;
  hosts: HostsFiles;
}

/** How long a burst of changes is collected before names and forwarders follow. */
const SETTLE_MS = 50;

export class Agent implements NodeAgent {
  private readonly core: CoreV1Api;
  private readonly log: Log;
  private readonly workers = new Map<string, PodWorker>();
  private readonly ending = new Set<string>();
  private readonly addresses = new Set<string>();
  /** Addresses of pods that were here when the machines started, by their uid: after a loss of power they are the same. */
  private readonly kept = new Map<string, string>();
  private readonly services: Services;
  private readonly provisioner: Provisioner;
  private pods?: Watched<V1Pod>;
  private serviceList?: Watched<V1Service>;
  private settle?: NodeJS.Timeout;
  private stopped = false;
  private paused = false;
  /** Nodes whose pods stand still. */
  private readonly silent = new Set<string>();
  private nextAddress = 1;

  constructor(private readonly options: AgentOptions) {
    this.core = options.config.makeApiClient(CoreV1Api);
    this.log = logger(`nodes of ${options.cluster.spec.name}`);
    this.services = new Services(options.cluster.spec, options.hosts, this.log);
    this.provisioner = new Provisioner(options.config, join(options.dir, "disks"), this.log);
  }

  async start(): Promise<void> {
    await this.provisioner.start();
    for (const { metadata, status } of (await this.core.listPodForAllNamespaces()).items) {
      if (!metadata?.uid || !status?.podIP) continue;
      this.kept.set(metadata.uid, status.podIP);
      this.addresses.add(status.podIP);
    }
    this.serviceList = await watchAll<V1Service>(
      this.options.config,
      "/api/v1/services",
      () => this.core.listServiceForAllNamespaces(),
      () => this.changed(),
    );
    this.pods = await watchAll<V1Pod>(
      this.options.config,
      "/api/v1/pods",
      () => this.core.listPodForAllNamespaces(),
      (pod, gone) => this.seen(pod, gone),
    );
    this.changed();
  }

  /** Lets every pod stand still, or go on; meanwhile nobody probes them. */
  pause(paused: boolean): void {
    this.paused = paused;
    for (const worker of this.workers.values()) void worker.pause(paused);
  }

  /** Lets the pods on a zone's nodes stand still, or go on; the API hears nothing of it. @returns how many nodes it has */
  async pauseZone(zone: string, paused: boolean): Promise<number> {
    const { items } = await this.core.listNode({ labelSelector: `topology.kubernetes.io/zone=${zone}` });
    for (const { metadata } of items) {
      if (paused) this.silent.add(metadata?.name ?? "");
      else this.silent.delete(metadata?.name ?? "");
    }
    const here = new Set(items.map(({ metadata }) => metadata?.name));
    for (const worker of this.workers.values()) if (here.has(worker.node)) void worker.pause(paused);
    return items.length;
  }

  /** Ends every pod as if the machines had lost power; the API is not told. */
  async kill(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.settle);
    await Promise.all([this.pods?.stop(), this.serviceList?.stop(), this.provisioner.stop()]);
    await Promise.all([...this.workers.values()].map((worker) => worker.stop(0)));
    this.services.close();
  }

  exec(
    namespace: string,
    pod: string,
    container: string,
    command: string[],
    env: Record<string, string> = {},
  ): Promise<ExecResult> {
    const found = this.pods
      ?.list()
      .find((each) => each.metadata?.namespace === namespace && each.metadata.name === pod);
    const worker = this.workers.get(found?.metadata?.uid ?? "");
    if (worker) return worker.exec(container, command, env);
    return Promise.resolve({ code: 1, stdout: "", stderr: `pod ${namespace}/${pod} does not run here` });
  }

  private seen(pod: V1Pod, gone: boolean): void {
    this.changed();
    const uid = pod.metadata?.uid ?? "";
    const worker = this.workers.get(uid);
    if (this.stopped) return;
    if (gone) return void this.end(pod, worker, 0, false);
    if (pod.metadata?.deletionTimestamp) {
      if (worker || pod.spec?.nodeName) void this.end(pod, worker, pod.metadata.deletionGracePeriodSeconds ?? 30, true);
      return;
    }
    worker?.update(pod);
    const over = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (worker || !pod.spec?.nodeName || over || this.ending.has(uid)) return;
    const started = new PodWorker(pod, this.kept.get(uid) ?? this.takeAddress(), join(this.options.dir, "pods", uid), {
      cluster: this.options.cluster,
      config: this.options.config,
      bwrap: this.options.bwrap,
      processes: this.options.processes,
      identities: this.options.identities,
      images: this.options.images,
      hostsFolder: this.options.hosts.folder(this.options.cluster.spec.id),
      claimFolder: (namespace, claim) => this.provisioner.folder(namespace, claim),
      paused: () => this.paused || this.silent.has(pod.spec?.nodeName ?? ""),
      log: this.log,
    });
    this.workers.set(uid, started);
    started.start();
  }

  /** Stops a pod's containers, then confirms the deletion to the API as a kubelet does. */
  private async end(pod: V1Pod, worker: PodWorker | undefined, graceSeconds: number, confirm: boolean): Promise<void> {
    const uid = pod.metadata?.uid ?? "";
    if (this.ending.has(uid)) return;
    this.ending.add(uid);
    try {
      await worker?.stop(graceSeconds);
      this.workers.delete(uid);
      if (worker) this.addresses.delete(worker.podIP);
      if (confirm) {
        await this.core.deleteNamespacedPod({
          namespace: pod.metadata?.namespace ?? "",
          name: pod.metadata?.name ?? "",
          body: { gracePeriodSeconds: 0, preconditions: { uid } },
        });
      }
    } catch (error) {
      if ((error as { code?: number }).code !== 404 && !this.stopped)
        this.log(`${pod.metadata?.namespace}/${pod.metadata?.name} was not removed: ${(error as Error).message}`);
    } finally {
      this.ending.delete(uid);
    }
  }

  private changed(): void {
    if (this.stopped) return;
    this.settle ??= setTimeout(() => {
      this.settle = undefined;
      this.services.update([...(this.serviceList?.list() ?? [])], [...(this.pods?.list() ?? [])]);
    }, SETTLE_MS);
  }

  private takeAddress(): string {
    for (;;) {
      const host = this.nextAddress++ % (128 * 254);
      const address = `127.${this.options.network}.${Math.floor(host / 254)}.${(host % 254) + 1}`;
      if (this.addresses.has(address)) continue;
      this.addresses.add(address);
      return address;
    }
  }
}
