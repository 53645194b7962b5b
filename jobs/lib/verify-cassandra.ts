/** One Cassandra backup in the second copy, restored node by node and read in full. */
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Client, errors } from "cassandra-driver";
import { repositoryFolder } from "../../plan/layout";
import type { JobConfig } from "../config";
import { type Bringing, bring } from "./bring";
import { Digest } from "./digest";
import { log, some } from "./log";
import type { CassandraManifest, MarkerEntry } from "./manifest";
import { metaPath, type NodeObject, nodeObjects } from "./medusa";
import { rangesOf, scanTable, tablesOn } from "./scan";
import { livingTable } from "./session";
import { complaints, dataFolder, SERVER_LOG, ServerEnded, startServer, stopServer } from "./throwaway";
import { schemaNotes, schemaProblem } from "./verify-schema";
import { type Found, TimeOver, type Verifying } from "./verifying";

type Config = JobConfig<"verify-copy">;

/** A copy of a repository by its marker, with its list on disk. */
export interface Copy {
  entry: MarkerEntry;
  list: string;
}

/** Keyspaces that a server makes for itself: each node's own memory of a ring that is not there. */
const OWN = /^system(_traces|_distributed|_views|_virtual_schema)?$/;

/**
 * Restores every node of the backup in turn. On disk lies one node's data at a time; in memory, the names of its objects, a
 * page of rows and a digest for each range of each table.
 *
 * Whatever a server says or does not say is a finding and ends nothing before its evidence is written.
 * @throws TimeOver when a server does not answer or end in time
 */
export async function verifyCassandra(
  config: Config,
  copy: Copy,
  head: CassandraManifest,
  host: string,
  verifying: Verifying,
): Promise<void> {
  const { found, left } = verifying;
  const limits = () => ({ pollSeconds: config.pollSeconds, timeoutSeconds: left() });
  const ranges = rangesOf(head.nodes.flatMap(({ tokens }) => tokens));
  /** Digests of a range by `keyspace.table range`, one of each node that has rows there. */
  const replicas = new Map<string, Set<string>>();
  for (const node of head.nodes) {
    if (left() === 0) throw new TimeOver(`the time was over before node ${node.host} was looked at`);
    await rm(join(config.work, "cassandra"), { recursive: true, force: true });
    await rm(join(config.work, SERVER_LOG), { force: true });
    verifying.doing = `node ${node.host}: its objects are brought`;
    const { lacking, schema } = await bringNode(config, copy, head, node.host, found);
    const absent = lacking.length === 0 ? "schema.cql is not in the copy" : undefined;
    const other = schema === undefined ? absent : schemaProblem(schema, head.schemaDigest);
    if (other !== undefined) found.problems.push(`node ${node.host}: ${other}`);
    if (lacking.length > 0) {
      found.problems.push(...some(lacking, 20).map((line) => `node ${node.host}: ${line}`));
      continue;
    }
    let client: Client | undefined;
    try {
      verifying.doing = `node ${node.host}: the throwaway Cassandra is awaited`;
      client = await startServer(config.work, host, { ...node, datacenter: head.datacenter }, limits());
      await readNode(client, head, node.host, ranges, verifying, replicas);
      for (const { keyspace, table } of schema === undefined ? [] : head.tables) {
        const notes = schemaNotes(schema!, keyspace, table, await livingTable(client, keyspace, table));
        found.notes.push(...notes.map((line) => `node ${node.host}: ${line}`));
      }
    } catch (error) {
      if (error instanceof TimeOver) throw new TimeOver(`node ${node.host}: ${error.message}`);
      if (!(error instanceof ServerEnded || error instanceof errors.DriverError)) throw error;
      found.problems.push(`node ${node.host}: ${error.message.slice(0, 1000)}`);
    } finally {
      await client?.shutdown().catch(() => undefined);
    }
    verifying.doing = `node ${node.host}: the end of the throwaway Cassandra is awaited`;
    await stopServer(config.work, limits());
    found.problems.push(...(await complaints(config.work)).map((line) => `node ${node.host}: ${line}`));
  }
  await rm(join(config.work, "cassandra"), { recursive: true, force: true });
  const differing = new Map<string, number>();
  for (const [key, digests] of replicas) {
    const table = key.split(" ")[0]!;
    if (digests.size > 1) differing.set(table, (differing.get(table) ?? 0) + 1);
  }
  for (const [table, count] of differing) {
    found.notes.push(
      `${table}: replicas differ in ${count} of ${ranges.length} token ranges; repair brings them together`,
    );
  }
}

/** What a node's part of a copy is. */
interface BroughtNode {
  /** What is missing or is not what it should be. */
  lacking: string[];
  /** The schema that the node wrote with the backup. */
  schema: string | undefined;
}

/** Brings a node's SSTables to where its server looks for them. */
async function bringNode(
  config: Config,
  { entry, list }: Copy,
  manifest: CassandraManifest,
  host: string,
  found: Found,
): Promise<BroughtNode> {
  const { copiesBucket, site, transfers } = config;
  const folder = join(config.work, "cassandra", "incoming");
  const [path, schemaPath] = ["manifest.json", "schema.cql"].map((file) =>
    metaPath(repositoryFolder(manifest.repository), host, manifest.backup, file),
  ) as [string, string];
  const from: Bringing = { copiesBucket, site, list, folder, transfers };
  const texts = new Map<string, string>();
  const meta = await bring(
    from,
    ({ name }) => name === path || name === schemaPath,
    async ({ name }, local) => void texts.set(name, await readFile(local, "utf8")),
  );
  const [text, schema] = [texts.get(path), texts.get(schemaPath)];
  if (meta.findings.count > 0) return { lacking: meta.findings.shown(), schema };
  if (text === undefined) return { lacking: [`${path} is not in the marker's list`], schema };
  const objects = nodeObjects(text, path).filter(({ keyspace }) => !OWN.test(keyspace));
  const places = new Map(objects.map((object) => [object.path, placeOf(config.work, object)]));
  const data = await bring(
    from,
    ({ name }) => places.has(name),
    async ({ name }, local) => {
      const target = places.get(name)!;
      places.delete(name);
      await mkdir(dirname(target), { recursive: true });
      await rename(local, target);
    },
  );
  found.objects += data.objects;
  found.bytes += data.bytes;
  log("node brought", { host, objects: data.objects, bytes: data.bytes, backup: entry.backup });
  if (data.findings.count > 0) return { lacking: data.findings.shown(), schema };
  const absent = [...places.keys()].map((name) => `${name} is not in the marker's list`);
  return { lacking: some(absent, 20), schema };
}

/** Where a server looks for an object of its tables. A secondary index has a folder inside its table's, as in the backup. */
export function placeOf(work: string, { keyspace, columnfamily, path }: NodeObject): string {
  const within = basename(dirname(path));
  const index = within.startsWith(".") ? [within] : [];
  return join(dataFolder(work), keyspace, columnfamily, ...index, basename(path));
}

async function readNode(
  client: Client,
  head: CassandraManifest,
  host: string,
  ranges: ReturnType<typeof rangesOf>,
  verifying: Verifying,
  replicas: Map<string, Set<string>>,
): Promise<void> {
  const { found } = verifying;
  const { rows } = await client.execute("SELECT release_version FROM system.local");
  found.server = String(rows[0]?.release_version);
  const tables = await tablesOn(client);
  const names = new Set(tables.map(({ keyspace, name }) => `${keyspace}.${name}`));
  for (const { keyspace, table } of head.tables) {
    if (!names.has(`${keyspace}.${table}`))
      found.problems.push(`node ${host}: table ${keyspace}.${table} did not come back`);
  }
  const parts: Found["nodes"][number]["parts"] = [];
  for (const table of tables) {
    const name = `${table.keyspace}.${table.name}`;
    verifying.doing = `node ${host}: ${name} is read`;
    try {
      const digests = await scanTable(client, table, ranges);
      const sum = new Digest();
      for (const [index, digest] of digests.entries()) {
        sum.merge(digest);
        // The first and the last range are one.
        if (digest.count === 0 || index === 0 || index === ranges.length - 1) continue;
        const key = `${name} ${index}`;
        replicas.set(key, (replicas.get(key) ?? new Set()).add(String(digest)));
      }
      const ends = new Digest();
      for (const digest of [digests[0]!, digests.at(-1)!]) ends.merge(digest);
      if (ends.count > 0) replicas.set(`${name} 0`, (replicas.get(`${name} 0`) ?? new Set()).add(String(ends)));
      parts.push({ name, rows: sum.count, digest: String(sum) });
    } catch (error) {
      found.problems.push(`node ${host}: ${name} cannot be read: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  found.nodes.push({ host, parts });
  log("node read", { host, tables: parts.length, rows: parts.reduce((sum, part) => sum + part.rows, 0) });
}
