/** The sample services over HTTP, with stores that answer as they are told. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { types } from "cassandra-driver";
import { regionHeader } from "../../plan/traffic";
import { routes as apiRoutes } from "./api";
import { cassandra } from "./cassandra";
import { routes as frontRoutes } from "./front";
import { cached } from "./http";
import { roleStatements, schema } from "./schema";
import { answers, dies, ID, inTurns, opened, put, silent, started, stores } from "./testing";

test("an asset that was written is read again, and its change is noted for the index", async () => {
  const { state, database, search } = stores();
  const base = await started(apiRoutes(database, search));
  assert.equal((await fetch(`${base}/api/assets/${ID}`)).status, 404);
  assert.equal((await put(base, ID, { title: "Dailies" })).status, 200);
  const read = await fetch(`${base}/api/assets/${ID}`);
  assert.equal(((await read.json()) as { title: string }).title, "Dailies");
  assert.deepEqual(
    state.changes.map(({ asset }) => asset),
    [ID],
  );
});

test("a write whose change is not noted is not acknowledged, and may be made again", async () => {
  const { state, database, search } = stores();
  const base = await started(apiRoutes(database, search));
  state.changesFail = true;
  assert.equal((await put(base, ID, { title: "Dailies" })).status, 503);
  state.changesFail = false;
  assert.equal((await put(base, ID, { title: "Dailies" })).status, 200);
  assert.equal(state.changes.length, 1);
});

test("who waits for an asset to be found gets an answer when both stores have it", async () => {
  const { state, database, search } = stores();
  const base = await started(apiRoutes(database, search));
  const answer = await put(base, `${ID}?wait=found`, { title: "Dailies" });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get(regionHeader), "europe-west1");
  assert.equal((state.documents.get(ID) as { title: string }).title, "Dailies");
  state.newer = true;
  assert.equal(
    (await put(base, `${ID}?wait=found`, { title: "Dailies" })).status,
    200,
    "somebody indexed a later change",
  );
  state.newer = false;
  assert.equal((await put(base, `${ID}?wait=long`, { title: "Dailies" })).status, 400);
  state.health = "red";
  assert.equal((await put(base, `${ID}?wait=found`, { title: "Rushes" })).status, 503);
  state.databaseFails = true;
  assert.equal((await put(base, `${ID}?wait=found`, { title: "Rushes" })).status, 503);
});

test("what is no asset is refused: no title, no JSON, too much, no id, no such way", async () => {
  const { state, database, search } = stores();
  const base = await started(apiRoutes(database, search));
  for (const body of [{}, { title: "" }, { title: "a", more: 1 }, "{", ""])
    assert.equal((await put(base, ID, body)).status, 400);
  assert.equal((await put(base, ID, { title: "x".repeat(70_000) })).status, 413);
  assert.equal((await put(base, "1", { title: "a" })).status, 404);
  assert.equal((await fetch(`${base}/api/assets/${ID}`, { method: "DELETE" })).status, 405);
  assert.equal(state.assets.size, 0);
});

test("a search answers what the index has, and nothing before there is one", async () => {
  const { state, database, search } = stores();
  const base = await started(apiRoutes(database, search));
  const found = async () => (await (await fetch(`${base}/api/assets?q=a`)).json()) as { assets: object[] };
  state.found = [{ _id: ID, _source: { title: "a" } }];
  assert.deepEqual(await found(), { assets: [{ id: ID, title: "a" }] });
  state.found = undefined;
  assert.deepEqual(await found(), { assets: [] });
});

test("a store that fails makes requests fail with why, and the API not ready", async () => {
  for (const fail of ["database", "search"] as const) {
    const { state, database, search } = stores();
    const base = await started(apiRoutes(database, search));
    if (fail === "database") state.databaseFails = true;
    else state.health = "red";
    const ready = await fetch(`${base}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), fail === "database" ? /no quorum/ : /index assets is red/);
    assert.equal((await fetch(`${base}/livez`)).status, 200, "the process is well");
    if (fail === "database") assert.equal((await fetch(`${base}/api/assets/${ID}`)).status, 503);
  }
  const { database, search } = stores();
  assert.equal((await fetch(`${await started(apiRoutes(database, search))}/readyz`)).status, 200);
});

test("an index of somebody else that is red, or one that is not there yet, does not make the API unready", async () => {
  const { state, database, search } = stores();
  state.otherHealth = "red";
  assert.equal((await fetch(`${await started(apiRoutes(database, search))}/readyz`)).status, 200);
  state.health = undefined;
  for (state.timedOutStatus of [408, 200])
    assert.equal((await fetch(`${await started(apiRoutes(database, search))}/readyz`)).status, 200);
  state.timedOutStatus = 503;
  assert.equal((await fetch(`${await started(apiRoutes(database, search))}/readyz`)).status, 503, "there is no master");
});

test("the front shows the page, hands on to the API, and is as healthy as its region", async () => {
  let status = 200;
  const seen: string[] = [];
  const api = await started([
    ["GET", /^\/readyz$/, async () => ({ status, body: "" })],
    [
      "*",
      /^\/api\//,
      async (request) => {
        seen.push(`${request.method} ${request.url}`);
        return { status: 201, body: { ok: true } };
      },
    ],
  ]);
  const base = await started(frontRoutes(api));
  assert.match(await (await fetch(base)).text(), /<h1>iconik<\/h1>/);
  assert.equal((await put(base, ID, { title: "a" })).status, 201);
  assert.deepEqual(seen, [`PUT /api/assets/${ID}`]);
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
  status = 503;
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal((await fetch(`${base}/healthz`)).status, 503);
  assert.equal((await fetch(`${base}/livez`)).status, 200);
  assert.equal((await fetch(`${base}/other`)).status, 404);
});

test("without an API the region is not healthy, and requests say so", async () => {
  const base = await started(frontRoutes("http://127.0.0.1:9"));
  assert.equal((await fetch(`${base}/healthz`)).status, 503);
  assert.equal((await fetch(`${base}/api/assets`)).status, 502);
});

test("a request without a path is refused, and the process lives on", async () => {
  const base = await started(frontRoutes("http://127.0.0.1:9"));
  for (const target of ["//", "///", "http://[", "//:99999999/"]) {
    const answer = await raw(base, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 40[04] /, target);
  }
  assert.equal((await fetch(`${base}/livez`)).status, 200);
});

/** What a server says to bytes that no client would send. */
async function raw(base: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(base).port), "127.0.0.1").setEncoding("utf8");
  socket.end(bytes);
  let said = "";
  for await (const text of socket) said += text;
  return said;
}

test("a pod of the API that dies under a request costs none that may be made twice", async () => {
  const front = await started(frontRoutes(await inTurns(dies, answers)));
  assert.equal((await put(front, ID, { title: "a" })).status, 200);
  const other = await started(frontRoutes(await inTurns(dies, answers)));
  assert.equal((await fetch(`${other}/api/assets`, { method: "POST" })).status, 502);
});

test("a pod of the API that says nothing is left for another, until too many are silent", async () => {
  const front = await started(frontRoutes(await inTurns(silent, answers)));
  const began = Date.now();
  assert.equal((await put(front, ID, { title: "a" })).status, 200);
  assert.ok(Date.now() - began < 10_000);
});

test("a pod of the API that says nothing does not make its region unhealthy; all of them do", async () => {
  const front = await started(frontRoutes(await inTurns(silent, answers)));
  assert.equal((await fetch(`${front}/healthz`)).status, 200);
  const other = await started(frontRoutes(await inTurns(silent)));
  const answer = await fetch(`${other}/healthz`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /no answer in \d+ ms/);
});

test("a process that ends answers what it has begun, closes the connection, and takes no more", async () => {
  const program = `
    const { serve, drain } = require(${JSON.stringify(join(__dirname, "http.ts"))});
    let asked = 0;
    let end;
    const told = new Promise((resolve) => { end = resolve; });
    const answer = async () => {
      if (++asked > 1) {
        console.log("asked");
        await told;
      }
      return { status: 200, body: "done" };
    };
    process.on("SIGTERM", () => {
      setTimeout(end, 100);
      void drain(5000).then(() => process.exit());
    });
    serve([["GET", /^\\/$/, answer]], { HOST: "127.0.0.1", PORT: 0, REGION: "r" })
      .then((server) => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  opened.push({ close: () => child.kill("SIGKILL"), closeAllConnections: () => undefined });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  const base = `http://127.0.0.1:${Number(port)}`;
  const agent = new Agent({ keepAlive: true });
  const ask = () => request(`${base}/`, { agent }).end();
  const [idle] = (await once(ask(), "response")) as [IncomingMessage];
  idle.resume();
  await once(idle, "end");
  const said = once(child.stdout, "data");
  const asked = ask();
  await said;
  child.kill("SIGTERM");
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  assert.deepEqual([response.statusCode, response.headers.connection], [200, "close"]);
  response.resume();
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  await assert.rejects(fetch(base));
});

test("a check is shared while it is fresh, whoever asks", async () => {
  let asked = 0;
  const check = cached(async () => ++asked, 1000);
  assert.deepEqual(await Promise.all([check(), check()]), [1, 1]);
  await sleep(1100);
  assert.equal(await check(), 2);
});

test("the keyspace is in every datacenter, the role no superuser, and no quote ends its name or password", () => {
  const [keyspace] = schema(["emea", "amer"], 3);
  assert.match(keyspace!, /'NetworkTopologyStrategy', 'emea': 3, 'amer': 3\}$/);
  const statements = roleStatements('a"b', "c'd");
  assert.match(statements[0]!, /^CREATE ROLE IF NOT EXISTS "a""b" WITH PASSWORD = 'c''d' .*SUPERUSER = false$/);
  assert.deepEqual(
    statements.slice(2).map((statement) => /^GRANT (\w+) ON KEYSPACE/.exec(statement)?.[1]),
    ["SELECT", "MODIFY"],
  );
});

test("Cassandra is asked in the region's own datacenter, at LOCAL_QUORUM, as who the Secret says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "credentials-"));
  const options = { DATACENTER: "emea", CASSANDRA_CONTACT_POINTS: ["a"], CASSANDRA_CREDENTIALS: folder };
  await assert.rejects(cassandra(options), /ENOENT.*username/);
  writeFileSync(join(folder, "username"), "services\n");
  writeFileSync(join(folder, "password"), "secret\n");
  const client = await cassandra(options);
  const { localDataCenter, queryOptions, authProvider } = (client as unknown as { options: Record<string, unknown> })
    .options;
  assert.equal(localDataCenter, "emea");
  assert.equal((queryOptions as { consistency: number }).consistency, types.consistencies.localQuorum);
  assert.equal((queryOptions as { isIdempotent: boolean }).isIdempotent, true);
  assert.deepEqual({ ...(authProvider as object) }, { username: "services", password: "secret" });
  await client.shutdown();
});
