/**
 * A Cloud Storage for tests: the real rclone against fake-gcs-server, behind a proxy that lets a test look at and interfere
 * with single requests, and that refuses overwriting in append-only buckets as the vault's IAM does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../sandbox/lib/process";
import { program } from "./tools";

/** Called for each copy between buckets before it is made; `object` is the source's full name. */
export type OnCopy = (copy: { bucket: string; object: string; count: number }) => Promise<void> | void;

/** What a storage does instead of answering: it refuses with a status, or it takes its time. */
export interface Trouble {
  /** Absent: it answers in the end. */
  status?: 403 | 429 | 503;
  delayMs?: number;
}

/** A running storage; `env` points rclone to it. */
export interface TestStorage {
  env: Record<string, string>;
  onCopy: OnCopy | undefined;
  /** Called before each upload of an object, by its number since this was set; what it refuses is not written. */
  onUpload: ((count: number) => "refuse" | undefined) | undefined;
  /** Called before each removal of an object that a client asks for. */
  onDelete: ((object: string) => void) | undefined;
  /** Buckets in which an existing object can be neither overwritten nor deleted. */
  appendOnly: Set<string>;
  /** Buckets that refuse every request. */
  refused: Set<string>;
  /** Buckets that answer listings and refuse every other request. */
  listOnly: Set<string>;
  /** Asked for each request, by its number since this was set; what it says is done in place of the answer. */
  trouble: ((request: { method: string; url: string; count: number }) => Trouble | undefined) | undefined;
  /** Number of refused requests so far. */
  refusals: number;
  /** Number of copies between buckets so far. */
  copies: number;
  /** Creates the bucket, or empties it. `versioned` (when it is created): what goes becomes noncurrent. */
  emptyBucket(name: string, versioned?: boolean): Promise<void>;
  /** Contents of an object's noncurrent versions, the oldest first. */
  noncurrent(bucket: string, object: string): Promise<string[]>;
  put(bucket: string, object: string, content: string | Buffer): Promise<void>;
  get(bucket: string, object: string): Promise<string | undefined>;
  /** Content of an object that is no text. */
  bytes(bucket: string, object: string): Promise<Buffer | undefined>;
  names(bucket: string): Promise<string[]>;
  remove(bucket: string, object: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it on free ports of 127.0.0.1. */
export async function startStorage(): Promise<TestStorage> {
  const port = await freePort();
  const args = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-backend", "memory"];
  const server = spawn("setpriv", ["--pdeathsig", "KILL", program("fake-gcs-server"), ...args, "-log-level", "error"]);
  const base = `http://127.0.0.1:${port}`;
  await ready(`${base}/storage/v1/b?project=test`, server);

  const objectUrl = (bucket: string, object: string) =>
    `${base}/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}`;
  const storage: TestStorage = {
    env: {},
    onCopy: undefined,
    onUpload: undefined,
    onDelete: undefined,
    appendOnly: new Set(),
    refused: new Set(),
    listOnly: new Set(),
    trouble: undefined,
    refusals: 0,
    copies: 0,
    async emptyBucket(name, versioned = false) {
      for (const object of await storage.names(name)) {
        await storage.remove(name, object);
      }
      const response = await fetch(`${base}/storage/v1/b/${name}`);
      if (!response.ok) {
        await send(
          `${base}/storage/v1/b?project=test`,
          "POST",
          JSON.stringify({ name, versioning: { enabled: versioned } }),
        );
      }
    },
    async put(bucket, object, content) {
      const url = `${base}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(object)}`;
      await send(url, "POST", content);
    },
    async get(bucket, object) {
      const response = await fetch(`${objectUrl(bucket, object)}?alt=media`);
      return response.ok ? response.text() : undefined;
    },
    async bytes(bucket, object) {
      const response = await fetch(`${objectUrl(bucket, object)}?alt=media`);
      return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
    },
    async noncurrent(bucket, object) {
      const response = await fetch(
        `${base}/storage/v1/b/${bucket}/o?versions=true&prefix=${encodeURIComponent(object)}`,
      );
      const { items } = (await response.json()) as {
        items?: { name: string; generation: string; timeDeleted?: string }[];
      };
      const gone = (items ?? [])
        .filter(({ name, timeDeleted }) => name === object && timeDeleted)
        .sort((a, b) => Number(a.generation) - Number(b.generation));
      const contents = gone.map(({ generation }) =>
        fetch(`${objectUrl(bucket, object)}?alt=media&generation=${generation}`).then((version) => version.text()),
      );
      return Promise.all(contents);
    },
    async names(bucket) {
      const response = await fetch(`${base}/storage/v1/b/${bucket}/o`);
      const { items } = (await response.json()) as { items?: { name: string }[] };
      return (items ?? []).map(({ name }) => name).sort();
    },
    async remove(bucket, object) {
      await send(objectUrl(bucket, object), "DELETE");
    },
    async stop() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      server.kill("SIGKILL");
    },
  };
  const proxy = await startProxy(port, storage);
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/storage/v1/`;
  storage.env = {
    STORAGE_EMULATOR_HOST: new URL(endpoint).origin,
    RCLONE_GCS_ENDPOINT: endpoint,
    RCLONE_GCS_ANONYMOUS: "true",
    RCLONE_GCS_ENV_AUTH: "false",
  };
  return storage;
}

const REASONS = { 403: "forbidden", 429: "rateLimitExceeded", 503: "backendError" } as const;

async function startProxy(port: number, storage: TestStorage): Promise<Server> {
  const writing = new Set<string>();
  let asked: TestStorage["trouble"];
  let count = 0;
  let uploading: TestStorage["onUpload"];
  let uploads = 0;
  const proxy = createServer((incoming, answer) => {
    void (async () => {
      if (asked !== storage.trouble) [asked, count] = [storage.trouble, 0];
      const { status, delayMs = 0 } =
        asked?.({ method: incoming.method ?? "GET", url: incoming.url ?? "/", count: ++count }) ?? {};
      if (delayMs > 0) await sleep(delayMs);
      if (status !== undefined) {
        storage.refusals++;
        incoming.resume();
        const error = { code: status, message: `the storage says ${status}`, errors: [{ reason: REASONS[status] }] };
        answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
        return;
      }
      if (uploading !== storage.onUpload) [uploading, uploads] = [storage.onUpload, 0];
      const upload = incoming.method === "POST" && incoming.url?.startsWith("/upload/");
      const cut = upload && uploading?.(++uploads) === "refuse" ? "the upload is refused" : undefined;
      const refusal = cut ?? (await judge(incoming, answer, storage, writing));
      // Who was killed meanwhile asks for nothing any more.
      if (answer.destroyed) return;
      if (refusal !== undefined) {
        storage.refusals++;
        answer.writeHead(403, { "content-type": "application/json" });
        answer.end(JSON.stringify({ error: { code: 403, message: refusal, errors: [{ reason: "forbidden" }] } }));
        return;
      }
      const { method, url, headers } = incoming;
      const outgoing = request({ host: "127.0.0.1", port, method, path: url, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
      });
      outgoing.on("error", () => answer.destroy());
      incoming.pipe(outgoing);
    })();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return proxy;
}

/**
 * Why a request is refused; undefined: it is not.
 * @param writing names in append-only buckets that are being written: of two writers at once one is refused, as by the storage
 */
async function judge(
  incoming: IncomingMessage,
  answer: ServerResponse,
  storage: TestStorage,
  writing: Set<string>,
): Promise<string | undefined> {
  const url = new URL(incoming.url ?? "/", "http://storage");
  const copy = /^\/storage\/v1\/b\/([^/]+)\/o\/(.+)\/rewriteTo\/b\/([^/]+)\/o\/(.+)$/.exec(url.pathname);
  const plain = /\/b\/([^/]+)(?:\/o(?:\/(.+))?)?$/.exec(url.pathname);
  const bucket = copy?.[3] ?? plain?.[1] ?? "";
  const object = decodeURIComponent(copy?.[4] ?? plain?.[2] ?? url.searchParams.get("name") ?? "");
  if (storage.refused.has(bucket) || (copy !== null && storage.refused.has(copy[1]!))) {
    return "identity does not have storage.objects.list access";
  }
  if (storage.listOnly.has(bucket) && (incoming.method !== "GET" || object !== "")) {
    return `identity does not have storage.objects.get access to ${bucket}/${object}`;
  }
  if (copy !== null) {
    storage.copies++;
    await storage.onCopy?.({ bucket: copy[1]!, object: decodeURIComponent(copy[2]!), count: storage.copies });
  }
  if (incoming.method === "DELETE") storage.onDelete?.(object);
  const writes = incoming.method !== "GET" && incoming.method !== "HEAD";
  if (!writes || !storage.appendOnly.has(bucket)) return undefined;
  const name = `${bucket}/${object}`;
  const denied = `identity does not have storage.objects.delete access to ${name}`;
  if (answer.destroyed || writing.has(name)) return denied;
  writing.add(name);
  answer.once("close", () => writing.delete(name));
  return (await storage.get(bucket, object)) === undefined ? undefined : denied;
}

async function send(url: string, method: string, body?: string | Buffer): Promise<void> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  if (!response.ok) {
    throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  }
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 600 && server.exitCode === null; i++) {
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    ) {
      return;
    }
    await sleep(50);
  }
  throw new Error("fake-gcs-server did not start");
}
