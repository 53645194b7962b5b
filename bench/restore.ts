/**
 * `restore [--mib N]`: what it takes to bring Cassandra's data back, step by step: our copy steps beside rclone alone with the
 * same files at the same place, then Medusa's and the server's share. Real parts on this machine; ratios are of one run.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "cassandra-driver";
import { Command, InvalidArgumentError } from "commander";
import pLimit from "p-limit";
import { COPIES, closeMedusaStage, type MedusaStage, night, openMedusaStage } from "../faults/medusa-stage";
import { jobConfig } from "../jobs/config";
import { bring } from "../jobs/lib/bring";
import { fetchList, withScratch } from "../jobs/lib/lists";
import { noMarker, readMarker } from "../jobs/lib/markers";
import { run } from "../jobs/lib/rclone";
import { startJob } from "../jobs/testing/job";
import { addTools } from "../jobs/testing/tools";
import { copyFolder } from "../plan/layout";
import { medusaImage } from "../sandbox/images/medusa";
import { loadTools } from "../sandbox/toolchain";
import { type RestoreReport, restoreTable, summarizeRestore } from "./restore-summary";

const ROOT = join(__dirname, "..");
const [OWN, RAW] = ["bench-own", "bench-raw"];
/** Files at a time, of rclone alone as of the jobs. */
const TRANSFERS = 8;
/** Rows of random bytes: nothing of them can be compressed. */
const ROW_BYTES = 256 * 1024;

const { mib } = new Command("restore")
  .description("Measures a restore of Cassandra's data, step by step")
  .option("--mib <count>", "data to bring back, in MiB", size, 1024)
  .parse()
  .opts<{ mib: number }>();

function size(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 16 || value > 4096)
    throw new InvalidArgumentError(`"${text}" is no whole number from 16 to 4096`);
  return value;
}

async function fill({ client, node }: MedusaStage, rows: number): Promise<void> {
  await client.execute("CREATE TABLE media.blobs (id int PRIMARY KEY, content blob)");
  const limit = pLimit(8);
  const insert = (id: number) =>
    client.execute("INSERT INTO media.blobs (id, content) VALUES (?, ?)", [id, randomBytes(ROW_BYTES)], {
      prepare: true,
    });
  await Promise.all(Array.from({ length: rows }, (_, id) => limit(() => insert(id))));
  await node.nodetool("flush", "media");
}

/** Reads every row. @throws when one is not there */
async function readAll(client: Client, rows: number): Promise<void> {
  let found = 0;
  const read = await client.execute("SELECT id, content FROM media.blobs", [], { prepare: true, fetchSize: 100 });
  for await (const row of read) {
    if (row.content.length !== ROW_BYTES) throw new Error(`row ${row.id} is not whole`);
    found++;
  }
  if (found !== rows) throw new Error(`${found} of ${rows} rows came back`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** rclone alone, with the whole copy of the site. */
const raw = (to: string) =>
  timed(() => run(["copy", `store:${COPIES}/${copyFolder("prod", undefined)}`, to, "--transfers", String(TRANSFERS)]));

async function toBucket({ storage, kms }: MedusaStage): Promise<number> {
  return timed(async () => {
    const config = jobConfig("restore-copy", {
      source: "prod",
      marker: "latest",
      markerKeys: [kms.pem],
      copiesBucket: COPIES,
      bucket: OWN,
      accessSeconds: 0,
      transfers: TRANSFERS,
    });
    const { code, lines } = await (await startJob("restore-copy", config, storage.env)).done;
    if (code !== 0) throw new Error(JSON.stringify(lines.at(-1)));
  });
}

/** The copy brought onto the stage's disk, and how much it is. */
async function toDisk({ dir, kms }: MedusaStage) {
  const marker = await readMarker(COPIES, "prod", "latest", [kms.pem]);
  const entry = Object.values(marker?.repositories ?? {})[0];
  if (!entry) throw noMarker("prod", "latest");
  return withScratch(async (scratch) => {
    const list = join(scratch, "objects.jsonl");
    await fetchList(COPIES, entry.listing, list);
    const folder = join(dir, "brought");
    const options = { copiesBucket: COPIES, site: "prod", list, folder, transfers: TRANSFERS };
    let objects = 0;
    const seconds = await timed(async () => {
      const brought = await bring(options, () => true);
      if (brought.findings.count > 0) throw new Error(brought.findings.shown().join("; "));
      objects = brought.objects;
    });
    rmSync(folder, { recursive: true });
    return { seconds, objects, bytes: entry.listing.bytes };
  });
}

/** The node's files are lost; Medusa and the server bring them back. */
async function intoNode({ node }: MedusaStage, backup: string, rows: number) {
  await node.kill();
  node.wipe();
  const env = {
    BACKUP_NAME: backup,
    RESTORE_KEY: "bench",
    RESTORE_MAPPING: JSON.stringify({ in_place: true, host_map: { [node.pod]: { source: [node.pod], seed: false } } }),
  };
  const medusa = await timed(async () => {
    const command = ["/medusa/medusa.sh", "restore"];
    const restore = node.container("restore", medusaImage(loadTools()), command, [], undefined, env);
    if ((await restore.exitCode()) !== 0) throw new Error(`Medusa's restore failed: see ${node.log("restore")}`);
  });
  const load = await timed(async () => {
    await node.restart();
    const client = await node.client();
    await readAll(client, rows).finally(() => client.shutdown());
  });
  return { medusa, load };
}

async function measure(stage: MedusaStage): Promise<RestoreReport> {
  const { storage, dir } = stage;
  Object.assign(process.env, storage.env);
  const rows = Math.ceil((mib * 2 ** 20) / ROW_BYTES);
  await fill(stage, rows);
  const backup = await night(stage);
  // Once beforehand, so that nobody is the first to read.
  for (const bucket of [OWN, RAW]) await storage.emptyBucket(bucket);
  await raw(`store:${RAW}`);
  await storage.emptyBucket(RAW);
  const toBucketRaw = await raw(`store:${RAW}`);
  await storage.emptyBucket(RAW);
  const bucketSeconds = await toBucket(stage);
  await storage.emptyBucket(OWN);
  const toDiskRaw = await raw(join(dir, "raw"));
  rmSync(join(dir, "raw"), { recursive: true });
  const disk = await toDisk(stage);
  const node = await intoNode(stage, backup, rows);
  const { objects, bytes } = disk;
  return summarizeRestore({
    ...{ objects, bytes, toBucket: bucketSeconds, toBucketRaw, toDisk: disk.seconds, toDiskRaw },
    ...node,
  });
}

async function main(): Promise<number> {
  addTools();
  const stage = await openMedusaStage("127.77.0.7");
  try {
    const report = await measure(stage);
    const reports = join(ROOT, "reports", "latest");
    mkdirSync(reports, { recursive: true });
    writeFileSync(join(reports, "bench-restore.json"), `${JSON.stringify(report, null, 2)}\n`);
    console.log(`${restoreTable(report)}\n${join(reports, "bench-restore.json")}`);
    return report.result === "pass" ? 0 : 1;
  } finally {
    await closeMedusaStage(stage);
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
