/**
 * The recovery of a table in place (D3) with everything that is real about it: Cassandra that encrypts between nodes, Medusa's
 * backup, the pod's containers as declared, the bulk loader. docs/runbooks/d3-corruption.md has the same cases.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "cassandra-driver";
import { type TableRecoverySpec, tableRecoveryPod } from "../components/table-recovery";
import { bundleJobs } from "../jobs/bundle";
import { byBytes } from "../jobs/lib/listing";
import type { CassandraManifest } from "../jobs/lib/manifest";
import { gate, hostsOf, metaPath } from "../jobs/lib/medusa";
import { fileOf } from "../jobs/testing/backups";
import { startStorage, type TestStorage } from "../jobs/testing/storage";
import { backupName, filesPath, manifestPath, medusaFolder, recoveryPath } from "../plan/layout";
import { cassandraImage } from "../sandbox/images/cassandra";
import type { ImageProgram } from "../sandbox/lib/types";
import { loadTools } from "../sandbox/toolchain";
import { CassandraNode } from "./lib/cassandra-node";

const BUCKET = "iconik-prod-backups";
const REPOSITORY = "cassandra-emea";
const NIGHT = backupName(new Date("2026-11-25T01:00:00Z"), "emea");
const ROWS = 200;

let dir: string;
let storage: TestStorage;
let node: CassandraNode;
let client: Client;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "table-recovery-"));
  await bundleJobs(join(dir, "app", "dr-jobs.js"));
  storage = await startStorage();
  await storage.emptyBucket(BUCKET);
  const emulator = String(storage.env.RCLONE_GCS_ENDPOINT).replace(/\/storage\/v1\/$/, "");
  const env = { ...storage.env, STORAGE_EMULATOR_HOST: emulator };
  node = await CassandraNode.start(
    { address: "127.77.0.1", names: { "iconik-emea-service.cassandra.svc": "127.77.0.1" } },
    { env, bucket: BUCKET },
  );
  client = await node.client();
  for (const statement of [
    "CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 1}",
    "CREATE TYPE media.place (city text, at frozen<tuple<double, double>>)",
    `CREATE TABLE media.assets (tenant int, id int, title text, "Where" frozen<place>, PRIMARY KEY (tenant, id)) WITH comment = 'it''s; so'`,
    "CREATE INDEX by_title ON media.assets (title)",
    "CREATE TABLE media.other (k text PRIMARY KEY)",
  ])
    await client.execute(statement);
  for (let id = 0; id < ROWS; id++) await write(id, `title ${id}`);
  await client.execute("INSERT INTO media.other (k) VALUES ('a')");
  await node.backup(NIGHT);
  await putManifest();
});

after(async () => {
  await client?.shutdown();
  await node?.stop();
  await storage?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const write = (id: number, title: string) =>
  client.execute("INSERT INTO media.assets (tenant, id, title) VALUES (?, ?, ?)", [id % 10, id, title], {
    prepare: true,
  });
const count = async (table: string) =>
  Number((await client.execute(`SELECT count(*) FROM media.${table}`)).first().count);
const titleOf = async (id: number) =>
  (
    await client.execute("SELECT title FROM media.assets WHERE tenant = ? AND id = ?", [id % 10, id], { prepare: true })
  ).first()?.title;

/** Writes the manifest as the snapshot's job makes it: by its gate. */
async function putManifest(): Promise<void> {
  const names = (await storage.names(BUCKET)).filter((name) => name.startsWith(`${medusaFolder}/`));
  const files = [];
  for (const name of names) files.push(fileOf(name, (await storage.bytes(BUCKET, name))!));
  const listing = new Map(files.map((file) => [file.name, file]));
  const text = async (host: string, file: string) =>
    (await storage.get(BUCKET, metaPath(medusaFolder, host, NIGHT, file))) ?? "";
  const metas = [];
  for (const host of hostsOf(medusaFolder, NIGHT, listing)) {
    metas.push({
      host,
      manifest: await text(host, "manifest.json"),
      schema: await text(host, "schema.cql"),
      tokenmap: await text(host, "tokenmap.json"),
      version: await text(host, "server_version.json"),
    });
  }
  const verdict = gate(medusaFolder, NIGHT, { nodes: 1, racks: ["rack1"] }, listing, metas);
  assert.deepEqual(verdict.problems, []);
  const list = verdict.files
    .sort((a, b) => byBytes(a.name, b.name))
    .map((file) => `${JSON.stringify(file)}\n`)
    .join("");
  const manifest: CassandraManifest = {
    version: 2,
    kind: "cassandra",
    repository: REPOSITORY,
    backup: NIGHT,
    startedAt: "2026-11-25T01:00:00Z",
    finishedAt: "2026-11-25T01:10:00Z",
    dropped: [],
    datacenter: "emea",
    nodes: verdict.nodes,
    racks: ["rack1"],
    schemaDigest: verdict.schemaDigest,
    tables: verdict.tables,
    versions: { cassandra: "5.0.4" },
    files: {
      path: filesPath(REPOSITORY, NIGHT),
      sha256: createHash("sha256").update(list).digest("hex"),
      objects: verdict.files.length,
      bytes: verdict.files.reduce((sum, { size }) => sum + size, 0),
    },
  };
  await storage.put(BUCKET, manifest.files.path, list);
  await storage.put(BUCKET, manifestPath(REPOSITORY, NIGHT), JSON.stringify(manifest));
}

type Container = ReturnType<typeof tableRecoveryPod>["spec"]["containers"][number] & { command?: string[] };

/** Runs the containers of the declared pod one after the other. @returns the summaries of its jobs */
async function recover(change: Partial<TableRecoverySpec> & { id: string }): Promise<Record<string, unknown>[]> {
  const { spec } = tableRecoveryPod({
    datacenter: "emea",
    keyspace: "media",
    before: "2026-11-25T12:00:00Z",
    bucket: BUCKET,
    image: "jobs",
    mirror: "mirror",
    ...change,
  });
  const tools = loadTools();
  const jobs: ImageProgram = {
    entrypoint: ["node", "/app/dr-jobs.js"],
    mounts: {
      "/app": join(dir, "app"),
      [tools.python.home]: tools.python.home,
      ...(process.execPath.startsWith("/usr/") ? {} : { [process.execPath]: process.execPath }),
    },
    path: [dirname(tools.python.rclone), dirname(process.execPath)],
    env: {},
  };
  const volumes = mkdtempSync(join(dir, "pod-"));
  const folders: Record<string, string> = {
    superuser: node.secrets.superuser,
    stores: node.secrets.internode,
    authority: node.secrets.internode,
  };
  const summaries: Record<string, unknown>[] = [];
  for (const container of [...spec.initContainers, ...spec.containers] as Container[]) {
    const mounts = container.volumeMounts.map(({ name, mountPath, readOnly = false }) => {
      const source = folders[name] ?? join(volumes, name);
      mkdirSync(source, { recursive: true });
      return { source, target: mountPath, readOnly };
    });
    const image = container.command ? cassandraImage(tools) : jobs;
    const command = container.command ?? [...jobs.entrypoint, ...container.args];
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value as string]));
    const log = join(volumes, `${container.name}.log`);
    const code = await node.container(container.name, image, command, mounts, log, env).exitCode();
    const output = readFileSync(log, "utf8");
    assert.equal(code, 0, `${container.name}: ${output.slice(-3000)}`);
    if (!container.command) summaries.push(JSON.parse(output.trim().split("\n").at(-1)!));
  }
  return summaries;
}

test("a dropped table comes back with its index, beside those that live", async () => {
  await client.execute("DROP TABLE media.assets");
  await client.execute("INSERT INTO media.other (k) VALUES ('b')");
  const [fetched, checked] = await recover({ id: "dropped", table: "assets" });
  assert.equal(fetched?.backup, NIGHT);
  assert.equal(checked?.tables, 1);
  assert.equal(await count("assets"), ROWS);
  assert.equal(await count("other"), 2);
  const found = await client.execute("SELECT id FROM media.assets WHERE title = 'title 17'");
  assert.equal(found.first()?.id, 17, "by the index that was made again");
});

test("rows come back beside what was written later, and deletions stay; the same id does nothing again", async () => {
  await write(1, "written later");
  await client.execute("DELETE FROM media.assets WHERE tenant = 3");
  await recover({ id: "beside", table: "assets" });
  assert.equal(await titleOf(1), "written later");
  assert.equal(await count("assets"), ROWS - ROWS / 10);

  const [again] = await recover({ id: "beside", table: "assets" });
  assert.equal(again?.note, "done before");
});

test("a whole keyspace, and a table emptied before it is brought back as it was", async () => {
  await client.execute("TRUNCATE media.other");
  await recover({ id: "keyspace" });
  assert.equal(await count("other"), 1);
  assert.equal(await count("assets"), ROWS - ROWS / 10);

  await recover({ id: "replaced", table: "assets", truncate: true });
  assert.equal(await count("assets"), ROWS);
  assert.equal(await titleOf(1), "title 1");
  const record = JSON.parse((await storage.get(BUCKET, recoveryPath("replaced")))!);
  assert.deepEqual([record.state, record.backup, Object.keys(record.steps)], ["done", NIGHT, ["truncated assets"]]);
});

test("a table that has become another one is refused, and nothing is emptied", async () => {
  await client.execute("DROP TABLE media.other");
  await client.execute("CREATE TABLE media.other (k int PRIMARY KEY)");
  await client.execute("INSERT INTO media.other (k) VALUES (7)");
  await assert.rejects(
    recover({ id: "changed", table: "other", truncate: true }),
    /tables are not like those that were backed up.*other: column k is int, the backup has text/,
  );
  assert.equal(await count("other"), 1);
});
