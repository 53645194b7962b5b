/** Buckets and objects with the rights of the storage service itself, over the JSON API of the storage server. */
import { CloudError, type ObjectStore } from "../lib/types";
import type { Upstream } from "./upstream";
import type { Versions } from "./versions";

/** Deletions at once. */
const PARALLEL = 16;

export class FakeGcsObjects implements ObjectStore {
  constructor(
    private readonly upstream: Upstream,
    private readonly versions: () => Versions,
  ) {}

  createBucket(name: string): Promise<void> {
    return this.upstream.createBucket(name);
  }

  async deleteBucket(name: string): Promise<void> {
    if ((await this.upstream.list(name, "")).length > 0)
      throw new CloudError(409, "conflict", `bucket ${name} is not empty`);
    await this.upstream.removeBucket(name);
    await this.versions().purge(name);
  }

  async empty(bucket: string): Promise<void> {
    const names = (await this.upstream.list(bucket, "")).map(({ name }) => name);
    while (names.length > 0)
      await Promise.all(names.splice(0, PARALLEL).map((name) => this.upstream.remove(bucket, name)));
  }

  async list(bucket: string, prefix: string): Promise<{ name: string; size: number; created: Date }[]> {
    const found = await this.upstream.list(bucket, prefix);
    return found.map(({ name, size, timeCreated }) => ({ name, size: Number(size), created: new Date(timeCreated) }));
  }

  hasNoncurrent(bucket: string): Promise<boolean> {
    return this.versions().hasNoncurrent(bucket);
  }

  read(bucket: string, name: string): Promise<Buffer | undefined> {
    return this.upstream.read(bucket, name);
  }
}
