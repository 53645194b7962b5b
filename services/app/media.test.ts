/** Media over HTTP, with a storage that holds what it was given. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ClientRequest, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, mock, test } from "node:test";
import { OAuth2Client } from "google-auth-library";
import { routes as frontRoutes } from "./front";
import { serve } from "./http";
import { MEDIA_BYTES, mediaRoutes } from "./media";
import { SILENT_MS, type Storage } from "./storage";
import { googleStorage } from "./storage-google";
import { s3Storage } from "./storage-s3";

const opened: { close(): void; closeAllConnections(): void }[] = [];
after(() => {
  for (const server of opened) {
    server.closeAllConnections();
    server.close();
  }
});

const BINARY = Buffer.from([0, 255, 128, 10]);

/** Reads a request's body. */
async function all(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** A server whose objects are at `BUCKET/NAME`, whatever the cloud's way to say so; S3's takes parts as well. */
async function objectServer(status?: number) {
  const objects = new Map<string, Buffer>();
  const authorizations: string[] = [];
  const parts: Buffer[] = [];
  const server = createServer(async (asked, answer) => {
    authorizations.push(asked.headers.authorization ?? "");
    const url = new URL(asked.url!, "http://localhost");
    const [, bucket, name] = /^(?:\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(url.pathname) ?? [];
    const key = decodeURIComponent(
      bucket ? `${bucket}/${name ?? url.searchParams.get("name")}` : url.pathname.slice(1),
    );
    const body = await all(asked).catch(() => undefined);
    if (!body) return;
    const done = (xml: string) => void answer.end(`<Result>${xml}</Result>`);
    assert.equal(asked.headers["content-encoding"], undefined, "no pieces of a network's making");
    if (status) answer.writeHead(status).end("<secret/>");
    else if (url.searchParams.has("uploads")) done("<UploadId>u</UploadId>");
    else if (url.searchParams.has("partNumber")) {
      parts[Number(url.searchParams.get("partNumber")) - 1] = body;
      answer.setHeader("etag", '"e"').end();
    } else if (asked.method === "DELETE") {
      parts.length = 0;
      answer.writeHead(204).end();
    } else if (url.searchParams.has("uploadId")) {
      objects.set(key, Buffer.concat(parts));
      done("<ETag>e</ETag>");
    } else if (asked.method !== "GET") {
      objects.set(key, body);
      answer.end("{}");
    } else if (objects.has(key)) answer.setHeader("content-type", "video/mp4").end(objects.get(key));
    else answer.writeHead(404).end(bucket ? "" : "<Error><Code>NoSuchKey</Code></Error>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return { endpoint: addressOf(server), objects, authorizations };
}

const addressOf = (server: { address(): unknown }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** The media routes over a storage. */
async function started(storage: (endpoint: string) => Storage, status?: number) {
  const { endpoint, objects, authorizations } = await objectServer(status);
  const places = new Map([["iconik-files", { storage: storage(endpoint), live: "live", copies: "copies" }]]);
  const server = await serve(mediaRoutes(places), { HOST: "127.0.0.1", PORT: 0, REGION: "here" });
  opened.push(server);
  return { base: addressOf(server), objects, authorizations };
}

const google = (endpoint: string) => {
  const client = new OAuth2Client();
  client.setCredentials({ access_token: "token" });
  return googleStorage(() => client, endpoint);
};
const aws = (endpoint: string) => {
  process.env.AWS_ENDPOINT_URL_S3 = endpoint;
  return s3Storage({ region: "eu-central-1", credentials: { accessKeyId: "id", secretAccessKey: "key" } });
};

for (const [cloud, storage, authorized] of [
  ["Google", google, /^Bearer token$/],
  ["AWS", aws, /^AWS4-HMAC-SHA256 Credential=id\//],
] as const)
  test(`${cloud}: written to the live bucket, read there first and then from the copy`, async () => {
    const { base, objects, authorizations } = await started(storage);
    const url = `${base}/api/media/iconik-files/assets/1/a%20%23b%27.mp4`;
    objects.set("copies/assets/1/a #b'.mp4", Buffer.from("copy"));
    const copy = await fetch(url);
    assert.deepEqual([copy.headers.get("content-type"), await copy.text()], ["video/mp4", "copy"]);
    const written = await fetch(url, { method: "PUT", body: BINARY });
    assert.equal(written.status, 200, await written.text());
    assert.deepEqual(objects.get("live/assets/1/a #b'.mp4"), BINARY);
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), BINARY);
    assert.equal(objects.get("copies/assets/1/a #b'.mp4")?.toString(), "copy");
    for (const each of authorizations) assert.match(each, authorized);
  });

for (const [cloud, storage] of [
  ["Google", google],
  ["AWS", aws],
] as const) {
  test(`${cloud}: what comes slowly and in small pieces is whole, in parts where the storage has them`, async () => {
    const { base, objects } = await started(storage);
    const content = randomBytes(11 << 20);
    const pieces = Array.from({ length: 11 }, (_, index) => content.subarray(index << 20, (index + 1) << 20));
    const path = "/api/media/iconik-files/large";
    const status = await sent(base, path, content.length, async (call) => {
      for (const piece of [content.subarray(0, 1000), pieces[0]!.subarray(1000), ...pieces.slice(1)]) {
        call.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      call.end();
    });
    assert.equal(status, 200);
    assert.ok(objects.get("live/large")?.equals(content));
  });

  test(`${cloud}: whoever leaves in the middle of an upload takes nothing along`, async () => {
    const { base, objects } = await started(storage);
    const left = sent(base, "/api/media/iconik-files/left", 500_000, async (call) => {
      call.write(randomBytes(30_000));
      await new Promise((resolve) => setTimeout(resolve, 200));
      call.destroy();
    });
    await assert.rejects(left);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await fetch(`${base}/api/media/iconik-files/left`)).status, 404);
    assert.equal(objects.has("live/left"), false);
    assert.equal((await fetch(`${base}/api/media/iconik-files/a`, { method: "PUT", body: "a" })).status, 200);
  });
}

/** Sends a body as it is written. @returns the answer's status @throws when there is none */
function sent(base: string, path: string, bytes: number, write: (call: ClientRequest) => Promise<void>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const call = request(`${base}${path}`, { method: "PUT", headers: { "content-length": bytes } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.on("error", reject);
    call.on("close", () => reject(new Error("closed")));
    write(call).catch(reject);
  });
}

test("what is handed out cannot act as the product in a browser", async () => {
  const { base, objects } = await started(google);
  const front = await serve(frontRoutes(base), { HOST: "127.0.0.1", PORT: 0, REGION: "here" });
  opened.push(front);
  objects.set("live/film", Buffer.from("film"));
  for (const at of [base, addressOf(front)]) {
    const { headers } = await fetch(`${at}/api/media/iconik-files/film`);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
    assert.deepEqual([headers.get("content-disposition"), headers.get("content-length")], [null, "4"]);
  }
  const page = await started((endpoint) => typed(google(endpoint), "text/html"));
  page.objects.set("live/page", Buffer.from("<script>"));
  const { headers } = await fetch(`${page.base}/api/media/iconik-files/page`);
  assert.deepEqual([headers.get("content-type"), headers.get("content-disposition")], ["text/html", "attachment"]);
});

/** A storage whose objects have a type. */
const typed = (storage: Storage, type: string): Storage => ({
  ...storage,
  read: async (...asked) => {
    const found = await storage.read(...asked);
    return found && { ...found, type };
  },
});

test("a storage that says nothing is given up in time, and so is one whose client does not hear of it", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const never = new Promise<never>(() => undefined);
    const read = googleStorage(() => ({ request: () => never }), "http://127.0.0.1:9").read(
      "b",
      "n",
      new AbortController().signal,
    );
    mock.timers.tick(SILENT_MS);
    await assert.rejects(read, /reading gs:\/\/b: Error: silent for 15000 ms/);
  } finally {
    mock.timers.reset();
  }
  const gone = new AbortController();
  const left = googleStorage(() => ({ request: () => new Promise<never>(() => undefined) }), "http://127.0.0.1:9").read(
    "b",
    "n",
    gone.signal,
  );
  gone.abort();
  await assert.rejects(left, /nobody waits any more/);
});

test("uploads beyond what the process holds at once are sent away, and the next one is taken", async () => {
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  let taken = 0;
  const write = () => {
    taken++;
    return held;
  };
  const slow: Storage = { read: async () => undefined, write };
  const { base } = await started(() => slow);
  const put = () => fetch(`${base}/api/media/iconik-files/a`, { method: "PUT", body: "a" });
  const under = Array.from({ length: 16 }, put);
  while (taken < under.length) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await put()).status, 503);
  end();
  assert.deepEqual(new Set((await Promise.all(under)).map(({ status }) => status)), new Set([200]));
  assert.equal((await put()).status, 200);
});

for (const [cloud, storage] of [
  ["Google", google],
  ["AWS", aws],
] as const)
  test(`${cloud}: a refusal of the storage is a 502 that tells nothing of it`, async () => {
    const { base } = await started(storage, 403);
    for (const init of [{}, { method: "PUT", body: "a" }]) {
      const answer = await fetch(`${base}/api/media/iconik-files/a`, init);
      assert.equal(answer.status, 502);
      assert.deepEqual(await answer.json(), { error: "the storage refused the request, or does not answer" });
    }
  });

test("what is not there, unknown or not encoded is said", async () => {
  const { base } = await started(google);
  const asked = async (path: string) => {
    const answer = await fetch(`${base}/api/media/${path}`);
    return [answer.status, ((await answer.json()) as { error: string }).error];
  };
  assert.deepEqual(await asked("iconik-files/a%20b"), [404, "no object a b in iconik-files"]);
  assert.deepEqual(await asked("other/a"), [404, "no bucket other"]);
  assert.deepEqual(await asked("iconik-files/%ff"), [400, '"%ff" is not percent-encoded UTF-8']);
});

test("an object that is too large is refused before it is sent", async () => {
  const { base, objects } = await started(google);
  const headers = { "content-length": MEDIA_BYTES + 1 };
  const status = await new Promise((resolve, reject) => {
    const call = request(`${base}/api/media/iconik-files/a`, { method: "PUT", headers }, (answer) => {
      resolve(answer.statusCode);
      call.destroy();
    });
    call.on("error", reject);
    call.flushHeaders();
  });
  assert.equal(status, 413);
  assert.equal(objects.size, 0);
});

test("the front hands media on unchanged", async () => {
  const { base, objects } = await started(google);
  const front = await serve(frontRoutes(base), { HOST: "127.0.0.1", PORT: 0, REGION: "here" });
  opened.push(front);
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/api/media/iconik-files/a%20b`;
  assert.equal((await fetch(url, { method: "PUT", body: BINARY })).status, 200);
  assert.deepEqual(objects.get("live/a b"), BINARY);
  assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), BINARY);
  assert.equal((await fetch(`${url}c`)).status, 404);
});
