/** What a table's recovery refuses before it asks Cassandra anything, and what its record keeps; the whole way is an integration test. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { backupName, manifestPath, recoveryPath } from "../plan/layout";
import { type JobInput, jobConfig } from "./config";
import type { CassandraManifest } from "./lib/manifest";
import { backupFor } from "./lib/recovery";
import { cassandraObjects, manifestOf } from "./testing/backups";
import { startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const BUCKET = "iconik-prod-backups";
const REPOSITORY = "cassandra-emea";
const [OLD, NEW] = ["2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z"].map((at) => backupName(new Date(at), "emea"));
const DATA = "cassandra/node-1/data/media/assets-0123456789abcdef0123456789abcdef";
let storage: TestStorage;
let folder: string;

before(async () => {
  storage = await startStorage();
});
after(() => storage.stop());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "restore-table-"));
  await storage.emptyBucket(BUCKET);
  for (const backup of [OLD!, NEW!]) await put(backup);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A backup whose node has one SSTable of media.assets. */
async function put(backup: string, change: Partial<CassandraManifest> = {}): Promise<void> {
  const paths = ["Data.db", "Index.db"].map((part) => `${DATA}/nb-${backup}-big-${part}`);
  const sections = [
    {
      keyspace: "media",
      columnfamily: "assets-0123456789abcdef0123456789abcdef",
      objects: paths.map((path) => ({ path, MD5: null, size: 4 })),
    },
  ];
  const objects = {
    ...cassandraObjects(backup, 1),
    [`cassandra/node-1/${backup}/meta/manifest.json`]: JSON.stringify(sections),
    ...Object.fromEntries(paths.map((path) => [path, "data"])),
  };
  for (const [name, content] of Object.entries(objects)) await storage.put(BUCKET, name, content);
  const { manifest: made, list } = manifestOf("cassandra", backup, objects);
  await storage.put(BUCKET, made.files.path, list);
  const manifest = {
    ...made,
    nodes: [{ host: "node-1", rack: "rack1", tokens: ["1"] }],
    tables: [{ keyspace: "media", table: "assets", objects: 2, bytes: 8 }],
    ...change,
  };
  await storage.put(BUCKET, manifestPath(REPOSITORY, backup), JSON.stringify(manifest));
}

async function recover(change: Partial<JobInput<"restore-table">> = {}): Promise<Record<string, unknown>> {
  const config = jobConfig("restore-table", {
    id: "r1",
    datacenter: "emea",
    repository: REPOSITORY,
    bucket: BUCKET,
    keyspace: "media",
    table: "assets",
    folder,
    secretsFolder: folder,
    internode: { keystoreFile: "/k", truststoreFile: "/t", passwordFile: "/p", protocols: ["TLSv1.3"] },
    // Nobody answers there, and nothing says who asks.
    cql: { contactPoints: ["127.0.0.1"], port: 1, usernameFile: "/dev/null", passwordFile: "/dev/null" },
    ...(change.backup === undefined && { before: "2026-11-25T12:00:00Z" }),
    ...change,
  });
  const { lines } = await (await startJob("restore-table", config, storage.env)).done;
  return lines.at(-1)!;
}

async function refused(change: Partial<JobInput<"restore-table">>, pattern: RegExp): Promise<void> {
  const last = await recover(change);
  assert.equal(last.result, "failed");
  assert.match(JSON.stringify(last), pattern);
  assert.deepEqual(readdirSync(join(folder, "load")), [], "nothing was fetched");
}

const record = async (id = "r1") => JSON.parse((await storage.get(BUCKET, recoveryPath(id)))!);

test("the newest complete backup at or before a moment, or the named one", () => {
  const paths = [OLD!, NEW!].map((backup) => manifestPath(REPOSITORY, backup));
  const others = [manifestPath("cassandra-amer", NEW!), "manifests/cassandra-emea/night-never.json"];
  const found = (what: { backup?: string; before?: string }) => backupFor(REPOSITORY, [...paths, ...others], what);
  assert.equal(found({ before: "2026-11-25T01:00:00Z" }), NEW);
  assert.equal(found({ before: "2026-11-25T00:59:59Z" }), OLD);
  assert.equal(found({ before: "2026-11-25T02:59:59+02:00" }), OLD);
  assert.equal(found({ before: "2026-11-24T00:00:00Z" }), undefined);
  assert.equal(found({ backup: OLD! }), OLD);
  assert.equal(found({ backup: "night-emea-20200101t000000z" }), undefined);
  assert.equal(backupFor(REPOSITORY, [], { before: NEW! }), undefined);
});

test("a backup, keyspace or table that is not there is answered with what there is", async () => {
  await refused(
    { before: "2026-11-01T00:00:00Z" },
    /no complete backup of cassandra-emea at or before.*night-emea-20261125/,
  );
  await refused({ backup: "night-emea-20200101t000000z" }, /no complete backup .*night-emea-20261124t010000z/);
  await refused({ id: "r2", keyspace: "Media" }, /has no keyspace .*Media.*"allowed":\["media"\]/);
  await refused({ id: "r3", table: "asset" }, /has no table .*asset.*"allowed":\["assets"\].*before it was dropped/);
});

test("a backup that a newer Cassandra wrote, or a newer program, is refused", async () => {
  await put(NEW!, { versions: { cassandra: "6.0.1" } });
  await refused({}, /written by Cassandra 6\.0\.1.*Cassandra 5 or older/);
  await put(NEW!, { version: 9 as 2 });
  await refused({}, /is not what this version reads/);
});

test("a missing or changed object of the table is refused before anything changes; of another table it is not", async () => {
  const victim = `${DATA}/nb-${NEW}-big-Data.db`;
  await storage.put(BUCKET, victim, "dato");
  await refused({}, /is not what its manifest says.*nb-night-emea-20261125t010000z-big-Data\.db is 4 bytes/);
  await storage.remove(BUCKET, victim);
  await refused({}, /big-Data\.db is missing/);
  assert.equal((await record()).state, "started");
  await storage.put(BUCKET, victim, "data");
  await storage.remove(BUCKET, "cassandra/node-1/data/media/files-0a/nb-0-big-Data.db");
  assert.match(JSON.stringify(await recover()), /does not answer CQL/, "the next thing it asks for");
});

test("a killed recovery keeps its backup, also when a newer one has come meanwhile", async () => {
  await recover({ before: "2026-12-31T00:00:00Z" });
  await put("night-emea-20261126t010000z");
  await recover({ before: "2026-12-31T00:00:00Z" });
  assert.equal((await record()).backup, NEW);
  await recover({ id: "r2", before: "2026-12-31T00:00:00Z" });
  assert.equal((await record("r2")).backup, "night-emea-20261126t010000z");
});

test("an id that was used for something else is refused, one that is done does nothing", async () => {
  await recover();
  await refused(
    { truncate: true },
    /recovery .*r1.* was something else.*table of cassandra-emea from night-emea-20261125/,
  );
  await storage.put(
    BUCKET,
    recoveryPath("r1"),
    JSON.stringify({ ...(await record()), state: "done", result: { tables: 1 } }),
  );
  const again = await recover();
  assert.deepEqual([again.result, again.note, again.tables], ["ok", "done before", 1]);
  assert.deepEqual([readdirSync(join(folder, "load")), readFileSync(join(folder, "cassandra.yaml"), "utf8")], [[], ""]);
});
