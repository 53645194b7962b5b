import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { sleep } from "../../../lib/process";
import { type DeclaredCheck, HealthChecks, probe, type Surface } from "./health";

let status = 200;
const server = createServer((_, response) => response.writeHead(status).end("serves: primary"));
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());

const surface = (objects: Record<string, string | undefined> = {}): Surface => ({
  locate: async (address) =>
    address === "192.0.2.1" ? { host: "127.0.0.1", port: (server.address() as AddressInfo).port } : undefined,
  object: (host) => (host in objects ? Promise.resolve(objects[host]) : undefined),
});
const at = { type: "HTTP", ipAddress: "192.0.2.1", port: 80, resourcePath: "/" };

test("a check asks the declared address, and looks for words when it is told to", async () => {
  assert.equal(await probe(at, surface()), "");
  assert.equal(await probe({ ...at, type: "TCP" }, surface()), "");
  assert.match(await probe({ ...at, ipAddress: "192.0.2.9" }, surface()), /nobody answers at 192.0.2.9:80/);
  const words = { ...at, type: "HTTP_STR_MATCH", searchString: "primary" };
  assert.equal(await probe(words, surface()), "");
  assert.match(await probe({ ...words, searchString: "standby" }, surface()), /is not in the answer/);
  status = 503;
  assert.equal(await probe(at, surface()), "status 503");
  status = 200;
});

test("an object of S3 is read as Route 53's checkers may", async () => {
  const check = {
    type: "HTTPS_STR_MATCH",
    fqdn: "b.s3.eu-central-1.amazonaws.com",
    resourcePath: "/t.json",
    searchString: '"standby"',
  };
  const host = check.fqdn;
  assert.equal(await probe(check, surface({ [host]: '{"serves":"standby"}' })), "");
  assert.match(await probe(check, surface({ [host]: '{"serves":"primary"}' })), /is not in the object/);
  assert.match(await probe(check, surface({ [host]: undefined })), /cannot be read/);
});

test("a check turns after as many answers as declared; calculated and inverted ones follow", async () => {
  const declared: DeclaredCheck[] = [
    { id: "a", inputs: { ...at, requestInterval: 0.1, failureThreshold: 2 } },
    { id: "b", inputs: { ...at, requestInterval: 0.1, failureThreshold: 2, invertHealthcheck: true } },
    { id: "off", inputs: { ...at, ipAddress: "192.0.2.9", disabled: true } },
    { id: "both", inputs: { type: "CALCULATED", childHealthchecks: ["a", "off"], childHealthThreshold: 2 } },
    { id: "none", inputs: { type: "CALCULATED", childHealthchecks: ["b"], childHealthThreshold: 0 } },
  ];
  const checks = new HealthChecks(() => declared, surface());
  const states = () => ["a", "b", "off", "both", "none"].map((id) => checks.healthy(id));
  // Each check asks on its own: they turn one after the other.
  const reached = async (expected: boolean[]) => {
    for (const end = Date.now() + 10_000; !isDeepStrictEqual(states(), expected) && Date.now() < end; ) await sleep(50);
    assert.deepEqual(states(), expected);
  };
  assert.deepEqual(states(), [true, false, true, true, true]);
  status = 500;
  await reached([false, true, true, false, true]);
  status = 200;
  await reached([true, false, true, true, true]);
  assert.equal(checks.list().find(({ id }) => id === "a")?.reason, "");
  checks.stop();
});
