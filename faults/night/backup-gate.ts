/**
 * Backups that look done and are not (S1): the real snapshot job against a storage, with Medusa's part played after its own
 * layout. A bad night gets no manifest, so that the good one before stays the latest.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { FINAL_EXIT_CODE, jobConfig } from "../../jobs/config";
import { manifestSchema, parseDocument } from "../../jobs/lib/manifest";
import { type JobRun, startJob } from "../../jobs/testing/job";
import { startKube, type TestKube } from "../../jobs/testing/kube";
import { startStorage, type TestStorage } from "../../jobs/testing/storage";
import { manifestPath, manifestsPrefix, medusaFolder, repository } from "../../plan/layout";
import type { Fault, Outcome } from "../fault";
import type { Group } from "../run";

/** A bucket, and a Kubernetes in which somebody makes Medusa's backups. */
export interface BackupStage {
  storage: TestStorage;
  kube: TestKube;
}

export const BUCKET = "iconik-prod-backups";
export const REPOSITORY = repository("cassandra", "emea");
const HOSTS = { "node-1": "rack1", "node-2": "rack2" } as const;
const TABLES = ["assets", "collections"];
const ID = "0123456789abcdef0123456789abcdef";

/** What goes wrong with a backup. */
interface Damage {
  /** Nodes whose nodetool failed: Medusa backs up nothing and says that it is done. */
  empty?: readonly string[];
  /** Nodes that are not in the backup, while the operator calls it finished. */
  absent?: readonly string[];
  /** Tables that a node's manifest lacks. */
  unlisted?: readonly string[];
  /** Tables that the schema no longer has. */
  dropped?: readonly string[];
  /** Tables whose object of the last node is not in the bucket. */
  lost?: readonly string[];
  /** Tables whose object of the last node has another byte in it. */
  flipped?: readonly string[];
}

/** The objects of a backup by their paths, as Medusa writes them; undefined: one of a night before goes. */
function backupObjects(backup: string, damage: Damage) {
  const { empty = [], absent = [], unlisted = [], dropped = [], lost = [], flipped = [] } = damage;
  const tables = TABLES.filter((table) => !dropped.includes(table));
  const objects: Record<string, string | undefined> = {};
  const tokens = Object.entries(HOSTS).map(([host, rack], index) => [host, { tokens: [index * 1000], rack }] as const);
  const schema = [
    "CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': '2'} AND durable_writes = true;",
    ...tables.map((table) => `CREATE TABLE media.${table} (\n    id int PRIMARY KEY\n);`),
  ].join("\n\n");
  for (const host of Object.keys(HOSTS).filter((each) => !absent.includes(each))) {
    const sections = tables
      .filter((table) => !unlisted.includes(table))
      .map((table) => {
        const path = `${medusaFolder}/${host}/data/media/${table}-${ID}/nb-1-big-Data.db`;
        const content = `rows of ${table} on ${host}`;
        const MD5 = createHash("md5").update(content).digest("base64");
        const last = host === Object.keys(HOSTS).at(-1);
        const stored = last && flipped.includes(table) ? content.replace("r", "R") : content;
        if (!empty.includes(host)) objects[path] = last && lost.includes(table) ? undefined : stored;
        const files = empty.includes(host) ? [] : [{ path, MD5, size: content.length }];
        return { keyspace: "media", columnfamily: `${table}-${ID}`, objects: files };
      });
    const meta = `${medusaFolder}/${host}/${backup}/meta`;
    objects[`${meta}/manifest.json`] = JSON.stringify(empty.includes(host) ? [] : sections);
    objects[`${meta}/schema.cql`] = schema;
    objects[`${meta}/tokenmap.json`] = JSON.stringify(Object.fromEntries(tokens));
    objects[`${meta}/server_version.json`] = JSON.stringify({ release_version: "5.0.4" });
    objects[`${medusaFolder}/index/backup_index/${backup}/finished_${host}_1.timestamp`] = "1";
  }
  return objects;
}

/** One night: the job asks for a backup, gets this one, and judges it. */
export async function night(
  stage: BackupStage,
  damage: Damage = {},
  approvedDrops: string[] = [],
): Promise<JobRun & { backup: string }> {
  // Names of nights differ by the second.
  await sleep(1100);
  const { storage, kube } = stage;
  let backup = "";
  kube.onCreate = (plural, object) => {
    if (plural !== "medusabackupjobs") return;
    backup = object.metadata.name;
    const startTime = new Date().toISOString();
    void (async () => {
      for (const [name, content] of Object.entries(backupObjects(backup, damage)))
        await (content === undefined ? storage.remove(BUCKET, name) : storage.put(BUCKET, name, content));
      object.status = { startTime, finishTime: new Date().toISOString(), finished: Object.keys(HOSTS) };
    })();
  };
  const config = jobConfig("snapshot-cassandra", {
    datacenter: "emea",
    repository: REPOSITORY,
    bucket: BUCKET,
    nodes: Object.keys(HOSTS).length,
    racks: Object.values(HOSTS),
    datacenters: ["emea"],
    approvedDrops,
    timeoutSeconds: 30,
    pollSeconds: 0.1,
  });
  const run = await (await startJob("snapshot-cassandra", config, { ...storage.env, ...kube.env })).done;
  return { ...run, backup };
}

export const manifests = async ({ storage }: BackupStage) =>
  (await storage.names(BUCKET)).filter(
    (name) => name.startsWith(manifestsPrefix(REPOSITORY)) && name.endsWith(".json"),
  );

export async function fresh(stage: BackupStage): Promise<void> {
  stage.kube.clear();
  await stage.storage.emptyBucket(BUCKET);
}

/** A good night, a bad one that gets no manifest, and a good one after it. */
async function refused(stage: BackupStage, damage: Damage, says: RegExp): Promise<Outcome> {
  await fresh(stage);
  const good = await night(stage);
  assert.equal(good.code, 0, JSON.stringify(good.lines.at(-1)));
  const bad = await night(stage, damage);
  const line = bad.lines.at(-1)!;
  assert.notEqual(bad.code, 0, "the bad backup passed");
  assert.match(JSON.stringify(line.value), says);
  assert.deepEqual(
    await manifests(stage),
    [manifestPath(REPOSITORY, good.backup)],
    "the good night is no longer the latest",
  );
  const next = await night(stage);
  assert.equal(next.code, 0, JSON.stringify(next.lines.at(-1)));
  return {
    noticed: `the snapshot job: ${(line.value as string[])[0]}`,
    signal: { kind: "log", command: "snapshot-cassandra", line },
    recovered: `${good.backup} stayed the latest, ${next.backup} is whole again`,
    lostSeconds: 0,
  };
}

const row = (id: string, fault: string, damage: Damage, says: RegExp): Fault<BackupStage> => ({
  id,
  fault,
  rows: ["S1", "D3"],
  alert: "snapshot-failed",
  mayLoseSeconds: 0,
  small: true,
  inject: (stage) => refused(stage, damage, says),
});

export const backupEmpty = row(
  "backup-empty",
  "nodetool fails on a node, Medusa backs up 0 files and says that it is done",
  { empty: ["node-2"] },
  /the backup of node node-2 is empty/,
);

export const backupNodeMissing = row(
  "backup-node-missing",
  "a node is not in the backup, and the operator calls it finished",
  { absent: ["node-2"] },
  /1 of 2 nodes are in it: node-1/,
);

export const backupTableMissing = row(
  "backup-table-missing",
  "a table of the schema is in no node's backup",
  { unlisted: ["collections"] },
  /table media\.collections is not in the backup of node node-1/,
);

export const backupObjectLost = row(
  "backup-object-lost",
  "an object that a node's backup lists is not in the bucket",
  { lost: ["collections"] },
  /node-2\/data\/media\/collections-.*Data\.db is missing/,
);

export const backupObjectFlipped = row(
  "backup-object-flipped",
  "an object of a node's backup has another byte than its node wrote",
  { flipped: ["assets"] },
  /node-2\/data\/media\/assets-.*Data\.db has md5 [0-9a-f]{32}, expected/,
);

export const tableDropped: Fault<BackupStage> = {
  id: "table-dropped",
  fault: "a table is dropped, and the night backs up what is left",
  rows: ["D3", "S1"],
  alert: "snapshot-failed",
  mayLoseSeconds: 0,
  small: true,
  inject: async (stage) => {
    await fresh(stage);
    const before = await night(stage);
    assert.equal(before.code, 0, JSON.stringify(before.lines.at(-1)));
    const gone = { dropped: ["collections"] };
    const after = await night(stage, gone);
    const line = after.lines.at(-1)!;
    assert.equal(after.code, FINAL_EXIT_CODE, JSON.stringify(line));
    assert.match(JSON.stringify(line.value), new RegExp(`media.collections, last in ${before.backup}`));
    const path = manifestPath(REPOSITORY, after.backup);
    const text = (await stage.storage.get(BUCKET, path)) ?? "";
    const { dropped } = parseDocument(manifestSchema, text, path);
    assert.deepEqual(
      dropped,
      [{ name: "media.collections", backup: before.backup }],
      "what is left is backed up all the same",
    );
    const still = await night(stage, gone);
    assert.equal(still.code, FINAL_EXIT_CODE, "the second night has forgotten it");
    assert.equal((await night(stage, gone, ["media.collections"])).code, 0, "people said that it should be gone");
    assert.equal((await night(stage)).code, 0, "it is back");
    return {
      noticed: `the snapshot job, every night: ${(line.value as string[])[0]}`,
      signal: { kind: "log", command: "snapshot-cassandra", line },
      recovered: `the manifest names ${before.backup}, from which the table is restored`,
      lostSeconds: 0,
    };
  },
};

/** Rows on a bucket and a Kubernetes. */
export const backupGroup: Group<BackupStage> = {
  stage: "the site's bucket, and Medusa's backups",
  open: async () => ({ storage: await startStorage(), kube: await startKube() }),
  close: async ({ storage, kube }) => {
    await Promise.all([storage.stop(), kube.stop()]);
  },
  faults: [backupEmpty, backupNodeMissing, backupTableMissing, backupObjectLost, backupObjectFlipped, tableDropped],
};
