import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { type Answer, forward } from "./gateway-forward";
import type { Upstream } from "./upstream";

/** The storage server, and what it was asked. */
const asked: string[] = [];
const storage = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  if (request.url !== "/broken") return void response.end("content");
  response.writeHead(200, { "content-length": 20 }).write("cont");
  setTimeout(() => request.socket.destroy(), 50);
});
const portOf = (server: typeof storage) => (server.address() as AddressInfo).port;
const listen = (server: typeof storage) =>
  new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));

before(() => listen(storage));
after(() => storage.close());

/** Forwards one request; `when` is waited for between its arrival and that. @returns what became of it, when it ends */
async function forwarding(
  when: (gone: Promise<unknown>) => Promise<unknown> | undefined,
  client: "waits" | "goes",
  path = "/object",
) {
  const endpoint = `http://127.0.0.1:${portOf(storage)}`;
  const upstream = { endpoint, dated: (resource: unknown) => resource } as unknown as Upstream;
  let end: (answer: Answer) => void = () => undefined;
  const ended = new Promise<Answer>((resolve) => {
    end = resolve;
  });
  const gateway = createServer(async (request, response) => {
    await when(once(response, "close"));
    end(await forward({ request, response, head: undefined }, { upstream, endpoint }));
  });
  await listen(gateway);
  const sent = httpRequest({ port: portOf(gateway), host: "127.0.0.1", method: "POST", path });
  sent.on("error", () => undefined);
  sent.on("response", (response) => response.on("error", () => undefined).resume());
  sent.end("body");
  if (client === "goes") await once(gateway, "request").then(() => sent.destroy());
  return ended.finally(() => gateway.close());
}

test("an answer is handed back", async () => {
  assert.deepEqual(await forwarding(() => undefined, "waits"), { status: 200, complete: true });
  assert.deepEqual(asked.splice(0), ["POST /object"]);
});

test("a client that has gone before its request is handed on ends it at once", { timeout: 10_000 }, async () => {
  assert.deepEqual(await forwarding((gone) => gone, "goes"), { status: 503, complete: false });
  assert.deepEqual(asked.splice(0), []);
});

test("an answer that breaks off breaks off for the client, who would wait for the rest", {
  timeout: 10_000,
}, async () => {
  assert.deepEqual(await forwarding(() => undefined, "waits", "/broken"), { status: 200, complete: false });
  assert.deepEqual(asked.splice(0), ["POST /broken"]);
});
