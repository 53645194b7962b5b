/**
 * Deep verification with everything that is real about it: Cassandra's backup by Medusa, the second copy by the real job, the
 * throwaway servers as the pods declare them.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "cassandra-driver";
import { verificationPod } from "../components/verification";
import { jobConfig } from "../jobs/config";
import { type Evidence, evidenceSchema } from "../jobs/lib/evidence";
import { writeManifest } from "../jobs/lib/lists";
import type { CassandraManifest } from "../jobs/lib/manifest";
import { gate, hostsOf, metaPath } from "../jobs/lib/medusa";
import { fileOf } from "../jobs/testing/backups";
import { startJob } from "../jobs/testing/job";
import { signingKey, startKms, type TestKms } from "../jobs/testing/kms";
import { startStorage, type TestStorage } from "../jobs/testing/storage";
import { backupName, evidencePrefix, medusaFolder } from "../plan/layout";
import { cassandraImage } from "../sandbox/images/cassandra";
import { loadTools } from "../sandbox/toolchain";
import { CassandraNode } from "./lib/cassandra-node";

const [PRIMARY, COPIES] = ["iconik-prod-backups", "iconik-vault-backup-copies"];
const REPOSITORY = "cassandra-emea";
const ROWS = 300;
const THROWAWAY = "127.77.0.9";

let dir: string;
let storage: TestStorage;
let kms: TestKms;
let node: CassandraNode;
let client: Client;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "verify-copy-"));
  [storage, kms] = await Promise.all([startStorage(), startKms()]);
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
  storage.appendOnly.add(COPIES);
  Object.assign(process.env, storage.env);
  const emulator = String(storage.env.RCLONE_GCS_ENDPOINT).replace(/\/storage\/v1\/$/, "");
  const env = { ...storage.env, STORAGE_EMULATOR_HOST: emulator };
  node = await CassandraNode.start({ address: "127.77.0.8", rack: "rack1" }, { env, bucket: PRIMARY });
  client = await node.client();
  for (const statement of [
    "CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 1}",
    "CREATE TYPE media.place (city text, at frozen<tuple<double, double>>)",
    `CREATE TABLE media.assets (tenant int, id int, title text, "Where" frozen<place>, tags set<text>, PRIMARY KEY (tenant, id))`,
    "CREATE INDEX by_title ON media.assets (title)",
    "CREATE TABLE media.empty (k text PRIMARY KEY)",
  ])
    await client.execute(statement);
  for (let id = 0; id < ROWS; id++) {
    const insert = "INSERT INTO media.assets (tenant, id, title, tags) VALUES (?, ?, ?, {'b', 'a'})";
    await client.execute(insert, [id % 10, id, `title ${id}`], { prepare: true });
  }
});

after(async () => {
  await client?.shutdown();
  await node?.stop();
  await storage?.stop();
  await kms?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A night of the site: Medusa's backup and its manifest, then the second copy. */
async function night(at: Date): Promise<void> {
  const backup = backupName(at, "emea");
  await node.backup(backup);
  const names = (await storage.names(PRIMARY)).filter((name) => name.startsWith(`${medusaFolder}/`));
  const files = [];
  for (const name of names) files.push(fileOf(name, (await storage.bytes(PRIMARY, name))!));
  const listing = new Map(files.map((file) => [file.name, file]));
  const metas = [];
  for (const host of hostsOf(medusaFolder, backup, listing)) {
    const text = async (file: string) => (await storage.get(PRIMARY, metaPath(medusaFolder, host, backup, file))) ?? "";
    metas.push({
      host,
      manifest: await text("manifest.json"),
      schema: await text("schema.cql"),
      tokenmap: await text("tokenmap.json"),
      version: await text("server_version.json"),
    });
  }
  const verdict = gate(medusaFolder, backup, { nodes: 1, racks: ["rack1"] }, listing, metas);
  assert.deepEqual(verdict.problems, []);
  await writeManifest<CassandraManifest>(
    PRIMARY,
    {
      version: 2,
      kind: "cassandra",
      repository: REPOSITORY,
      backup,
      startedAt: at.toISOString(),
      finishedAt: at.toISOString(),
      dropped: [],
      datacenter: "emea",
      nodes: verdict.nodes,
      racks: ["rack1"],
      schemaDigest: verdict.schemaDigest,
      tables: verdict.tables,
      versions: { cassandra: "5.0.4" },
    },
    verdict.files,
  );
  const config = {
    site: "prod",
    bucket: PRIMARY,
    copiesBucket: COPIES,
    repositories: [REPOSITORY],
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
  };
  const run = await (await startJob("replicate", jobConfig("replicate", config), { ...storage.env, ...kms.env })).done;
  assert.equal(run.code, 0, JSON.stringify(run.lines.at(-1)));
}

/** The declared sidecar, in a folder that stands for the pod's volume. @returns how to end it */
function sidecar(work: string): ChildProcess {
  const [server] = verificationPod("prod", REPOSITORY, {
    copiesBucket: COPIES,
    image: "i",
    mirror: "m",
    markerKeys: [kms.pem],
  }).spec.initContainers as { command: string[]; env: { name: string; value: string }[] }[];
  // Paths of the pod, in the test's own folders.
  const here = (text: string) => text.replaceAll("/work", work).replaceAll("/opt/cassandra", join(dir, "cassandra"));
  const image = cassandraImage(loadTools());
  mkdirSync(join(dir, "cassandra", "bin"), { recursive: true });
  cpSync(image.mounts["/opt/cassandra/conf"]!, join(dir, "cassandra", "conf"), { recursive: true });
  const script = join(image.mounts["/image"]!, "cassandra.sh");
  return spawn(
    "setpriv",
    [
      "--pdeathsig",
      "KILL",
      "sh",
      "-c",
      here(server!.command[2]!).replace(`${join(dir, "cassandra")}/bin/cassandra -f`, `sh ${script} server -f`),
    ],
    {
      env: {
        ...process.env,
        ...image.env,
        TMPDIR: join(dir, "tmp"),
        ...Object.fromEntries(server!.env.map(({ name, value }) => [name, here(value)])),
      },
      stdio: "inherit",
      detached: true,
    },
  );
}

/** Runs a verification. @returns its exit code, last line and evidence */
async function verify() {
  const work = mkdtempSync(join(dir, "work-"));
  mkdirSync(join(dir, "tmp"), { recursive: true });
  const server = sidecar(work);
  try {
    const known = new Set(await storage.names(COPIES));
    const config = {
      site: "prod",
      repository: REPOSITORY,
      copiesBucket: COPIES,
      markerKeys: [kms.pem],
      work,
      timeoutSeconds: 120,
      pollSeconds: 0.5,
    };
    const job = await startJob("verify-copy", jobConfig("verify-copy", config), { ...storage.env, POD_IP: THROWAWAY });
    const { code, lines } = await job.done;
    const [path] = (await storage.names(COPIES)).filter((name) => !known.has(name));
    const text = path && (await storage.get(COPIES, path));
    const evidence: Evidence | undefined = text ? evidenceSchema.parse(JSON.parse(text)) : undefined;
    const log = () => readFileSync(join(work, "server.log"), "utf8").slice(-2000);
    return { code, lines, last: lines.at(-1)!, path, evidence, log };
  } finally {
    process.kill(-server.pid!, "SIGKILL");
  }
}

test("a whole copy comes back: every row is read and counted, and the evidence says so", async () => {
  await night(new Date(Date.now() - 7_200_000));
  const { code, last, evidence, path } = await verify();
  assert.equal(code, 0, JSON.stringify(last));
  assert.ok(path?.startsWith(evidencePrefix("prod")) && path.endsWith("-ok.json"), path);
  assert.deepEqual([evidence?.result, evidence?.problems], ["ok", []]);
  assert.equal(evidence?.server, "5.0.4");
  const parts = new Map(evidence!.nodes[0]!.parts.map(({ name, rows }) => [name, rows]));
  assert.equal(parts.get("media.assets"), ROWS);
  assert.equal(parts.get("media.empty"), 0);
  assert.ok(parts.has("system_auth.roles"));
  assert.ok(evidence!.objects > 10 && evidence!.bytes > 1000);
});

test("another run of the same copy finds the same digest and leaves evidence of its own", async () => {
  const first = await verify();
  const second = await verify();
  const digest = (each: typeof first) =>
    each.evidence!.nodes[0]!.parts.find(({ name }) => name === "media.assets")!.digest;
  assert.equal(digest(first), digest(second));
  assert.notEqual(first.path, second.path);
});

/** Flips a bit in the middle of an object. @returns its name */
async function flip(bucket: string, pattern: RegExp): Promise<string> {
  const name = (await storage.names(bucket)).find((each) => pattern.test(each))!;
  const content = Buffer.from((await storage.bytes(bucket, name))!);
  const at = Math.floor(content.length / 2);
  content[at] = content[at]! ^ 1;
  await storage.put(bucket, name, content);
  return name;
}

test("a bit that was flipped in the copy is found by its md5, before any server reads it", async () => {
  storage.appendOnly.delete(COPIES);
  const name = await flip(COPIES, /\/media\/assets-[0-9a-f]+\/[^/]+-Data\.db$/);
  storage.appendOnly.add(COPIES);
  const { code, last, evidence, path } = await verify();
  assert.equal(code, 3, JSON.stringify(last));
  assert.ok(path?.endsWith("-failed.json"));
  assert.ok(
    evidence?.problems.some((line) => line.includes(name.split("/").at(-1)!)),
    JSON.stringify(evidence?.problems),
  );
});

test("what was damaged before the backup, its md5 in order, is found by reading it", async () => {
  const folder = node.tableFolder("media", "assets");
  const known = new Set(readdirSync(folder));
  // In a file of its own: what an earlier night has already is not read again by Medusa, and stays whole.
  for (let id = ROWS; id < 2 * ROWS; id++) {
    const insert = "INSERT INTO media.assets (tenant, id, title) VALUES (?, ?, ?)";
    await client.execute(insert, [id % 10, id, `title ${id}`], { prepare: true });
  }
  await node.nodetool("flush", "media");
  const [file] = readdirSync(folder).filter((name) => name.endsWith("-Data.db") && !known.has(name));
  const content = readFileSync(join(folder, file!));
  content[Math.floor(content.length / 2)]! ^= 1;
  writeFileSync(join(folder, file!), content);
  await night(new Date());
  const { code, last, evidence } = await verify();
  assert.equal(code, 3, JSON.stringify(last));
  assert.ok(
    evidence?.problems.some((line) => /media\.assets cannot be read|Corrupt/.test(line)),
    JSON.stringify(evidence?.problems),
  );
});
