/** The storage server with the rights of the storage service itself, its times as the cloud's clock has them. */
import type { CloudClock } from "./clock";

/** An object as the JSON API shows it; numbers are texts. */
export interface ObjectResource {
  name: string;
  bucket: string;
  generation: string;
  size: string;
  timeCreated: string;
  updated: string;
  [field: string]: unknown;
}

/** Fields with a moment that the storage server set. */
const TIMES = ["timeCreated", "updated", "timeStorageClassUpdated"] as const;

export class Upstream {
  constructor(
    readonly endpoint: string,
    private readonly clock: CloudClock,
  ) {}

  /** Metadata of an object; undefined: there is none. */
  async object(bucket: string, name: string): Promise<ObjectResource | undefined> {
    const response = await this.call(objectPath(bucket, name), {}, [404]);
    return response.status === 404 ? undefined : this.dated((await response.json()) as ObjectResource);
  }

  /** Every object from a name on, in the order of the storage's listings. An absent bucket is empty. */
  async list(bucket: string, prefix: string, startOffset = ""): Promise<ObjectResource[]> {
    const query = new URLSearchParams({ prefix, ...(startOffset ? { startOffset } : {}) });
    const response = await this.call(`/storage/v1/b/${bucket}/o?${query}`, {}, [404]);
    if (response.status === 404) return [];
    const { items = [] } = (await response.json()) as { items?: ObjectResource[] };
    return items.map((item) => this.dated(item)).sort((a, b) => byBytes(a.name, b.name));
  }

  async read(bucket: string, name: string): Promise<Buffer | undefined> {
    const response = await this.call(`${objectPath(bucket, name)}?alt=media`, {}, [404]);
    return response.status === 404 ? undefined : Buffer.from(await response.arrayBuffer());
  }

  /** Copies content and metadata. */
  async copy(fromBucket: string, from: string, toBucket: string, to: string): Promise<ObjectResource> {
    const target = `b/${toBucket}/o/${encodeURIComponent(to)}`;
    const response = await this.call(`${objectPath(fromBucket, from)}/copyTo/${target}`, { method: "POST" });
    return this.dated((await response.json()) as ObjectResource);
  }

  /** Removing what is gone succeeds. */
  async remove(bucket: string, name: string): Promise<void> {
    await this.call(objectPath(bucket, name), { method: "DELETE" }, [404]);
  }

  /** Creating what is there succeeds. */
  async createBucket(name: string): Promise<void> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name });
    await this.call("/storage/v1/b?project=any", { method: "POST", body, headers }, [409]);
  }

  /** Removes a bucket with its objects; removing what is gone succeeds. */
  async removeBucket(name: string): Promise<void> {
    for (const object of await this.list(name, "")) await this.remove(name, object.name);
    await this.call(`/storage/v1/b/${name}`, { method: "DELETE" }, [404]);
  }

  /** The resource, or one that holds it (`resource` of a rewrite), with the cloud's times. */
  dated<T extends Record<string, unknown>>(resource: T): T {
    if (!this.clock.moved) return resource;
    const dated: Record<string, unknown> = { ...resource };
    for (const field of TIMES)
      if (typeof dated[field] === "string") dated[field] = this.clock.at(new Date(dated[field])).toISOString();
    if (isRecord(dated.resource)) dated.resource = this.dated(dated.resource);
    return dated as T;
  }

  private async call(path: string, init: RequestInit, also: number[] = []): Promise<Response> {
    const response = await fetch(`${this.endpoint}${path}`, init);
    if (response.ok || also.includes(response.status)) return response;
    throw new Error(`storage server: ${init.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
  }
}

/** The resource, or one that holds some, with links to where the client asked: whoever follows them is checked there. */
export function linked<T extends Record<string, unknown>>(resource: T, endpoint: string): T {
  if (!isRecord(resource)) return resource;
  const { bucket, name, generation, resource: inner, items } = resource;
  if (isRecord(inner)) return { ...resource, resource: linked(inner, endpoint) };
  if (Array.isArray(items)) return { ...resource, items: items.map((item) => linked(item, endpoint)) };
  if (typeof bucket !== "string" || typeof name !== "string") return resource;
  return {
    ...resource,
    selfLink: `${endpoint}${objectPath(bucket, name)}`,
    mediaLink: `${endpoint}/download${objectPath(bucket, name)}?generation=${generation}&alt=media`,
  };
}

/** Path of an object's metadata. */
export const objectPath = (bucket: string, name: string): string =>
  `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;

/** Order of the storage's listings: UTF-8 bytes, which is JavaScript's own below the surrogates. */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  if (!BEYOND.test(a) && !BEYOND.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const BEYOND = /[\ud800-\uffff]/;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
