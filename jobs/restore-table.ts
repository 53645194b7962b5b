/**
 * Makes a table, or every table of a keyspace, ready to be brought back from a backup of the site's own while the site goes on
 * serving (D3). Everything is checked first; then the SSTables of every node of the backup are fetched, tables that are gone
 * are made again from the backup's schema, and living content is removed where that was asked for by name. Cassandra's own
 * bulk loader, the pod's next container, streams what lies in the folder to every replica in every datacenter.
 *
 * May be killed and repeated: the backup is chosen once, a table is emptied once, loaded rows keep their own timestamps, so
 * that loading them again changes nothing. In memory is one node's list of files at a time; on disk are the table's files of
 * all nodes, and none is fetched when there is no room for them.
 */
import { mkdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Client } from "cassandra-driver";
import { stringify } from "yaml";
import { repositoryFolder } from "../plan/layout";
import { bulkLoad } from "../plan/recovery";
import { cassandraVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { difference } from "./lib/compare";
import { Findings, listFolders, zip } from "./lib/listing";
import { fetchList, type KeyedFile, readList, withScratch } from "./lib/lists";
import { type Fields, JobError, log, some } from "./lib/log";
import type { CassandraManifest } from "./lib/manifest";
import { metaPath, type NodeTables, nodeTables } from "./lib/medusa";
import { download, readObject } from "./lib/rclone";
import { notNewer, Recovery } from "./lib/recovery";
import { columnsOf, creation, misfits } from "./lib/schema";
import { livingTable, quotedName, withSession } from "./lib/session";

type Config = JobConfig<"restore-table">;

/** Folder of the SSTables, `<host>/<keyspace>/<table>/` below, as the loader wants them. */
const LOAD = "load";

/** The recovery that a table's jobs share. */
export async function openTableRecovery(config: JobConfig<"restore-table-check">): Promise<Recovery> {
  const { id, bucket, repository, backup, before, keyspace, table, truncate } = config;
  return Recovery.open({ id, kind: "table", bucket, repository, backup, before, what: { keyspace, table, truncate } });
}

/** Runs the job. @throws JobError when something does not fit, is missing or damaged; nothing was changed then. */
export async function restoreTable(config: Config): Promise<Fields> {
  const load = join(config.folder, LOAD);
  await rm(load, { recursive: true, force: true });
  await mkdir(load, { recursive: true });
  const recovery = await openTableRecovery(config);
  if (recovery.done) {
    await writeFile(join(config.secretsFolder, "cassandra.yaml"), "");
    return { recovery: config.id, backup: recovery.backup, note: "done before", ...recovery.result };
  }
  const manifest = cassandraOf(recovery);
  const tables = wantedTables(config, manifest);
  const schema = await schemaOf(config, manifest);
  const bytes = await whole(config, manifest, tables);
  await room(config, bytes);
  await withSession(config.cql, config.datacenter, (client) => fits(client, config.keyspace, tables, schema));
  const objects = await fetchAll(config, manifest, tables, load);
  await withSession(config.cql, config.datacenter, (client) => prepare(client, config, recovery, tables, schema));
  await loaderConfiguration(config);
  return { recovery: config.id, backup: recovery.backup, tables: tables.length, objects, bytes };
}

function cassandraOf({ manifest }: Recovery): CassandraManifest {
  if (manifest.kind === "cassandra") return manifest;
  throw new JobError(`the manifest of ${manifest.repository} is not Cassandra's`, {
    value: manifest.kind,
    final: true,
  });
}

/** Tables to bring back. @throws JobError when the backup does not have them or is of a newer version */
export function wantedTables(
  { keyspace, table }: Pick<Config, "keyspace" | "table">,
  manifest: CassandraManifest,
): string[] {
  notNewer("Cassandra", manifest.versions.cassandra, cassandraVersion);
  const own = manifest.tables.filter((each) => each.keyspace === keyspace).map((each) => each.table);
  if (own.length === 0) {
    throw new JobError(`backup ${manifest.backup} has no keyspace "${keyspace}"`, {
      value: keyspace,
      allowed: some([...new Set(manifest.tables.map((each) => each.keyspace))].sort()),
      fix: "name a keyspace of the backup (as it is spelled there), or another backup",
      final: true,
    });
  }
  if (table !== undefined && !own.includes(table)) {
    throw new JobError(`backup ${manifest.backup} has no table "${table}" in keyspace "${keyspace}"`, {
      value: table,
      allowed: some(own.sort(), 30),
      fix: "name a table of the backup, or a backup from before it was dropped",
      final: true,
    });
  }
  return table === undefined ? own : [table];
}

/** The schema as the backup's first node wrote it: the gate saw that all agree. */
async function schemaOf({ bucket, repository }: Config, { nodes, backup }: CassandraManifest): Promise<string> {
  return readObject(bucket, metaPath(repositoryFolder(repository), nodes[0]!.host, backup, "schema.cql"));
}

/** Files of the tables that each node of the backup has, one node at a time. */
async function* filesByNode(
  { bucket, repository, keyspace }: Config,
  { nodes, backup }: CassandraManifest,
  tables: readonly string[],
): AsyncGenerator<{ host: string; parts: NodeTables[] }> {
  for (const { host } of nodes) {
    const path = metaPath(repositoryFolder(repository), host, backup, "manifest.json");
    const parts = nodeTables(await readObject(bucket, path), path);
    yield { host, parts: parts.filter((part) => part.keyspace === keyspace && tables.includes(part.table)) };
  }
}

/** Every object of the tables is there as the manifest has it. @returns their bytes @throws JobError when one is not */
async function whole(config: Config, manifest: CassandraManifest, tables: readonly string[]): Promise<number> {
  const { bucket } = config;
  const problems = new Findings();
  let bytes = 0;
  await withScratch(async (scratch) => {
    const list = join(scratch, "files.jsonl");
    await fetchList(bucket, manifest.files, list);
    for await (const { host, parts } of filesByNode(config, manifest, tables)) {
      const wanted = new Set(parts.flatMap((part) => part.paths));
      const folder = `${repositoryFolder(config.repository)}/${host}/`;
      const streams: AsyncIterable<KeyedFile>[] = [
        readList(list, manifest.files.path),
        listFolders(bucket, "", [folder]),
      ];
      for await (const [expected, found] of zip(streams)) {
        if (expected === undefined || !wanted.delete(expected.name)) continue;
        const problem = difference(expected, found);
        if (problem !== undefined) problems.add(problem);
        bytes += expected.size;
      }
      for (const name of wanted) problems.add(`${name} is not in the manifest`);
    }
  });
  if (problems.count > 0) {
    throw new JobError(`backup ${manifest.backup} is not what its manifest says`, {
      value: problems.shown(),
      allowed: "every object of the tables with its size and md5",
      fix: "name an older backup, and look into the bucket: its soft-deleted objects can be brought back",
      final: true,
    });
  }
  return bytes;
}

async function room({ folder }: Config, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, Math.ceil(bytes * (1 + bulkLoad.headroom))];
  if (free >= needed) return;
  throw new JobError("the recovery's volume has no room for the tables", {
    value: `${free} bytes are free`,
    allowed: `${needed} bytes or more`,
    fix: "give the recovery a larger volume (recoveries[].volume), or bring the tables back one by one",
    final: true,
  });
}

/** The living tables can read the backup's files. @throws JobError when one cannot; one that is gone is made later */
async function fits(client: Client, keyspace: string, tables: readonly string[], schema: string): Promise<void> {
  const problems: string[] = [];
  for (const table of tables) {
    const backup = columnsOf(schema, keyspace, table);
    const living = await livingTable(client, keyspace, table);
    if (backup === undefined) problems.push(`${table}: the backup's schema has no such table`);
    else if (living !== undefined) {
      problems.push(...misfits(backup, living.columns, living.dropped).map((each) => `${table}: ${each}`));
    }
  }
  if (problems.length === 0) return;
  throw new JobError("tables are not like those that were backed up", {
    value: some(problems),
    allowed: "the backup's columns with their types, beside others",
    fix: "ALTER TABLE … ADD what is missing; or drop the table, to get it back as it was",
    final: true,
  });
}

/** @returns number of objects fetched */
async function fetchAll(
  config: Config,
  manifest: CassandraManifest,
  tables: readonly string[],
  load: string,
): Promise<number> {
  let objects = 0;
  for await (const { host, parts } of filesByNode(config, manifest, tables)) {
    for (const { table, paths } of parts) {
      const folder = join(load, host, config.keyspace, table);
      await mkdir(folder, { recursive: true });
      for (const prefix of new Set(paths.map((path) => dirname(path)))) {
        const names = paths.filter((path) => dirname(path) === prefix).map((path) => basename(path));
        await download({ bucket: config.bucket, prefix }, folder, names, config.transfers);
        objects += names.length;
      }
      log("fetched", { host, table, objects: paths.length });
    }
  }
  return objects;
}

/** Makes what is gone, and empties what is to be replaced. */
async function prepare(
  client: Client,
  { keyspace, truncate }: Config,
  recovery: Recovery,
  tables: readonly string[],
  schema: string,
): Promise<void> {
  await recovery.changing();
  for (const statement of creation(schema, keyspace, tables)) await client.execute(statement);
  if (!truncate) return;
  for (const table of tables) {
    await recovery.once(`truncated ${table}`, async () => {
      await client.execute(`TRUNCATE ${quotedName(keyspace)}.${quotedName(table)}`);
      log("emptied", { keyspace, table, note: "each node keeps a snapshot of what it had (auto_snapshot)" });
    });
  }
}

/** What the loader has to know to speak as a node: it reads no more of the file than the encryption between nodes. */
async function loaderConfiguration({ internode, secretsFolder }: Config): Promise<void> {
  const options = {
    internode_encryption: "all",
    require_client_auth: true,
    require_endpoint_verification: false,
    store_type: "PKCS12",
    accepted_protocols: internode.protocols,
    keystore: internode.keystoreFile,
    truststore: internode.truststoreFile,
    keystore_password: await secretIn(internode.passwordFile),
    truststore_password: await secretIn(internode.passwordFile),
  };
  const text = stringify({ server_encryption_options: options });
  await writeFile(join(secretsFolder, "cassandra.yaml"), text, { mode: 0o600 });
}

const secretIn = async (path: string): Promise<string> => (await readFile(path, "utf8")).trim();
