import assert from "node:assert/strict";
import { type AddressInfo, createServer as plainServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { generate } from "selfsigned";
import { refusesStrangers } from "./internode";

let pair: { key: string; cert: string };
const servers: Server[] = [];
before(async () => {
  const made = await generate([{ name: "commonName", value: "iconik-emea" }]);
  pair = { key: made.private, cert: made.cert };
});
after(() => {
  for (const server of servers) server.close();
});

const listening = (server: Server) =>
  new Promise<number>((resolve) => {
    servers.push(server);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
const encrypted = (options: TlsOptions) => listening(createServer({ ...pair, ...options }, () => undefined));

test("a node that asks for a certificate refuses, and has shown its own", async () => {
  const port = await encrypted({ requestCert: true, rejectUnauthorized: true, ca: pair.cert });
  assert.equal(await refusesStrangers("127.0.0.1", port), "iconik-emea");
});

test("a node that lets everybody in is noticed", async () => {
  const port = await encrypted({});
  await assert.rejects(refusesStrangers("127.0.0.1", port), /lets in who has no certificate/);
});

test("a node that does not encrypt is noticed", async () => {
  const answering = await listening(plainServer((socket) => socket.end("no TLS here")));
  await assert.rejects(refusesStrangers("127.0.0.1", answering), /not encrypted as planned/);
  const closing = await listening(plainServer((socket) => socket.end()));
  await assert.rejects(refusesStrangers("127.0.0.1", closing), /not encrypted as planned|closed without a certificate/);
});
