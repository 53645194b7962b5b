/** One pod on one of our nodes, from its first sight to its deletion. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CoreV1Api, type KubeConfig, setHeaderOptions, type V1Container, type V1Pod } from "@kubernetes/client-node";
import type { Log } from "../lib/log";
import { type ProcessTable, sleep } from "../lib/process";
import type { ExecResult, ImageProgram, ImageTable, PodIdentities, RunningCluster } from "../lib/types";
import { ContainerProcess } from "./container";
import { ContainerConfigError, commandLine, containerEnv, type ReadMap } from "./environment";
import { containerRoot } from "./root";
import { ContainerRunner, ImageError } from "./runner";
import { type ContainerSnapshot, isSidecar, podStatus } from "./status";
import { prepareVolumes, type ReadFiles, type VolumeSources } from "./volumes";

/** What every pod of a cluster shares. */
export interface PodContext {
  cluster: RunningCluster;
  config: KubeConfig;
  bwrap: string;
  processes: ProcessTable;
  identities: PodIdentities;
  images: ImageTable;
  hostsFolder: string;
  /** Folder behind a bound claim. @throws when it is not bound */
  claimFolder(namespace: string, claim: string): string;
  /** True while the cluster stands still. */
  paused(): boolean;
  log: Log;
}

const RETRY_MS = 1_000;

/** What the conditions that a pod waits for beside its containers say. */
function gates({ spec, status }: V1Pod): (string | undefined)[] {
  return (spec?.readinessGates ?? []).map(
    ({ conditionType }) => status?.conditions?.find(({ type }) => type === conditionType)?.status,
  );
}

export class PodWorker {
  private readonly core: CoreV1Api;
  private readonly runners = new Map<string, ContainerRunner>();
  private readonly startTime = new Date();
  private identity?: Awaited<ReturnType<PodIdentities["open"]>>;
  private volumes: ReadonlyMap<string, string> = new Map();
  /** What containers see beside the pod's volumes: target path -> host path. */
  private given: Record<string, string> = {};
  private stopping = false;
  private dirty = false;
  private writing?: Promise<void>;
  private done?: Promise<void>;

  constructor(
    private pod: V1Pod,
    readonly podIP: string,
    /** Folder of the pod's own files. */
    private readonly dir: string,
    private readonly context: PodContext,
  ) {
    this.core = context.config.makeApiClient(CoreV1Api);
  }

  /** Begins; never rejects. */
  start(): void {
    this.done = this.run()
      .catch((error) => this.context.log(`${this.name}: ${(error as Error).message}`))
      .then(() => this.closeIdentity());
  }

  /** Takes over a newer version of the object. */
  update(pod: V1Pod): void {
    const gated = JSON.stringify(gates(this.pod)) !== JSON.stringify(gates(pod));
    this.pod = pod;
    if (gated) this.report();
  }

  /** Ends every container; with `graceSeconds` 0 at once. Frees the pod's address and files. */
  async stop(graceSeconds: number): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.runners.values()].map((runner) => runner.stop(graceSeconds)));
    await this.done;
    await this.writing;
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Lets every container stand still, or go on. */
  async pause(paused: boolean): Promise<void> {
    await Promise.all([...this.runners.values()].map((runner) => runner.hold(paused)));
  }

  exec(container: string, command: string[], env: Record<string, string>): Promise<ExecResult> {
    const runner = this.runners.get(container);
    if (runner) return runner.exec(command, env);
    const stderr = `pod ${this.name} has no running container ${container}; it has ${[...this.runners.keys()].join(", ")}`;
    return Promise.resolve({ code: 1, stdout: "", stderr });
  }

  /** Name of the node that it is on. */
  get node(): string {
    return this.pod.spec?.nodeName ?? "";
  }

  private get name(): string {
    return `${this.pod.metadata?.namespace}/${this.pod.metadata?.name}`;
  }

  private async run(): Promise<void> {
    mkdirSync(this.dir, { recursive: true });
    this.report();
    await this.until(async () => {
      this.identity ??= await this.openIdentity();
      this.given = await this.giveToken();
      this.volumes = await prepareVolumes(this.pod, this.podIP, join(this.dir, "volumes"), this.sources());
    });
    const background: Promise<unknown>[] = [];
    for (const container of this.pod.spec?.initContainers ?? []) {
      if (this.stopping) break;
      const runner = this.runner(container);
      const ended = runner.run();
      if (!isSidecar(container)) {
        if ((await ended) !== 0) return;
        continue;
      }
      background.push(ended);
      while (!this.stopping && !runner.snapshot.started) await sleep(100);
    }
    if (this.stopping) return;
    const runners = (this.pod.spec?.containers ?? []).map((container) => this.runner(container));
    await Promise.all(runners.map((runner) => runner.run()));
    for (const container of this.pod.spec?.initContainers ?? []) {
      if (isSidecar(container)) await this.runners.get(container.name)?.stop(1);
    }
    await Promise.all(background);
  }

  /** Repeats a step that waits for something of the cluster (a Secret, a bound claim) until it succeeds. */
  private async until(step: () => Promise<void>): Promise<void> {
    for (let said = ""; !this.stopping; ) {
      try {
        return await step();
      } catch (error) {
        const { message } = error as Error;
        if (message !== said) this.context.log(`${this.name} waits: ${message}`);
        said = message;
        await sleep(RETRY_MS);
      }
    }
  }

  private async closeIdentity(): Promise<void> {
    const open = this.identity;
    this.identity = undefined;
    await open?.close();
  }

  private async openIdentity() {
    const namespace = this.pod.metadata?.namespace ?? "";
    const serviceAccount = this.pod.spec?.serviceAccountName ?? "default";
    const account = await this.core.readNamespacedServiceAccount({ namespace, name: serviceAccount });
    return this.context.identities.open({
      clusterId: this.context.cluster.spec.id,
      namespace,
      serviceAccount,
      serviceAccountAnnotation: account.metadata?.annotations?.["iam.gke.io/gcp-service-account"],
      podIP: this.podIP,
      pod: this.pod.metadata?.name ?? "",
      uid: this.pod.metadata?.uid ?? "",
    });
  }

  /** The token that a webhook of the cluster adds to the pod. */
  private async giveToken(): Promise<Record<string, string>> {
    const wanted = this.identity?.token;
    if (!wanted) return {};
    const folder = join(this.dir, "identity");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, wanted.file);
    writeFileSync(path, await this.sources().token(wanted.audience, wanted.seconds));
    return { [wanted.folder]: folder };
  }

  private runner(container: V1Container): ContainerRunner {
    const runner = new ContainerRunner({
      pod: this.pod,
      container,
      podIP: this.podIP,
      start: () => this.startContainer(container),
      onChange: () => this.report(),
      paused: this.context.paused,
    });
    this.runners.set(container.name, runner);
    return runner;
  }

  private async startContainer(container: V1Container): Promise<ContainerProcess> {
    const image = this.context.images(container.image ?? "");
    if (!image) throw new ImageError(`no program is known for image ${container.image}; sandbox.yaml can name one`);
    const env = await containerEnv(container, this.pod, this.podIP, this.read, this.baseEnv(image));
    const lastWords = this.lastWordsFile(container);
    const root = containerRoot({
      pod: this.pod,
      container,
      image,
      volumes: this.volumes,
      hostsFolder: this.context.hostsFolder,
      lastWords,
      given: { ...this.identity?.mounts, ...this.given },
    });
    return ContainerProcess.start(
      {
        name: `${this.name}/${container.name}`,
        bwrap: this.context.bwrap,
        root,
        command: commandLine(container, image, env),
        env,
        log: join(this.dir, "..", "..", "logs", `${this.name.replace("/", "_")}_${container.name}.log`),
        lastWords,
      },
      this.context.processes,
    );
  }

  /** An empty file that the container finds at its terminationMessagePath. */
  private lastWordsFile(container: V1Container): string {
    const path = join(this.dir, "last-words", container.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    return path;
  }

  private baseEnv(image: ImageProgram): Record<string, string> {
    const [host = "", port = ""] = this.context.cluster.endpoint.split(":");
    return {
      PATH: [...image.path, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].join(":"),
      HOME: "/tmp",
      HOSTNAME: this.pod.spec?.hostname ?? this.pod.metadata?.name ?? "",
      KUBERNETES_SERVICE_HOST: host,
      KUBERNETES_SERVICE_PORT: port,
      KUBERNETES_SERVICE_PORT_HTTPS: port,
      ...this.identity?.env,
      ...image.env,
    };
  }

  private sources(): VolumeSources {
    const namespace = this.pod.metadata?.namespace ?? "";
    return {
      read: this.readFiles,
      claim: async (name) => this.context.claimFolder(namespace, name),
      token: async (audience, expirationSeconds) => {
        const answer = await this.core.createNamespacedServiceAccountToken({
          namespace,
          name: this.pod.spec?.serviceAccountName ?? "default",
          body: {
            spec: {
              audiences: audience ? [audience] : [],
              expirationSeconds,
              boundObjectRef: {
                apiVersion: "v1",
                kind: "Pod",
                name: this.pod.metadata?.name,
                uid: this.pod.metadata?.uid,
              },
            },
          },
        });
        return answer.status?.token ?? "";
      },
    };
  }

  private readonly read: ReadMap = async (kind, name) => {
    const values = await this.readFiles(kind, name);
    return values && Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toString()]));
  };

  private readonly readFiles: ReadFiles = async (kind, name) => {
    const namespace = this.pod.metadata?.namespace ?? "";
    try {
      if (kind === "ConfigMap") return (await this.core.readNamespacedConfigMap({ namespace, name })).data ?? {};
      const { data } = await this.core.readNamespacedSecret({ namespace, name });
      return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));
    } catch (error) {
      if ((error as { code?: number }).code === 404) return undefined;
      throw new ContainerConfigError((error as Error).message);
    }
  };

  /** Writes the status soon; changes that come meanwhile go into one more write. */
  private report(): void {
    this.dirty = true;
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  private async write(): Promise<void> {
    while (this.dirty) {
      this.dirty = false;
      const snapshots = new Map<string, ContainerSnapshot>(
        [...this.runners].map(([name, runner]) => [name, runner.snapshot]),
      );
      const status = podStatus(this.pod, this.podIP, this.startTime, snapshots, new Date());
      try {
        this.pod = await this.core.patchNamespacedPodStatus(
          {
            namespace: this.pod.metadata?.namespace ?? "",
            name: this.pod.metadata?.name ?? "",
            body: { metadata: { uid: this.pod.metadata?.uid }, status },
          },
          setHeaderOptions("Content-Type", "application/merge-patch+json"),
        );
      } catch (error) {
        const code = (error as { code?: number }).code;
        if (code === 404 || code === 409 || this.stopping) return;
        this.context.log(`${this.name}: its status was not written: ${(error as Error).message}`);
        await sleep(RETRY_MS);
        this.dirty = true;
      }
    }
  }
}
