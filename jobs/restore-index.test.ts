/** What an index's recovery refuses, how it takes a living one's place, and that it may be killed; with an Elasticsearch of the test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { backupName, manifestPath, recoveryPath } from "../plan/layout";
import { FINAL_EXIT_CODE, type JobInput, jobConfig } from "./config";
import type { ElasticsearchManifest } from "./lib/manifest";
import { manifestOf } from "./testing/backups";
import { startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const BUCKET = "iconik-prod-backups";
const REPOSITORY = "elasticsearch-emea";
const [OLD, NEW] = ["2026-11-24T01:30:00Z", "2026-11-25T01:30:00Z"].map((at) => backupName(new Date(at))) as [
  string,
  string,
];
const ID = "abc";

/** An index of the test's cluster: how many documents, which aliases, which snapshot it came from. */
interface Index {
  documents: number;
  aliases: Record<string, Record<string, unknown>>;
  snapshot?: string;
  uuid?: string;
  /** What its recovery says since a primary has moved or its node was started again. */
  since?: "PEER" | "EXISTING_STORE";
}

let storage: TestStorage;
let server: Server;
let url: string;
let folder: string;
/** The cluster. */
let indices: Map<string, Index>;
let registered: boolean;
/** Indices that were restored, which numbers their uuids. */
let restored = 0;
/** Requests that change something, in order. */
let changes: [string, unknown][];
/** Called before a request is answered. */
let onRequest: ((method: string, path: string) => void) | undefined;

before(async () => {
  storage = await startStorage();
  folder = mkdtempSync(join(tmpdir(), "restore-index-"));
  for (const file of ["password", "ca"]) writeFileSync(join(folder, file), "x");
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const [method, path] = [request.method ?? "", decodeURIComponent((request.url ?? "").split("?")[0]!)];
      onRequest?.(method, path);
      const [status, answer] = respond(method, path, body === "" ? undefined : JSON.parse(body));
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  await storage.stop();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await storage.emptyBucket(BUCKET);
  indices = new Map();
  changes = [];
  registered = true;
  onRequest = undefined;
  for (const backup of [OLD, NEW]) await put(backup);
});

/** As much of Elasticsearch as the job sees, with its rules: names are one index or an alias, a restore needs a free name. */
function respond(method: string, path: string, body: unknown): [number, unknown] {
  const [, first = "", second, third] = path.split("/");
  if (method !== "GET") changes.push([`${method} ${path}`, body]);
  if (first === "_snapshot") {
    if (method === "PUT") registered = true;
    if (!registered) return [404, {}];
    if (path.endsWith("/_restore")) return restore(third!, body as Record<string, string>);
    const known = [OLD, NEW].find((backup) => backup === third);
    if (third !== undefined && known === undefined) return [404, {}];
    return [200, { snapshots: [{ uuid: `u-${third}`, state: "SUCCESS", indices: ["assets", "users"] }] }];
  }
  if (path === "/_aliases") return aliases((body as { actions: Record<string, Record<string, unknown>>[] }).actions);
  if (path === "/_cluster/health") {
    const all = [...indices.keys()].map((name) => [
      name,
      { status: "green", active_primary_shards: 1, number_of_shards: 1 },
    ]);
    return [200, { status: "green", number_of_data_nodes: 3, indices: Object.fromEntries(all) }];
  }
  const found = [...indices].filter(([name, index]) => name === first || first in index.aliases);
  if (found.length === 0) return [404, { error: `no such index [${first}]` }];
  if (second === "_alias")
    return [200, Object.fromEntries(found.map(([name, each]) => [name, { aliases: each.aliases }]))];
  const [name, index] = found[0]!;
  if (second === "_recovery") {
    const source = index.snapshot && !index.since ? { snapshot: index.snapshot } : {};
    const type = index.since ?? (index.snapshot ? "SNAPSHOT" : "EMPTY_STORE");
    return [200, { [name]: { shards: [{ type, stage: "DONE", primary: true, source }] } }];
  }
  if (second === "_count") return [200, { count: index.documents, _shards: { total: 1, successful: 1 } }];
  if (second === "_settings") return [200, { [name]: { settings: { "index.uuid": index.uuid ?? "another" } } }];
  if (second === "_mapping") return [200, { [name]: {} }];
  return [200, {}];
}

function restore(snapshot: string, body: Record<string, string>): [number, unknown] {
  const name = body.rename_pattern
    ? body.indices!.replace(new RegExp(body.rename_pattern), body.rename_replacement!)
    : body.indices!;
  if (indices.has(name)) return [500, { error: `cannot restore index [${name}]: an open index with same name exists` }];
  const aliases: Index["aliases"] = body.include_aliases ? { found: {} } : {};
  indices.set(name, { documents: snapshot === NEW ? 5 : 3, aliases, snapshot, uuid: `uuid-${++restored}` });
  return [200, { accepted: true }];
}

/** All or nothing. */
function aliases(actions: Record<string, Record<string, unknown>>[]): [number, unknown] {
  const next = new Map([...indices].map(([name, index]) => [name, { ...index, aliases: { ...index.aliases } }]));
  for (const action of actions) {
    if (action.remove_index && !next.delete(String(action.remove_index.index))) return [404, {}];
    if (!action.add) continue;
    const { index, alias, ...settings } = action.add;
    const target = next.get(String(index));
    if (target === undefined) return [404, {}];
    target.aliases[String(alias)] = settings;
  }
  for (const { aliases } of next.values())
    for (const alias of Object.keys(aliases)) if (next.has(alias)) return [400, { error: "an index has that name" }];
  indices = next;
  return [200, { acknowledged: true }];
}

/** A snapshot of the indices `assets` and `users` with one shard each. */
async function put(backup: string, change: Partial<ElasticsearchManifest> = {}): Promise<void> {
  const root = {
    snapshots: [OLD, NEW].map((name) => ({ name, uuid: `u-${name}`, state: 1 })),
    indices: Object.fromEntries(
      ["assets", "users"].map((name) => [name, { id: `${ID}-${name}`, snapshots: [`u-${OLD}`, `u-${NEW}`] }]),
    ),
  };
  const objects: Record<string, string> = {
    [`${REPOSITORY}/index-7`]: JSON.stringify(root),
    ...Object.fromEntries(["snap", "meta"].map((part) => [`${REPOSITORY}/${part}-u-${backup}.dat`, "x"])),
    ...Object.fromEntries(
      ["assets", "users"].map((name) => [`${REPOSITORY}/indices/${ID}-${name}/0/snap-u-${backup}.dat`, "x"]),
    ),
  };
  for (const [name, content] of Object.entries(objects)) await storage.put(BUCKET, name, content);
  const { manifest } = manifestOf("elasticsearch", backup, objects);
  const listed = ["assets", "users"].map((name) => ({ name, shards: 1, files: 2, bytes: 1, mappingsDigest: "00" }));
  await storage.put(
    BUCKET,
    manifestPath(REPOSITORY, backup),
    JSON.stringify({ ...manifest, indices: listed, ...change }),
  );
}

const start = (change: Partial<JobInput<"restore-index">> = {}) =>
  startJob(
    "restore-index",
    jobConfig("restore-index", {
      id: "r1",
      datacenter: "emea",
      repository: REPOSITORY,
      bucket: BUCKET,
      index: "assets",
      elasticsearch: { url, passwordFile: join(folder, "password"), caFile: join(folder, "ca") },
      timeoutSeconds: 20,
      pollSeconds: 0.1,
      ...(change.backup === undefined && { before: "2026-11-25T12:00:00Z" }),
      ...change,
    }),
    storage.env,
  );

async function recovered(change: Partial<JobInput<"restore-index">> = {}): Promise<Record<string, unknown>> {
  const { code, lines } = await (await start(change)).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  return lines.at(-1)!;
}

async function refused(change: Partial<JobInput<"restore-index">>, pattern: RegExp): Promise<void> {
  changes = [];
  const { code, lines } = await (await start(change)).done;
  assert.equal(code, FINAL_EXIT_CODE, JSON.stringify(lines.at(-1)));
  assert.match(JSON.stringify(lines.at(-1)), pattern);
  assert.deepEqual(changes, [], "nothing was changed");
}

const record = async (id = "r1") => JSON.parse((await storage.get(BUCKET, recoveryPath(id)))!);
const living = (): Index => ({ documents: 9, aliases: { search: { is_write_index: true } } });

test("an index that is gone comes back under its name with its aliases, and once", async () => {
  const done = await recovered();
  assert.deepEqual([done.backup, done.index, done.documents, done.replaced], [NEW, "assets", 5, undefined]);
  assert.deepEqual([...indices.keys()], ["assets"]);
  assert.deepEqual(Object.keys(indices.get("assets")!.aliases), ["found"]);
  assert.equal((await record()).state, "done");
  indices.clear();
  const again = await recovered();
  assert.deepEqual([again.note, again.documents, indices.size], ["done before", 5, 0]);
});

test("beside a living index it gets a name of its own, and leaves that one and its aliases alone", async () => {
  indices.set("assets", living());
  const done = await recovered({ backup: OLD });
  assert.deepEqual([done.index, done.documents], ["assets-r1", 3]);
  assert.deepEqual(indices.get("assets"), living());
  assert.deepEqual(indices.get("assets-r1")?.aliases, {});
});

test("with replace it takes the place and the aliases of the living one by one call, when it is whole", async () => {
  indices.set("assets", living());
  const done = await recovered({ replace: true });
  assert.deepEqual([done.index, done.replaced], ["assets-r1", "assets"]);
  assert.deepEqual([...indices.keys()], ["assets-r1"]);
  assert.deepEqual(indices.get("assets-r1")?.aliases, { assets: {}, search: { is_write_index: true } });
  const switches = changes.filter(([call]) => call === "POST /_aliases");
  assert.equal(switches.length, 1);
  assert.deepEqual(changes.at(-1), switches[0]);

  // The name is an alias now; the backup still knows an index of it.
  const next = await recovered({ id: "r2", backup: OLD, replace: true });
  assert.deepEqual([next.index, next.replaced], ["assets-r2", "assets-r1"]);
  assert.deepEqual([...indices.keys()], ["assets-r2"]);
  assert.deepEqual(indices.get("assets-r2")?.aliases, { assets: {}, search: { is_write_index: true } });
});

test("an index, a backup or an object that is not there is answered before anything changes", async () => {
  indices.set("assets", living());
  await refused({ index: "asset" }, /has no index .*asset.*"allowed":\["assets","users"\]/);
  await refused({ id: "r2", before: "2026-11-01T00:00:00Z" }, /no complete backup of elasticsearch-emea at or before/);
  await refused({ id: "r3", backup: "night-20200101t000000z" }, /no complete backup .*night-20261124t013000z/);
  indices.set("assets-r4", { documents: 1, aliases: {} });
  await refused({ id: "r4" }, /there is an index .*assets-r4.* already/);
  indices.set("more", { documents: 1, aliases: { assets: {} } });
  indices.delete("assets");
  indices.set("other", { documents: 1, aliases: { assets: {} } });
  await refused({ id: "r5" }, /stands for several indices.*more.*other/);
  await storage.remove(BUCKET, `${REPOSITORY}/indices/${ID}-assets/0/snap-u-${NEW}.dat`);
  await refused({ id: "r6" }, /is not whole .*snap-u-night-20261125t013000z\.dat is missing/);
  await storage.remove(BUCKET, `${REPOSITORY}/index-7`);
  await refused({ id: "r7" }, /index-N, the repository's own listing, is missing/);
  for (const id of ["r4", "r5", "r6", "r7"]) assert.equal((await record(id)).state, "started");
});

test("an object that is missing from another index keeps nobody from this one", async () => {
  await storage.remove(BUCKET, `${REPOSITORY}/indices/${ID}-users/0/snap-u-${NEW}.dat`);
  assert.equal((await recovered()).index, "assets");
});

test("a backup that a newer Elasticsearch wrote is refused", async () => {
  await put(NEW, { versions: { elasticsearch: "10.0.0" } });
  await refused({}, /written by Elasticsearch 10\.0\.0.*Elasticsearch \d+ or older/);
});

test("a repository that nobody has registered yet is", async () => {
  registered = false;
  await recovered();
  assert.equal(changes[0]?.[0], "PUT /_snapshot/backups");
});

test("killed at each request, it is started again and ends the same, with the backup that it began with", async () => {
  let kills = 0;
  for (let at = 1; ; at++) {
    await storage.emptyBucket(BUCKET);
    for (const backup of [OLD, NEW]) await put(backup);
    indices = new Map([["assets", living()]]);
    let count = 0;
    let killed = false;
    const before = "2026-12-31T00:00:00Z";
    const job = await start({ replace: true, before });
    onRequest = () => {
      if (++count !== at) return;
      killed = true;
      job.child.kill("SIGKILL");
    };
    await job.done;
    onRequest = undefined;
    if (killed) {
      kills++;
      await put("night-20261126t013000z");
      const done = await recovered({ replace: true, before });
      assert.equal(done.backup, NEW);
    }
    assert.deepEqual([...indices.keys()], ["assets-r1"], `killed at request ${at}`);
    assert.deepEqual(indices.get("assets-r1"), {
      documents: 5,
      uuid: `uuid-${restored}`,
      snapshot: NEW,
      aliases: { assets: {}, search: { is_write_index: true } },
    });
    if (!killed) break;
  }
  assert.ok(kills >= 8, `${kills} kills`);
});

for (const since of ["PEER", "EXISTING_STORE"] as const) {
  test(`a killed recovery is known by its index's uuid when its shards came from elsewhere since: ${since}`, async () => {
    indices.set("assets", living());
    const job = await start({ replace: true });
    onRequest = (_, path) => {
      if (path === "/_cluster/health") job.child.kill("SIGKILL");
    };
    await job.done;
    onRequest = undefined;
    indices.get("assets-r1")!.since = since;
    assert.equal((await recovered({ replace: true })).index, "assets-r1");
    assert.deepEqual([...indices.keys()], ["assets-r1"]);
  });
}

test("an index that somebody makes under the name meanwhile is not taken for the backup's", async () => {
  onRequest = (method, path) => {
    if (method === "POST" && path.endsWith("/_restore")) indices.set("assets", { documents: 1, aliases: {} });
  };
  const first = await (await start()).done;
  assert.equal(first.code, 1);
  onRequest = undefined;
  const second = await (await start()).done;
  assert.match(JSON.stringify(second.lines.at(-1)), /is not the one of the backup.*with replace/);
  indices.clear();
  assert.equal((await recovered()).index, "assets");
});
