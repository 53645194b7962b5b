/** The client of Elasticsearch against a server that closes connections and renews its certificate. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { authority, issue, type KeyPair } from "../../sandbox/lib/certificates";
import { search } from "./search";

const folder = mkdtempSync(join(tmpdir(), "search-"));
for (const name of ["username", "password"]) writeFileSync(join(folder, name), "iconik");
const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

const certificateOf = async (ca: KeyPair) => {
  const { certificate, key } = await issue(ca, { commonName: "search", ipAddresses: ["127.0.0.1"] });
  return { cert: certificate, key };
};

/** A server whose connections from the second request on end as `each` says. */
async function serving(ca: KeyPair, each: (request: number, socket: Socket) => boolean) {
  let requests = 0;
  const server = createServer(await certificateOf(ca), (request, response) => {
    if (!each(++requests, request.socket)) return;
    response.end(JSON.stringify({ requests }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = (url: string, authorityOf: () => Promise<string>) =>
  search(
    { ELASTICSEARCH_URL: url, ELASTICSEARCH_CREDENTIALS: folder, ELASTICSEARCH_CERTIFICATES: "elasticsearch/ca" },
    authorityOf,
  );

test("a kept connection that is closed as it is used again costs no request; a new one that is closed does", async () => {
  const ca = await authority("one");
  const closes = new Set([2, 4, 5]);
  const url = await serving(ca, (request, socket) => {
    if (closes.has(request)) socket.destroy();
    return !closes.has(request);
  });
  const find = await client(url, async () => ca.certificate);
  assert.deepEqual(await find("GET", "/"), { requests: 1 });
  assert.deepEqual(await find("GET", "/"), { requests: 3 });
  await assert.rejects(find("GET", "/"), /hang up/, "the second time it is no kept connection");
  assert.deepEqual(await find("GET", "/"), { requests: 6 });
});

test("another authority is asked for once when the certificate is not trusted", async () => {
  const [old, renewed] = [await authority("old"), await authority("new")];
  const url = await serving(renewed, () => true);
  const given = [old.certificate, renewed.certificate];
  const find = await client(url, async () => given.shift() ?? old.certificate);
  assert.deepEqual(await find("GET", "/"), { requests: 1 });
  const never = await client(url, async () => old.certificate);
  await assert.rejects(never("GET", "/"), /certificate|unable to verify/i);
});
