/** The operator's question for a cluster's health, with servers that answer, half answer and do not. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { before, test } from "node:test";
import { authority, issue, type KeyPair } from "../../lib/certificates";
import { clusterHealth } from "./health";

const servername = "store-es-http.search.svc";
let ca: KeyPair;
let own: KeyPair;

before(async () => {
  ca = await authority("test");
  own = await issue(ca, { commonName: servername, dnsNames: [servername] });
});

/** The health of a cluster that answers so. */
async function healthOf(answer: RequestListener): Promise<string | undefined> {
  const server = createServer({ cert: own.certificate, key: own.key }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await clusterHealth({ host: "127.0.0.1", port, servername, ca: ca.certificate, password: "p" });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("what it says is its health, asked for as the administrator", async () => {
  const asked: (string | undefined)[] = [];
  const health = await healthOf((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.end('{"status":"yellow"}');
  });
  assert.equal(health, "yellow");
  assert.deepEqual(asked, ["/_cluster/health", `Basic ${Buffer.from("elastic:p").toString("base64")}`]);
});

test("a refusal, and what is no JSON, are no health", async () => {
  const refused: RequestListener = (_, response) => response.writeHead(401).end('{"status":401}');
  assert.equal(await healthOf(refused), undefined);
  assert.equal(await healthOf((_, response) => response.end("not yet")), undefined);
});

// Whoever waits for the rest of an answer looks at the cluster never again.
test("an answer that breaks off, or stands still after its headers, is none", { timeout: 20_000 }, async () => {
  const half: RequestListener = (_, response) => response.writeHead(200, { "content-length": 20 }).write('{"status":');
  assert.equal(await healthOf(half), undefined);
  const broken: RequestListener = (request, response) => {
    half(request, response);
    setTimeout(() => request.socket.destroy(), 50);
  };
  assert.equal(await healthOf(broken), undefined);
});

test("nobody there is no health", async () => {
  assert.equal(
    await clusterHealth({ host: "127.0.0.1", port: 1, servername, ca: ca.certificate, password: "p" }),
    undefined,
  );
});
