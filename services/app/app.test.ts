/** The sample services over HTTP, with stores that answer as they are told. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { types } from "cassandra-driver";
import { regionHeader } from "../../plan/traffic";
import { routes as apiRoutes } from "./api";
import { cassandra } from "./cassandra";
import { routes as frontRoutes } from "./front";
import { cached, type Route, serve } from "./http";
import { roleStatements, schema } from "./schema";
import { SearchError } from "./search";

const ID = "8c6f0c5e-5d5c-4a6e-9a51-0f1f3c1b2a10";

const opened: { close(): void; closeAllConnections(): void }[] = [];
after(() => {
  for (const server of opened) {
    server.closeAllConnections();
    server.close();
  }
});

async function started(routes: Route[]): Promise<string> {
  const server = await serve(routes, { HOST: "127.0.0.1", PORT: 0, REGION: "europe-west1" });
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A database that remembers, and a search that answers one thing; both fail when they are told to. */
function stores() {
  const state = {
    assets: new Map<string, { id: string; title: string; changed: Date }>(),
    changes: [] as { minute: Date; asset: string }[],
    documents: new Map<string, object>(),
    databaseFails: false,
    changesFail: false,
    health: "green",
    found: [] as object[] | undefined,
  };
  const rows = ([id]: unknown[]) => {
    const found = state.assets.get(String(id));
    return found ? [found] : [];
  };
  const database = {
    execute: async (query: string, params: unknown[] = []) => {
      if (state.databaseFails || (state.changesFail && query.includes("INTO changes"))) throw new Error("no quorum");
      if (query.startsWith("INSERT INTO assets")) {
        const [id, title, changed] = params as [string, string, Date];
        state.assets.set(id, { id, title, changed });
      }
      if (query.startsWith("INSERT INTO changes"))
        state.changes.push({ minute: params[0] as Date, asset: String(params[2]) });
      return { rows: query.startsWith("SELECT") ? rows(params) : [] };
    },
  };
  const search = async (_method: string, path: string, body?: unknown) => {
    if (path.startsWith("/_cluster")) return { status: state.health };
    const document = /_doc\/(.+)$/.exec(path)?.[1];
    if (document && state.health === "red") throw new SearchError(503, path, "unavailable");
    if (document && body) state.documents.set(document, body as object);
    if (document) return { found: state.documents.has(document) };
    if (!state.found) throw new SearchError(404, path, "index_not_found_exception");
    return { hits: { hits: state.found } };
  };
  return { state, database: database as never, search: search as never };
}

const put = (base: string, id: string, body: unknown) =>
  fetch(`${base}/api/assets/${id}`, { method: "PUT", body: typeof body === "string" ? body : JSON.stringify(body) });

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
    assert.match(await ready.text(), fail === "database" ? /no quorum/ : /Elasticsearch is red/);
    assert.equal((await fetch(`${base}/livez`)).status, 200, "the process is well");
    if (fail === "database") assert.equal((await fetch(`${base}/api/assets/${ID}`)).status, 503);
  }
  const { database, search } = stores();
  assert.equal((await fetch(`${await started(apiRoutes(database, search))}/readyz`)).status, 200);
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

test("a check is shared while it is fresh, whoever asks", async () => {
  let asked = 0;
  const check = cached(async () => ++asked, 50);
  assert.deepEqual(await Promise.all([check(), check()]), [1, 1]);
  await new Promise((resolve) => setTimeout(resolve, 80));
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
