/** Media over HTTP, with a storage that holds what it was given. */
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { routes as frontRoutes } from "./front";
import { serve } from "./http";
import { googleSign, MEDIA_BYTES, mediaRoutes, type Sign, s3Sign } from "./media";

const opened: { close(): void; closeAllConnections(): void }[] = [];
after(() => {
  for (const server of opened) {
    server.closeAllConnections();
    server.close();
  }
});

/** A storage by path, and the media routes over it. */
async function started(sign: (endpoint: string) => Sign, status?: number) {
  const objects = new Map<string, Buffer>();
  const authorizations: string[] = [];
  const storage = createServer(async (asked, answer) => {
    authorizations.push(asked.headers.authorization ?? "");
    const parts: Buffer[] = [];
    for await (const part of asked as AsyncIterable<Buffer>) parts.push(part);
    if (status) answer.writeHead(status).end("<secret/>");
    else if (asked.method === "PUT") {
      objects.set(asked.url!, Buffer.concat(parts));
      answer.end();
    } else if (objects.has(asked.url!)) answer.end(objects.get(asked.url!));
    else answer.writeHead(404).end();
  });
  await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
  const at = (server: { address(): unknown }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const places = new Map([["iconik-files", { live: "live", copies: "copies" }]]);
  const server = await serve(mediaRoutes(places, sign(at(storage))), { HOST: "127.0.0.1", PORT: 0, REGION: "here" });
  opened.push(storage, server);
  return { base: at(server), objects, authorizations };
}

const google = (endpoint: string) => googleSign(endpoint, async () => "token");
const keys = { AccessKeyId: "id", SecretAccessKey: "key", Token: "session", Expiration: "2099-01-01T00:00:00Z" };
const aws = (endpoint: string) => s3Sign("eu-central-1", endpoint, async () => keys);
const BINARY = Buffer.from([0, 255, 128, 10]);

for (const [cloud, sign, authorized] of [
  ["Google", google, /^Bearer token$/],
  ["AWS", aws, /^AWS4-HMAC-SHA256 Credential=id\//],
] as const)
  test(`${cloud}: written to the live bucket, read there first and then from the copy`, async () => {
    const { base, objects, authorizations } = await started(sign);
    const url = `${base}/api/media/iconik-files/assets/1/a%20%23b%27.mp4`;
    objects.set("/copies/assets/1/a%20%23b%27.mp4", Buffer.from("copy"));
    assert.equal(await (await fetch(url)).text(), "copy");
    assert.equal((await fetch(url, { method: "PUT", body: BINARY })).status, 200);
    assert.deepEqual(objects.get("/live/assets/1/a%20%23b%27.mp4"), BINARY);
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), BINARY);
    assert.equal(objects.get("/copies/assets/1/a%20%23b%27.mp4")?.toString(), "copy");
    for (const each of authorizations) assert.match(each, authorized);
  });

test("what is not there, unknown or not encoded is said", async () => {
  const { base } = await started(google);
  const asked = async (path: string) => {
    const answer = await fetch(`${base}/api/media/${path}`);
    return [answer.status, ((await answer.json()) as { error: string }).error];
  };
  assert.deepEqual(await asked("iconik-files/a%20b"), [404, "no object a b in iconik-files"]);
  assert.deepEqual(await asked("other/a"), [404, "no bucket other; allowed: iconik-files"]);
  assert.deepEqual(await asked("iconik-files/%ff"), [400, '"%ff" is not percent-encoded UTF-8']);
});

test("a refusal of the storage is a 502 that tells nothing of it", async () => {
  const { base } = await started(google, 403);
  const answer = await fetch(`${base}/api/media/iconik-files/a`);
  assert.equal(answer.status, 502);
  assert.deepEqual(await answer.json(), { error: "the storage refused the request" });
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
  const { base, objects } = await started(aws);
  const front = await serve(frontRoutes(base), { HOST: "127.0.0.1", PORT: 0, REGION: "here" });
  opened.push(front);
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/api/media/iconik-files/a%20b`;
  assert.equal((await fetch(url, { method: "PUT", body: BINARY })).status, 200);
  assert.deepEqual(objects.get("/live/a%20b"), BINARY);
  assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), BINARY);
  assert.equal((await fetch(`${url}c`)).status, 404);
});
