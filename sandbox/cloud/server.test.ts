/** The control API over its socket: calls, refusals as CloudErrors, faults, and what is no call. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { request, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../lib/types";
import { ControlClient, type Fault } from "./api";
import { serveControl } from "./server";
import { refused, testCloud } from "./testing";

const BUCKET = "gcp:storage/bucket:Bucket";
const inputs = { project: "p", name: "bkt", location: "eu" };

let cloud: ReturnType<typeof testCloud>;
let server: Server;
let socket: string;
let client: ControlClient;
let stopped: Promise<void>;
beforeEach(async () => {
  cloud = testCloud();
  socket = join(cloud.dir, "control.sock");
  const status = () => ({
    pid: 1,
    storageEndpoint: "http://127.0.0.1:1",
    s3Endpoint: "https://127.0.0.1:2",
    s3PlainEndpoint: "http://127.0.0.1:3",
    stsEndpoint: "https://127.0.0.1:4",
    googleEndpoint: "https://127.0.0.1:5",
    dnsEndpoint: "127.0.0.1:4",
    proxyEndpoint: "http://127.0.0.1:6",
    clusters: [],
    resources: cloud.control.size,
  });
  const awsCredentials = async (roleArn: string) => ({
    accessKeyId: `of ${roleArn}`,
    secretAccessKey: "secret",
    sessionToken: "token",
    expiration: "2030-01-01T00:00:00Z",
  });
  const token = async (email: string) => ({ accessToken: `of ${email}`, expiresAt: "2030-01-01T00:00:00Z" });
  const healthChecks = () => [];
  const forward = () => undefined;
  const eksToken = async (name: string) => ({ token: `of ${name}` });
  stopped = new Promise((resolve) => {
    const stop = async () => resolve();
    const moveClock = async (seconds: number) => new Date(seconds * 1000);
    void serveControl(socket, cloud.control, {
      token,
      awsCredentials,
      eksToken,
      healthChecks,
      forward,
      status,
      moveClock,
      stop,
    }).then((made) => {
      server = made;
    });
  });
  while (!server?.listening) await new Promise((resolve) => setImmediate(resolve));
  client = new ControlClient(socket);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  cloud.end();
});

test("a resource's life, and that only the owner may connect", async () => {
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  const { id, outputs } = await client.create(BUCKET, "b", inputs, "me@x");
  assert.equal(outputs.location, "EU");
  assert.equal((await client.read(BUCKET, id))?.outputs.url, "gs://bkt");
  assert.deepEqual((await client.update(BUCKET, id, { ...inputs, labels: { a: "b" } }, "me@x")).labels, { a: "b" });
  assert.equal((await client.status()).resources, 1);
  await client.delete(BUCKET, id, "me@x");
  assert.equal(await client.read(BUCKET, id), undefined);
  await client.delete(BUCKET, id, "me@x");
  await refused(client.update(BUCKET, id, inputs, "me@x"), 404, /bkt was not found/);
});

test("types without a behaviour are recorded under a path of their own", async () => {
  const { id, outputs } = await client.create("gcp:pubsub/topic:Topic", "t", { project: "p", name: "news" }, "me@x");
  assert.equal(id, "projects/p/topic/news");
  assert.equal(outputs.name, "news");
});

test("refusals arrive with their status and words", async () => {
  await client.create(BUCKET, "b", inputs, "me@x");
  await refused(client.create(BUCKET, "b", inputs, "me@x"), 409, /bkt already exists/);
  await refused(client.create(BUCKET, "b", { ...inputs, name: "X" }, "me@x"), 400, /bucket name: "X"/);
});

test("of two who create one bucket at once, one is refused", async () => {
  const results = await Promise.allSettled([1, 2].map(() => client.create(BUCKET, "b", inputs, "me@x")));
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const [lost] = results.filter((each) => each.status === "rejected");
  assert.equal(lost?.reason.status, 409);
});

test("calls that are none are refused, not guessed", async () => {
  const fault = (body: Props) => client.fault(body as unknown as Fault);
  await refused(fault({ kind: "meteor", target: "x", state: "lost" }), 400, /kind/);
  await refused(fault({ kind: "region", target: "x", state: "readable" }), 400, /state/);
  await refused(fault({ kind: "bucket", target: "none", state: "unreadable" }), 404, /none was not found/);
  await refused(client.create("", "b", inputs, "me@x"), 400, /type/);
  assert.deepEqual(await raw("POST", "/resources/create", "{"), 400);
  assert.deepEqual(await raw("GET", "/stop"), 404);
  assert.deepEqual(await raw("POST", "/nothing", "{}"), 404);
});

test("tokens come from the daemon, also for getClientConfig; stop answers first", async () => {
  assert.equal((await client.token("sa@p")).accessToken, "of sa@p");
  const token = "gcp:organizations/getClientConfig:getClientConfig";
  const config = await client.invoke(token, { project: "p", region: "europe-west1" }, "me@x");
  assert.deepEqual([config.accessToken, config.project, config.region], ["of me@x", "p", "europe-west1"]);
  await refused(client.invoke(token, {}, "me@x"), 400, /project is not set/);
  await client.stop();
  await stopped;
});

/** Status of a request that the client would not make. */
function raw(method: string, path: string, body = ""): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, method, path }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    call.on("error", reject).end(body);
  });
}
