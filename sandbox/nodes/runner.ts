/** Keeps one container of a pod as its restart policy wants it, and tells what it does. */
import type { V1Container, V1Pod, V1Probe } from "@kubernetes/client-node";
import { sleep } from "../lib/process";
import type { ExecResult } from "../lib/types";
import type { ContainerProcess } from "./container";
import { ContainerConfigError } from "./environment";
import { probe, watchProbe } from "./probes";
import { type ContainerSnapshot, created, isSidecar } from "./status";

/** Pauses between restarts in ms: kubelets begin at 10 s, which a machine without image pulls need not wait. */
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
/** How often a container that cannot be created is tried again. */
const RETRY_MS = 2_000;

export interface RunnerOptions {
  pod: V1Pod;
  container: V1Container;
  podIP: string;
  /** Starts the program. @throws ContainerConfigError or ImageError when it cannot. */
  start(): Promise<ContainerProcess>;
  onChange(): void;
  /** True while the cluster stands still. */
  paused(): boolean;
}

/** No program is known for the image. */
export class ImageError extends Error {
  readonly reason = "ErrImagePull";
}

export class ContainerRunner {
  snapshot: ContainerSnapshot = created();
  private process?: ContainerProcess;
  private stopped = false;
  private probes: { stop(): void }[] = [];

  constructor(private readonly options: RunnerOptions) {}

  /** Runs until the container is done for good or {@link stop} is called. Returns its last exit code. */
  async run(): Promise<number> {
    for (let attempt = 0; !this.stopped; attempt++) {
      const code = await this.once();
      if (code === undefined) {
        await this.pause(RETRY_MS);
        continue;
      }
      if (this.stopped || !this.restarts(code)) return code;
      this.set({
        waiting: { reason: "CrashLoopBackOff", message: `restarting the failed container ${this.name}` },
        lastTerminated: this.snapshot.terminated,
        terminated: undefined,
        restarts: this.snapshot.restarts + 1,
      });
      await this.pause(BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 0);
    }
    return 143;
  }

  /** SIGTERM, the grace period, SIGKILL; it is not restarted. */
  async stop(graceSeconds: number): Promise<void> {
    this.stopped = true;
    await this.process?.stop(graceSeconds);
  }

  /** Lets it stand still, or go on. */
  async hold(held: boolean): Promise<void> {
    await this.process?.pause(held);
  }

  exec(command: string[], env: Record<string, string>): Promise<ExecResult> {
    if (this.process) return this.process.exec(command, env);
    return Promise.resolve({ code: 1, stdout: "", stderr: `container ${this.name} has not been started` });
  }

  private get name(): string {
    return this.options.container.name;
  }

  /** One run of the container. Undefined: it could not be created. */
  private async once(): Promise<number | undefined> {
    let process: ContainerProcess;
    try {
      process = await this.options.start();
    } catch (error) {
      const reason =
        error instanceof ContainerConfigError || error instanceof ImageError ? error.reason : "RunContainerError";
      this.set({ waiting: { reason, message: (error as Error).message } });
      return undefined;
    }
    this.process = process;
    if (this.stopped) await process.stop(0);
    const { startupProbe, readinessProbe } = this.options.container;
    this.set({
      waiting: undefined,
      runningSince: process.startedAt,
      started: !startupProbe,
      ready: !startupProbe && !readinessProbe,
    });
    if (startupProbe) this.watchStartup(startupProbe, process);
    else this.watchRunning(process);
    const exitCode = await process.exitCode();
    for (const each of this.probes.splice(0)) each.stop();
    this.process = undefined;
    this.set({
      runningSince: undefined,
      started: false,
      ready: false,
      terminated: {
        exitCode,
        reason: exitCode === 0 ? "Completed" : "Error",
        startedAt: process.startedAt,
        finishedAt: new Date(),
        // As terminationMessagePolicy FallbackToLogsOnError: why it failed is seen without its log.
        message: process.lastWords() ?? (exitCode === 0 ? undefined : process.lastLines()),
      },
    });
    return exitCode;
  }

  private restarts(code: number): boolean {
    const { pod, container } = this.options;
    if (isSidecar(container)) return true;
    const init = pod.spec?.initContainers?.some(({ name }) => name === container.name);
    const policy = pod.spec?.restartPolicy ?? "Always";
    if (init) return code !== 0 && policy !== "Never";
    return policy === "Always" || (policy === "OnFailure" && code !== 0);
  }

  private watchStartup(check: V1Probe, process: ContainerProcess): void {
    let passed = false;
    const allowed = (check.failureThreshold ?? 3) * (check.periodSeconds ?? 10) + (check.initialDelaySeconds ?? 0);
    const watcher = watchProbe(
      check,
      () => this.probe(check, process),
      (ok) => {
        if (!ok || passed) return;
        passed = true;
        watcher.stop();
        this.set({ started: true, ready: !this.options.container.readinessProbe });
        this.watchRunning(process);
      },
      false,
    );
    const limit = setTimeout(() => !passed && void process.stop(0), allowed * 1000);
    limit.unref();
    this.probes.push(watcher, { stop: () => clearTimeout(limit) });
  }

  private watchRunning(process: ContainerProcess): void {
    const { readinessProbe, livenessProbe } = this.options.container;
    if (readinessProbe) {
      this.probes.push(
        watchProbe(
          readinessProbe,
          () => this.probe(readinessProbe, process),
          (ready) => this.set({ ready }),
          false,
        ),
      );
    }
    if (livenessProbe) {
      const grace = this.options.pod.spec?.terminationGracePeriodSeconds ?? 30;
      this.probes.push(
        watchProbe(
          livenessProbe,
          () => this.probe(livenessProbe, process),
          (alive) => !alive && void process.stop(grace),
          true,
        ),
      );
    }
  }

  private async probe(check: V1Probe, process: ContainerProcess): Promise<boolean> {
    // A container that cannot answer because its cluster stands still is not to be restarted for it.
    while (this.options.paused() && !this.stopped) await sleep(500);
    return probe(check, this.options.container, process, this.options.podIP);
  }

  private set(change: Partial<ContainerSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    this.options.onChange();
  }

  private async pause(ms: number): Promise<void> {
    const end = Date.now() + ms;
    while (!this.stopped && Date.now() < end) await sleep(Math.min(200, end - Date.now()));
  }
}
