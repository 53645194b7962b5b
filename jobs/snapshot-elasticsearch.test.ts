/** When a night's snapshot of a search cluster counts: no manifest is written for one that is not complete; with an Elasticsearch of the test. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { manifestPath } from "../plan/layout";
import { jobConfig } from "./config";
import { gate, type Snapshot } from "./snapshot-elasticsearch";
import { type Respond, startElastic, type TestElastic } from "./testing/elastic";
import { startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const [BUCKET, REPOSITORY, UUID] = ["iconik-prod-backups", "elasticsearch-emea", "u-1"];
const INDEX = `${REPOSITORY}/indices/i-assets`;

const whole: Snapshot = {
  snapshot: "night-20261125t013000z",
  uuid: UUID,
  state: "SUCCESS",
  indices: ["assets"],
  start_time: "2026-11-25T01:30:00.000Z",
  end_time: "2026-11-25T01:31:00.000Z",
  shards: { total: 1, failed: 0, successful: 1 },
  failures: [],
};

let storage: TestStorage;
let elastic: TestElastic;
/** What the cluster says of the night's snapshot. */
let snapshot: Snapshot;
/** What it was asked to take, by its name. */
let taken: { name: string; body: unknown } | undefined;

before(async () => {
  [storage, elastic] = await Promise.all([startStorage(), startElastic((...request) => respond(...request))]);
});
after(() => Promise.all([storage.stop(), elastic.stop()]));
beforeEach(async () => {
  [snapshot, taken] = [whole, undefined];
  await storage.emptyBucket(BUCKET);
});

const respond: Respond = (method, path, body) => {
  const [, first, second, third = "", fourth] = path.split("/");
  if (path === "/") return [200, { version: { number: "9.2.0" } }];
  if (first !== "_snapshot") return [200, path === "/_alias" ? { assets: { aliases: {} } } : { assets: {} }];
  if (third === "_current" || third === "_all") return [200, { snapshots: [] }];
  if (fourth === "_status") {
    const stats = { total: { file_count: 3, size_in_bytes: 10 } };
    return [200, { snapshots: [{ indices: { assets: { shards_stats: { total: 1, done: 1 }, stats } } }] }];
  }
  if (method === "PUT" && third !== "") taken = { name: third, body };
  return [200, second && third ? { snapshots: [{ ...snapshot, snapshot: third }] } : {}];
};

/** The repository's objects after the snapshot. */
async function stored(lacking: string[] = []): Promise<void> {
  // Its name is the moment's, known when it is taken: the listing is written then.
  const objects: Record<string, string> = {
    [`${REPOSITORY}/snap-${UUID}.dat`]: "x",
    [`${REPOSITORY}/meta-${UUID}.dat`]: "x",
    [`${INDEX}/0/snap-${UUID}.dat`]: "x",
  };
  for (const [name, content] of Object.entries(objects)) {
    if (!lacking.includes(name)) await storage.put(BUCKET, name, content);
  }
}

async function run(): Promise<{ code: number | null; last: Record<string, unknown>; manifest: string | undefined }> {
  const config = jobConfig("snapshot-elasticsearch", {
    elasticsearch: elastic.access,
    repository: REPOSITORY,
    bucket: BUCKET,
    keep: 7,
    timeoutSeconds: 120,
    pollSeconds: 1,
  });
  const answered = elastic.respond;
  elastic.respond = (method, path, body) => {
    const before = taken;
    const answer = answered(method, path, body);
    if (taken !== undefined && before === undefined) void listed(taken.name);
    // Until the listing is there, as for a snapshot that takes its time.
    if (taken && method === "GET" && path.endsWith(taken.name) && !listing) return [200, { snapshots: [] }];
    return answer;
  };
  let listing = false;
  const listed = async (name: string) => {
    const root = {
      snapshots: [{ name, uuid: UUID, state: 1 }],
      indices: { assets: { id: "i-assets", snapshots: [UUID] } },
    };
    await storage.put(BUCKET, `${REPOSITORY}/index-0`, JSON.stringify(root));
    listing = true;
  };
  try {
    const { code, lines } = await (await startJob("snapshot-elasticsearch", config, storage.env)).done;
    const path = manifestPath(REPOSITORY, taken?.name ?? "none");
    const manifest = (await storage.names(BUCKET)).includes(path) ? await storage.get(BUCKET, path) : undefined;
    return { code, last: lines.at(-1)!, manifest };
  } finally {
    elastic.respond = answered;
  }
}

async function refused(words: RegExp): Promise<void> {
  const { code, last, manifest } = await run();
  assert.equal(code, 1, JSON.stringify(last));
  assert.match(JSON.stringify(last), words);
  assert.equal(manifest, undefined, "a manifest was written");
}

test("the gate says why a snapshot is not complete", () => {
  assert.deepEqual(gate(whole), []);
  const failures = [{ index: "assets", shard_id: 1, reason: "node left" }];
  const partial: Snapshot = { ...whole, state: "PARTIAL", shards: { total: 2, failed: 1, successful: 1 }, failures };
  assert.deepEqual(gate(partial), ["shard 1 of assets: node left", "state is PARTIAL", "1 of 2 shards are in it"]);
  assert.deepEqual(gate({ ...whole, state: "FAILED" }), ["state is FAILED"]);
  assert.deepEqual(gate({ ...whole, indices: [] }), ["no index is in it"]);
  assert.deepEqual(gate({ ...whole, shards: { total: 2, failed: 0, successful: 1 } }), ["1 of 2 shards are in it"]);
});

test("a whole snapshot gets its manifest; it holds the cluster's definitions, and no users", async () => {
  await stored();
  const { code, last, manifest } = await run();
  assert.equal(code, 0, JSON.stringify(last));
  assert.deepEqual(
    JSON.parse(manifest!).indices.map(({ name, files }: { name: string; files: number }) => [name, files]),
    [["assets", 3]],
  );
  assert.deepEqual(taken?.body, { indices: "*,-.*", include_global_state: true, feature_states: ["none"] });
});

test("one that is partial, without a shard or without an index gets none", async () => {
  await stored();
  const failures = [{ index: "assets", shard_id: 0, reason: "node left" }];
  snapshot = { ...whole, state: "PARTIAL", shards: { total: 1, failed: 1, successful: 0 }, failures };
  await refused(/is not complete; no manifest.*shard 0 of assets: node left.*state is PARTIAL/);
  taken = undefined;
  snapshot = { ...whole, indices: [], shards: { total: 0, failed: 0, successful: 0 } };
  await refused(/no index is in it/);
});

test("one whose objects are not all in the bucket gets none", async () => {
  const lacking = `${INDEX}/0/snap-${UUID}.dat`;
  await stored([lacking]);
  await refused(new RegExp(`is not whole in gs://${BUCKET}.*${lacking} is missing`));
});
