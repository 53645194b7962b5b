/**
 * A Lease of Kubernetes (coordination.k8s.io), so that two runs of a job exclude each other: the second one fails at once. It
 * is renewed while the work goes on, given back after it, and free again some time after its holder was killed.
 */
import { hostname } from "node:os";
import { ApiException, CoordinationV1Api, KubeConfig, type V1Lease, V1MicroTime } from "@kubernetes/client-node";
import { JobError, log } from "./log";
import { stopCopies } from "./rclone";

/** Which lease, and how long it holds without being renewed. */
export interface LeaseOptions {
  namespace: string;
  name: string;
  /** Seconds after which a holder that renews it no more has lost it. */
  seconds: number;
}

/**
 * Does work while holding a lease.
 * @param work is given a check that throws when the lease is lost; call it before anything that must not be done twice
 * @throws JobError when another run holds it, or took it over meanwhile
 */
export async function withLease<T>(options: LeaseOptions, work: (held: () => void) => Promise<T>): Promise<T> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const lease = new HeldLease(config.makeApiClient(CoordinationV1Api), options);
  await lease.take();
  try {
    return await Promise.race([work(() => lease.check()), lease.untilLost()]);
  } finally {
    await lease.giveBack();
  }
}

/** This run: Kubernetes calls the container's host like the pod. */
const holder = (): string => process.env.HOSTNAME ?? hostname();

/** The Job of a pod, by its name. A Job starts a pod only when the one before it has ended. */
const jobOf = (pod: string): string => pod.replace(/-[a-z0-9]{5}$/, "");

class HeldLease {
  private current: V1Lease | undefined;
  private renewedAt = 0;
  private unsure = false;
  private problem: JobError | undefined;
  private timer: NodeJS.Timeout | undefined;
  private fail: (error: Error) => void = () => undefined;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly api: CoordinationV1Api,
    private readonly options: LeaseOptions,
  ) {}

  async take(): Promise<void> {
    const found = await this.read();
    const other = found?.spec?.holderIdentity;
    if (found && other && this.isLive(found) && jobOf(other) !== jobOf(holder())) throw this.taken(other);
    if (other) log("lease taken over", { lease: this.options.name, from: other });
    try {
      await this.write(found);
    } catch (error) {
      if (!isConflict(error)) throw error;
      throw this.taken((await this.read())?.spec?.holderIdentity ?? "another run");
    }
    this.timer = setInterval(() => this.tick(), (this.options.seconds * 1000) / 3);
    this.timer.unref();
  }

  /** @throws JobError when it is lost */
  check(): void {
    // A process that stood still has not renewed it, whatever its timer says next.
    if (this.isOver()) this.lose("it was not renewed in time");
    if (this.problem) throw this.problem;
  }

  /** Never ends well. */
  untilLost(): Promise<never> {
    const lost = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    lost.catch(() => undefined);
    return lost;
  }

  async giveBack(): Promise<void> {
    clearInterval(this.timer);
    if (!this.problem) await this.renewing;
    if (this.problem) return;
    // Whoever comes next need not wait; that it ends by itself is enough if this fails.
    await this.write(this.current, { holderIdentity: "" }).catch((error: Error) =>
      log("lease not given back", { lease: this.options.name, reason: error.message }),
    );
  }

  /** One renewal at a time: a second one would meet what the first has changed. */
  private tick(): void {
    if (this.isOver()) this.lose("it was not renewed in time");
    else
      this.renewing ??= this.renew().finally(() => {
        this.renewing = undefined;
      });
  }

  private async renew(): Promise<void> {
    try {
      await this.write(await this.seen());
    } catch (error) {
      if (isConflict(error)) return this.lose("another run has taken it over");
      log("lease not renewed", { lease: this.options.name, reason: (error as Error).message });
      this.unsure = true;
    }
  }

  /** The lease as it was written last; after a renewal without an answer, which may have been made, as it is if it is still ours. */
  private async seen(): Promise<V1Lease | undefined> {
    if (!this.unsure) return this.current;
    const found = await this.read();
    if (found?.spec?.holderIdentity === holder()) this.current = found;
    this.unsure = false;
    return this.current;
  }

  private isOver(): boolean {
    return Date.now() - this.renewedAt >= this.options.seconds * 1000;
  }

  private lose(reason: string): void {
    this.problem ??= new JobError(`the lease ${this.options.name} is lost: ${reason}`, {
      allowed: "one run at a time",
      fix: "nothing; the run that holds it goes on, and the next one copies what is missing",
    });
    stopCopies();
    this.fail(this.problem);
  }

  private isLive({ spec }: V1Lease): boolean {
    const renewed = new Date(spec?.renewTime ?? 0).getTime();
    return Date.now() - renewed < (spec?.leaseDurationSeconds ?? 0) * 1000;
  }

  private async read(): Promise<V1Lease | undefined> {
    try {
      return await this.api.readNamespacedLease(this.options);
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Creates or replaces it, only if it is still as it was seen. */
  private async write(seen: V1Lease | undefined, change: { holderIdentity?: string } = {}): Promise<void> {
    const { namespace, name, seconds } = this.options;
    const at = Date.now();
    const body: V1Lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace, resourceVersion: seen?.metadata?.resourceVersion },
      spec: {
        holderIdentity: holder(),
        leaseDurationSeconds: seconds,
        acquireTime: seen === this.current && seen?.spec?.acquireTime ? seen.spec.acquireTime : new V1MicroTime(at),
        renewTime: new V1MicroTime(at),
        ...change,
      },
    };
    this.current = seen
      ? await this.api.replaceNamespacedLease({ namespace, name, body })
      : await this.api.createNamespacedLease({ namespace, body });
    this.renewedAt = at;
  }

  private taken(other: string): JobError {
    return new JobError(`another run holds the lease ${this.options.name}`, {
      value: other,
      allowed: "one run at a time",
      fix: `let it end, or delete its Job; a run that was killed loses it after ${this.options.seconds} s`,
      final: true,
    });
  }
}

const isConflict = (error: unknown): boolean => error instanceof ApiException && error.code === 409;
