/**
 * A Cloud Storage in memory that stays fast with many objects, as far as rclone asks for it: ordered listings by page, reads,
 * uploads, copies inside. No identity, no conditions, no versions; contents are text.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A stored object. */
interface Stored {
  content: Buffer;
  md5: string;
  /** What it says it has; copies inside the storage move no content. */
  size: number;
}

const PAGE = 1000;

/** One bucket: contents by name, and the names in order when somebody lists them. */
class Bucket {
  private readonly objects = new Map<string, Stored>();
  private sorted: string[] | undefined;

  put(name: string, content: Buffer, size = content.length): Stored {
    const stored = { content, size, md5: createHash("md5").update(content).digest("base64") };
    this.share(name, stored);
    return stored;
  }
  share(name: string, stored: Stored): void {
    if (!this.objects.has(name)) this.sorted = undefined;
    this.objects.set(name, stored);
  }
  get(name: string): Stored | undefined {
    return this.objects.get(name);
  }
  remove(name: string): void {
    if (this.objects.delete(name)) this.sorted = undefined;
  }
  /** Names from one on that begin with the prefix; plain names alone, whose order is the same in UTF-16. */
  page(prefix: string, from: string): { names: string[]; next: string | undefined } {
    this.sorted ??= [...this.objects.keys()].sort();
    const start = firstFrom(this.sorted, from > prefix ? from : prefix);
    const names: string[] = [];
    for (let index = start; index < this.sorted.length; index++) {
      const name = this.sorted[index]!;
      if (!name.startsWith(prefix)) break;
      if (names.length === PAGE) return { names, next: name };
      names.push(name);
    }
    return { names, next: undefined };
  }
}

function firstFrom(sorted: readonly string[], from: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A running storage; `env` points rclone to it. Buckets come into being when they are named. */
export class BenchStorage {
  private readonly buckets = new Map<string, Bucket>();
  private server!: Server;
  env: Record<string, string> = {};

  bucket(name: string): Bucket {
    const found = this.buckets.get(name) ?? new Bucket();
    this.buckets.set(name, found);
    return found;
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      void this.answer(request).then(
        ([status, body]) => {
          const type = Buffer.isBuffer(body) ? "application/octet-stream" : "application/json";
          response.writeHead(status, { "content-type": type }).end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
        },
        (error: Error) => response.writeHead(500).end(error.message),
      );
    });
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/storage/v1/`;
    this.env = { RCLONE_GCS_ENDPOINT: endpoint, RCLONE_GCS_ANONYMOUS: "true", RCLONE_GCS_ENV_AUTH: "false" };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    const url = new URL(request.url ?? "/", "http://storage");
    const absent: [number, unknown] = [404, { error: { code: 404, message: "Not Found" } }];
    const upload = /\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(url.pathname);
    if (upload) {
      const { name, content } = parts(await bodyOf(request), request.headers["content-type"] ?? "");
      return [200, this.resource(upload[1]!, name, this.bucket(upload[1]!).put(name, content))];
    }
    const copy = /\/b\/([^/]+)\/o\/([^/]+)\/(?:rewriteTo|copyTo)\/b\/([^/]+)\/o\/([^/]+)$/.exec(url.pathname);
    if (copy) {
      const [from, name, to, as] = copy.slice(1).map(decodeURIComponent) as [string, string, string, string];
      const found = this.bucket(from).get(name);
      if (!found) return absent;
      this.bucket(to).share(as, found);
      const size = String(found.size);
      return [200, { done: true, objectSize: size, totalBytesRewritten: size, resource: this.resource(to, as, found) }];
    }
    const [, bucket = "", object] = /\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (object === undefined) return [200, this.list(bucket, url.searchParams)];
    const name = decodeURIComponent(object);
    const found = this.bucket(bucket).get(name);
    if (!found) return absent;
    return [200, url.searchParams.get("alt") === "media" ? found.content : this.resource(bucket, name, found)];
  }

  private resource(bucket: string, name: string, stored: Stored) {
    return resourceAt(new URL(this.env.RCLONE_GCS_ENDPOINT!).origin, bucket, name, stored);
  }

  private list(bucket: string, query: URLSearchParams): unknown {
    const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter")];
    const { names, next } = this.bucket(bucket).page(prefix, query.get("pageToken") ?? "");
    const folderOf = (name: string) => {
      const end = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
      return end < 0 ? undefined : name.slice(0, end + 1);
    };
    const folders = [...new Set(names.flatMap((name) => folderOf(name) ?? []))];
    const own = names.filter((name) => folderOf(name) === undefined);
    const items = own.map((name) => this.resource(bucket, name, this.bucket(bucket).get(name)!));
    return { items, prefixes: folders, ...(next !== undefined && { nextPageToken: next }) };
  }
}

const MOMENT = "2026-01-01T00:00:00.000Z";

function resourceAt(origin: string, bucket: string, name: string, { size, md5 }: Stored) {
  const mediaLink = `${origin}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`;
  return {
    bucket,
    name,
    size: String(size),
    md5Hash: md5,
    updated: MOMENT,
    timeCreated: MOMENT,
    generation: "1",
    mediaLink,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Name and content of a multipart upload. */
function parts(body: Buffer, type: string): { name: string; content: Buffer } {
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) throw new Error(`this storage takes multipart uploads alone, not ${type}`);
  const mark = Buffer.from(`--${boundary}`);
  const [first, second, end] = [0, 1, 2].reduce<number[]>((found) => {
    const from = found.length === 0 ? 0 : found.at(-1)! + mark.length;
    return [...found, body.indexOf(mark, from)];
  }, []) as [number, number, number];
  const part = (from: number, to: number) => body.subarray(body.indexOf("\r\n\r\n", from + mark.length) + 4, to - 2);
  const { name } = JSON.parse(part(first, second).toString()) as { name: string };
  return { name, content: part(second, end) };
}
