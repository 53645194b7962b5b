/** Stand-ins for what the control plane stands on, in memory, for its tests. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudError,
  type ClusterAccess,
  type ClusterManager,
  type NodePoolSpec,
  type ObjectStore,
  type RunningCluster,
} from "../lib/types";
import { CloudControl, type CloudControlOptions } from "./control";

/** Clusters without processes. */
export class MemoryClusters implements ClusterManager {
  /** Signs tokens of service accounts. */
  readonly keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly serviceAccountKey = this.keys.publicKey.export({ type: "spki", format: "pem" }).toString();
  readonly running = new Map<string, RunningCluster>();
  /** Node pools by `CLUSTER/NAME`. */
  readonly pools = new Map<string, NodePoolSpec>();
  /** Clusters whose metrics are collected. */
  readonly collecting = new Set<string>();

  async create(spec: RunningCluster["spec"]): Promise<RunningCluster> {
    const cluster = { spec, endpoint: "127.0.0.1:6443", caCertificate: "PEM", adminKubeconfig: "" };
    this.running.set(spec.id, cluster);
    return cluster;
  }
  async setNodePool(id: string, pool: NodePoolSpec): Promise<void> {
    this.mustRun(id);
    this.pools.set(`${id}/${pool.name}`, pool);
  }
  async removeNodePool(id: string, name: string): Promise<void> {
    this.mustRun(id);
    this.pools.delete(`${id}/${name}`);
  }
  async collectMetrics(id: string): Promise<void> {
    this.mustRun(id);
    this.collecting.add(id);
  }
  /** Drivers and accesses by cluster. */
  readonly drivers = new Set<string>();
  readonly accesses = new Set<string>();
  async setDriver(id: string, driver: string, present: boolean): Promise<void> {
    this.mustRun(id);
    this.drivers[present ? "add" : "delete"](`${id} ${driver}`);
  }
  async setAccess(id: string, access: ClusterAccess, present: boolean): Promise<void> {
    this.mustRun(id);
    this.accesses[present ? "add" : "delete"](`${id} ${access.group} ${access.clusterRole} ${access.namespace ?? "*"}`);
  }
  /** Clusters that stand still. */
  readonly paused = new Set<string>();
  async pause(id: string, paused: boolean): Promise<void> {
    this.mustRun(id);
    this.paused[paused ? "add" : "delete"](id);
  }
  async pauseZone(id: string): Promise<number> {
    this.mustRun(id);
    return 0;
  }
  async delete(id: string): Promise<void> {
    this.running.delete(id);
  }
  async lose(id: string): Promise<void> {
    this.mustRun(id);
    this.running.delete(id);
  }
  async powerOff(id: string): Promise<void> {
    this.mustRun(id);
  }
  async powerOn(id: string): Promise<void> {
    this.mustRun(id);
  }
  async stopControlPlane(id: string): Promise<void> {
    this.mustRun(id);
  }
  async startControlPlane(id: string): Promise<void> {
    this.mustRun(id);
  }
  get(id: string): RunningCluster | undefined {
    return this.running.get(id);
  }
  list(): RunningCluster[] {
    return [...this.running.values()];
  }
  async stopAll(): Promise<void> {
    this.running.clear();
  }
  private mustRun(id: string): void {
    if (!this.running.has(id)) throw new CloudError(404, "notFound", `${id} does not run`);
  }
}

/** Buckets and objects in memory. */
export class MemoryObjects implements ObjectStore {
  readonly buckets = new Map<string, Map<string, { content: Buffer; created: Date }>>();

  /** Buckets that hold noncurrent versions. */
  readonly noncurrent = new Set<string>();

  put(bucket: string, name: string, content: string, created = new Date()): void {
    this.buckets.get(bucket)?.set(name, { content: Buffer.from(content), created });
  }
  async createBucket(name: string): Promise<void> {
    if (this.buckets.has(name)) throw new Error(`storage server: bucket ${name} exists`);
    this.buckets.set(name, new Map());
  }
  async deleteBucket(name: string): Promise<void> {
    if (this.buckets.get(name)?.size) throw new CloudError(409, "conflict", `bucket ${name} is not empty`);
    this.buckets.delete(name);
  }
  async empty(bucket: string): Promise<void> {
    this.buckets.get(bucket)?.clear();
  }
  async hasNoncurrent(bucket: string): Promise<boolean> {
    return this.noncurrent.has(bucket);
  }
  async list(bucket: string, prefix: string): Promise<{ name: string; size: number; created: Date }[]> {
    return [...(this.buckets.get(bucket) ?? [])]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { content, created }]) => ({ name, size: content.length, created }));
  }
  async read(bucket: string, name: string): Promise<Buffer | undefined> {
    return this.buckets.get(bucket)?.get(name)?.content;
  }
}

/** A control plane in a new folder. `restart` makes another over the same state; `end` removes the folder. */
export function testCloud(options: Partial<CloudControlOptions> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "cloud-"));
  const [clusters, objects] = [new MemoryClusters(), new MemoryObjects()];
  const restart = () => new CloudControl({ dir, clusters: () => clusters, objects, ...options });
  return { dir, clusters, objects, restart, control: restart(), end: () => rmSync(dir, { recursive: true }) };
}

/** Asserts that the cloud refuses with a status and words. */
export async function refused(work: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof CloudError, String(error));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, words);
    return true;
  });
}
