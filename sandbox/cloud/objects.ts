/** Buckets and objects with the rights of the storage service itself, over the JSON API of the storage server. */
import { CloudError, type ObjectStore } from "../lib/types";

interface ListedObject {
  name: string;
  size: string;
  timeCreated: string;
}

/** Deletions at once. */
const PARALLEL = 16;

export class FakeGcsObjects implements ObjectStore {
  constructor(private readonly endpoint: string) {}

  async createBucket(name: string): Promise<void> {
    const body = JSON.stringify({ name });
    const headers = { "content-type": "application/json" };
    await this.call("/storage/v1/b?project=any", { method: "POST", body, headers });
  }

  async deleteBucket(name: string): Promise<void> {
    if ((await this.list(name, "")).length > 0) throw new CloudError(409, "conflict", `bucket ${name} is not empty`);
    await this.call(`/storage/v1/b/${name}`, { method: "DELETE" }, [404]);
  }

  async empty(bucket: string): Promise<void> {
    const names = (await this.list(bucket, "")).map(({ name }) => name);
    while (names.length > 0) {
      const batch = names.splice(0, PARALLEL);
      await Promise.all(batch.map((name) => this.call(objectPath(bucket, name), { method: "DELETE" }, [404])));
    }
  }

  async list(bucket: string, prefix: string): Promise<{ name: string; size: number; created: Date }[]> {
    const found: { name: string; size: number; created: Date }[] = [];
    for (let page: string | undefined = ""; page !== undefined; ) {
      const query = new URLSearchParams({ prefix, maxResults: "1000", ...(page ? { pageToken: page } : {}) });
      const response = await this.call(`/storage/v1/b/${bucket}/o?${query}`, {}, [404]);
      if (response.status === 404) return [];
      const listed = (await response.json()) as { items?: ListedObject[]; nextPageToken?: string };
      for (const { name, size, timeCreated } of listed.items ?? [])
        found.push({ name, size: Number(size), created: new Date(timeCreated) });
      page = listed.nextPageToken || undefined;
    }
    return found;
  }

  async read(bucket: string, name: string): Promise<Buffer | undefined> {
    const response = await this.call(`${objectPath(bucket, name)}?alt=media`, {}, [404]);
    return response.status === 404 ? undefined : Buffer.from(await response.arrayBuffer());
  }

  private async call(path: string, init: RequestInit, also: number[] = []): Promise<Response> {
    const response = await fetch(`${this.endpoint}${path}`, init);
    if (response.ok || also.includes(response.status)) return response;
    throw new Error(`storage server: ${init.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
  }
}

const objectPath = (bucket: string, name: string): string => `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
