/**
 * A stage for what becomes of Cassandra's backups: one real node with the real Medusa, the snapshot job, and the second copy by
 * the replicator. Only the operator that hands the job's wish to Medusa is played.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "cassandra-driver";
import { jobConfig } from "../jobs/config";
import { type JobRun, startJob } from "../jobs/testing/job";
import { startKms, type TestKms } from "../jobs/testing/kms";
import { startKube, type TestKube } from "../jobs/testing/kube";
import { replicated } from "../jobs/testing/replicated";
import { startStorage, type TestStorage } from "../jobs/testing/storage";
import { manifestPath } from "../plan/layout";
import { CassandraNode } from "../tests/lib/cassandra-node";

export const PRIMARY = "iconik-prod-backups";
export const COPIES = "iconik-vault-backup-copies";
export const REPOSITORY = "cassandra-emea";
/** Rows of `media.assets` from the start on, ten partitions of them. */
export const ROWS = 300;

/** The node and what its backups go through. */
export interface MedusaStage {
  /** For what a test leaves; goes with the stage. */
  dir: string;
  storage: TestStorage;
  kms: TestKms;
  kube: TestKube;
  node: CassandraNode;
  client: Client;
}

const SCHEMA = [
  "CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 1}",
  "CREATE TYPE media.place (city text, at frozen<tuple<double, double>>)",
  `CREATE TABLE media.assets (tenant int, id int, title text, "Where" frozen<place>, tags set<text>, PRIMARY KEY (tenant, id)) WITH comment = 'it''s; so'`,
  "CREATE INDEX by_title ON media.assets (title)",
  "CREATE TABLE media.other (k text PRIMARY KEY)",
  "CREATE TABLE media.empty (k text PRIMARY KEY)",
  "INSERT INTO media.other (k) VALUES ('a')",
];

/** Starts it with rows in it. @param address of the node: another one for each stage that is up at a time */
export async function openMedusaStage(address: string): Promise<MedusaStage> {
  const [storage, kms, kube] = await Promise.all([startStorage(), startKms(), startKube()]);
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
  storage.appendOnly.add(COPIES);
  const emulator = String(storage.env.RCLONE_GCS_ENDPOINT).replace(/\/storage\/v1\/$/, "");
  const node = await CassandraNode.start(
    { address, names: { "iconik-emea-service.cassandra.svc": address } },
    { env: { ...storage.env, STORAGE_EMULATOR_HOST: emulator }, bucket: PRIMARY },
  );
  const stage = { dir: mkdtempSync(join(tmpdir(), "medusa-stage-")), storage, kms, kube, node };
  const client = await node.client();
  for (const statement of SCHEMA) await client.execute(statement);
  await insertAssets(client, 0, ROWS);
  return { ...stage, client };
}

export async function closeMedusaStage({ dir, storage, kms, kube, node, client }: MedusaStage): Promise<void> {
  await client.shutdown();
  await Promise.all([node.stop(), storage.stop(), kms.stop(), kube.stop()]);
  rmSync(dir, { recursive: true, force: true });
}

/** Writes assets with these ids, the last one excluded. */
export async function insertAssets(client: Client, from: number, to: number): Promise<void> {
  const insert = "INSERT INTO media.assets (tenant, id, title, tags) VALUES (?, ?, ?, {'b', 'a'})";
  for (let id = from; id < to; id++) await client.execute(insert, [id % 10, id, `title ${id}`], { prepare: true });
}

/** The snapshot job, whatever it says, and the name of the backup that Medusa made for it. */
export async function snapshot(stage: MedusaStage): Promise<JobRun & { backup: string }> {
  // Names of nights differ by the second.
  await sleep(1100);
  const { storage, kube, node } = stage;
  let backup = "";
  kube.onCreate = (plural, object) => {
    if (plural !== "medusabackupjobs") return;
    backup = object.metadata.name;
    const startTime = new Date().toISOString();
    const ended = (how: object) =>
      Object.assign(object, { status: { startTime, finishTime: new Date().toISOString(), ...how } });
    node.backup(backup).then(
      () => ended({ finished: [node.pod] }),
      () => ended({ failed: [node.pod] }),
    );
  };
  const config = jobConfig("snapshot-cassandra", {
    datacenter: "emea",
    repository: REPOSITORY,
    bucket: PRIMARY,
    nodes: 1,
    racks: [node.rack],
    datacenters: ["emea"],
    timeoutSeconds: 120,
    pollSeconds: 0.2,
  });
  const run = await (await startJob("snapshot-cassandra", config, { ...storage.env, ...kube.env })).done;
  return { ...run, backup };
}

/** A good backup. One node cannot have the two replicas that the job also asks for: the manifest is there all the same. @returns its name */
export async function backedUp(stage: MedusaStage): Promise<string> {
  const { backup, lines } = await snapshot(stage);
  assert.ok(await stage.storage.get(PRIMARY, manifestPath(REPOSITORY, backup)), JSON.stringify(lines.at(-1)));
  return backup;
}

/** A night of the site and of the vault: the backup and its second copy. */
export async function night(stage: MedusaStage): Promise<string> {
  const backup = await backedUp(stage);
  await replicated(stage.storage, stage.kms, { bucket: PRIMARY, copiesBucket: COPIES, repository: REPOSITORY });
  return backup;
}
