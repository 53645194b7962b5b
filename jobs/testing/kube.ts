/**
 * A Kubernetes API for tests of jobs: custom resources in memory, created, read and listed as the real one answers. What an
 * operator would do is the test's: it is told of each creation and changes the status.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A custom resource as the API has it. */
export interface Stored {
  kind?: string;
  metadata: {
    name: string;
    generateName?: string;
    namespace?: string;
    uid?: string;
    creationTimestamp?: string;
    resourceVersion?: string;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** A running API. */
export interface TestKube {
  /** KUBECONFIG for a job. */
  env: Record<string, string>;
  /** Called after each creation; what it changes is seen by the next request. */
  onCreate: ((plural: string, object: Stored) => void) | undefined;
  /** Called before each request is done and answered, which waits for its end; when it throws, the connection is cut instead. */
  onRequest: ((method: string, plural: string) => void | Promise<void>) | undefined;
  /** Puts an object there, with a uid of its own. */
  put(plural: string, object: Stored): Stored;
  get(plural: string, name: string): Stored | undefined;
  list(plural: string): Stored[];
  clear(): void;
  stop(): Promise<void>;
}

/** Starts it on a free port of 127.0.0.1. */
export async function startKube(): Promise<TestKube> {
  const folder = mkdtempSync(join(tmpdir(), "kube-"));
  const objects = new Map<string, Map<string, Stored>>();
  let version = 0;
  const of = (plural: string) => {
    const known = objects.get(plural) ?? new Map<string, Stored>();
    objects.set(plural, known);
    return known;
  };
  const kube: TestKube = {
    env: { KUBECONFIG: join(folder, "config") },
    onCreate: undefined,
    onRequest: undefined,
    put(plural, object) {
      const metadata = {
        uid: randomUUID(),
        creationTimestamp: new Date().toISOString(),
        ...object.metadata,
        resourceVersion: String(++version),
      };
      const stored = { ...object, metadata };
      of(plural).set(object.metadata.name, stored);
      return stored;
    },
    get: (plural, name) => of(plural).get(name),
    list: (plural) => [...of(plural).values()],
    clear: () => objects.clear(),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", async () => {
      const [, plural = "", name] = /\/apis\/[^/]+\/[^/]+\/namespaces\/[^/]+\/([^/?]+)(?:\/([^/?]+))?/.exec(
        request.url ?? "",
      ) ?? [undefined];
      try {
        await kube.onRequest?.(request.method ?? "", plural);
      } catch {
        return request.socket.destroy();
      }
      const [status, answer] = handle(kube, request.method ?? "", plural, name, body);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const named = (part: object) => [{ name: "test", ...part }];
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: named({ cluster: { server: url, "insecure-skip-tls-verify": true } }),
    users: named({ user: { token: "test" } }),
    contexts: named({ context: { cluster: "test", user: "test" } }),
  };
  writeFileSync(kube.env.KUBECONFIG!, JSON.stringify(config));
  return kube;
}

function handle(
  kube: TestKube,
  method: string,
  plural: string,
  name: string | undefined,
  body: string,
): [number, unknown] {
  const refusal = (code: number, reason: string): [number, unknown] => [code, { kind: "Status", code, reason }];
  if (method === "POST") {
    const object = JSON.parse(body) as Stored;
    object.metadata.name ??= `${object.metadata.generateName}${randomUUID().slice(0, 5)}`;
    if (kube.get(plural, object.metadata.name)) return refusal(409, "AlreadyExists");
    const stored = kube.put(plural, object);
    kube.onCreate?.(plural, stored);
    return [201, stored];
  }
  if (method === "PUT") {
    const object = JSON.parse(body) as Stored;
    const { resourceVersion, uid, creationTimestamp } = kube.get(plural, object.metadata.name)?.metadata ?? {};
    if (resourceVersion === undefined) return refusal(404, "NotFound");
    if ((object.metadata.resourceVersion ?? resourceVersion) !== resourceVersion) return refusal(409, "Conflict");
    return [200, kube.put(plural, { ...object, metadata: { ...object.metadata, uid, creationTimestamp } })];
  }
  if (method !== "GET") return refusal(405, "MethodNotAllowed");
  if (name === undefined) return [200, { kind: "List", items: kube.list(plural) }];
  const found = kube.get(plural, name);
  return found ? [200, found] : refusal(404, "NotFound");
}
