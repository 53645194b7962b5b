/** What the restore of a search cluster takes for its own, refuses and tells, and that it may be killed; with an Elasticsearch of the test. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { backupName, restoredIndicesPath } from "../plan/layout";
import { jobConfig } from "./config";
import { manifestOf, putRestored } from "./testing/backups";
import { type Respond, startElastic, type TestElastic } from "./testing/elastic";
import { startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const BUCKET = "iconik-rebuild-1-backups";
const REPOSITORY = "elasticsearch-emea";
const MARKER = "copy-20261125t030000z";
const BACKUP = backupName(new Date("2026-11-25T01:30:00Z"));
const NAMES = ["assets", "users"];

/** An index of the test's cluster. */
interface Index {
  uuid: string;
  documents: number;
  /** What the recovery of its primary says. */
  type: "SNAPSHOT" | "PEER" | "EXISTING_STORE" | "EMPTY_STORE";
  /** Shards of its one that answer. */
  successful?: number;
  settings?: Record<string, string>;
}

let storage: TestStorage;
let elastic: TestElastic;
let indices: Map<string, Index>;
let pipelines: Record<string, unknown>;
/** Settings that the snapshot's indices have. */
let settings: Record<string, string>;
/** Number of restored indices, which numbers their uuids. */
let restored: number;
/** Called before a request is answered. */
let onRequest: ((method: string, path: string) => void) | undefined;

before(async () => {
  [storage, elastic] = await Promise.all([startStorage(), startElastic((...request) => respond(...request))]);
});
after(() => Promise.all([storage.stop(), elastic.stop()]));
beforeEach(async () => {
  [indices, pipelines, settings, restored, onRequest] = [new Map(), {}, {}, 0, undefined];
  await storage.emptyBucket(BUCKET);
  const { manifest } = manifestOf("elasticsearch", BACKUP, { [`${REPOSITORY}/index-7`]: "{}" });
  const listed = NAMES.map((name) => ({ name, shards: 1, files: 1, bytes: 1, mappingsDigest: "00" }));
  assert.ok(manifest.kind === "elasticsearch");
  const repositories = { [REPOSITORY]: { backup: BACKUP, manifest: { ...manifest, indices: listed } } };
  await putRestored(storage, BUCKET, MARKER, repositories);
});

/** As much of Elasticsearch as the job sees: a restore needs names that are free. */
const respond: Respond = (method, path, body) => {
  onRequest?.(method, path);
  const [, first = "", second] = path.split("/");
  if (path.endsWith("/_restore")) {
    const names = (body as { indices: string }).indices.split(",");
    const taken = names.find((name) => indices.has(name));
    if (taken) return [500, { error: `cannot restore index [${taken}]: an open index with same name exists` }];
    for (const name of names)
      indices.set(name, { uuid: `uuid-${++restored}`, documents: 5, type: "SNAPSHOT", settings });
    return [200, { accepted: true }];
  }
  if (first === "_snapshot") return [200, { snapshots: [{ uuid: "u", state: "SUCCESS", indices: NAMES }] }];
  if (path === "/_cluster/health") {
    const health = { status: "green", active_primary_shards: 1, number_of_shards: 1 };
    const all = [...indices.keys()].map((name) => [name, health]);
    return [200, { number_of_data_nodes: 3, indices: Object.fromEntries(all) }];
  }
  if (first === "_all") {
    const all = [...indices].map(([name, each]) => [name, { settings: { "index.uuid": each.uuid, ...each.settings } }]);
    return [200, Object.fromEntries(all)];
  }
  if (path === "/_ingest/pipeline") return [200, pipelines];
  if (path === "/_ilm/policy") return [200, { hot: {} }];
  const index = indices.get(first);
  if (index === undefined) return [404, {}];
  if (method === "DELETE") return [200, { acknowledged: indices.delete(first) }];
  if (second === "_recovery") {
    const source = index.type === "SNAPSHOT" ? { snapshot: BACKUP } : {};
    return [200, { [first]: { shards: [{ type: index.type, stage: "DONE", primary: true, source }] } }];
  }
  const { documents: count, successful = 1 } = index;
  if (second === "_count") return [200, { count, _shards: { total: 1, successful } }];
  return [200, { [first]: {} }];
};

const start = () =>
  startJob(
    "restore-elasticsearch",
    jobConfig("restore-elasticsearch", {
      elasticsearch: elastic.access,
      repository: REPOSITORY,
      bucket: BUCKET,
      timeoutSeconds: 20,
      pollSeconds: 0.1,
    }),
    storage.env,
  );

async function run(): Promise<Record<string, unknown>> {
  const { code, lines } = await (await start()).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  return lines.at(-1)!;
}

async function refused(words: RegExp): Promise<void> {
  const { code, lines } = await (await start()).done;
  assert.equal(code, 1);
  assert.match(JSON.stringify(lines.at(-1)), words);
}

const uuids = () => Object.fromEntries([...indices].map(([name, { uuid }]) => [name, uuid]));

async function recorded(): Promise<unknown> {
  return JSON.parse((await storage.get(BUCKET, restoredIndicesPath(MARKER, REPOSITORY)))!).indices;
}

test("what was restored is recorded by uuid, and stays when it is run again after every primary has moved", async () => {
  assert.deepEqual([(await run()).restored, await recorded()], [2, uuids()]);
  indices.get("assets")!.type = "PEER";
  indices.get("users")!.type = "EXISTING_STORE";
  assert.deepEqual([(await run()).restored, restored], [0, 2]);
});

test("killed at each request, it is started again and ends the same, though primaries have moved meanwhile", async () => {
  let kills = 0;
  for (let at = 1; ; at++) {
    indices = new Map([["users", { uuid: "other", documents: 0, type: "EMPTY_STORE" }]]);
    restored = 0;
    const path = restoredIndicesPath(MARKER, REPOSITORY);
    if ((await storage.names(BUCKET)).includes(path)) await storage.remove(BUCKET, path);
    const job = await start();
    let count = 0;
    onRequest = () => {
      if (++count === at) job.child.kill("SIGKILL");
    };
    await job.done;
    onRequest = undefined;
    const killed = count >= at;
    if (killed) {
      kills++;
      // What is not recorded yet was restored a moment ago; the rest may have moved.
      const known = (await storage.names(BUCKET)).includes(path);
      if (known) for (const index of indices.values()) index.type = "PEER";
      await run();
    }
    assert.deepEqual([restored, [...indices.keys()].sort(), await recorded()], [2, NAMES, uuids()], `at request ${at}`);
    if (!killed) break;
  }
  assert.ok(kills >= 10, `${kills} kills`);
});

test("an index of the same name that is another's is left alone, also one whose documents cannot be counted", async () => {
  await run();
  indices.set("assets", { uuid: "other", documents: 9, type: "EXISTING_STORE" });
  await refused(/documents are in the way.*assets.*index\.uuid in restores/);
  indices.set("assets", { uuid: "other", documents: 0, type: "EXISTING_STORE", successful: 0 });
  await refused(/documents are in the way.*assets/);
  assert.equal(indices.get("assets")?.uuid, "other");
  indices.set("assets", { uuid: "other", documents: 0, type: "EMPTY_STORE" });
  assert.equal((await run()).restored, 1);
  assert.deepEqual(await recorded(), uuids());
});

test("pipelines and policies that indices name and the cluster lacks are told, and hold nobody up", async () => {
  settings = { "index.default_pipeline": "enrich", "index.final_pipeline": "_none", "index.lifecycle.name": "hot" };
  assert.deepEqual((await run()).lacking, ['ingest pipeline "enrich" of assets, users']);
  pipelines = { enrich: {} };
  assert.equal((await run()).lacking, undefined);
});
