/** Canaries in both stores: how they are written, kept and found again. */
import { type Client, types } from "cassandra-driver";
import { canary, canaryDay } from "../../plan/canary";
import type { CqlAccess } from "../config";
import { askUntilAnswered, type Limits } from "./cql";
import { type Elasticsearch, ElasticsearchError, find } from "./elastic";
import { log } from "./log";

const table = `${canary.keyspace}.${canary.table}`;
const day = 24 * 3600;
/** Milliseconds that a change of the schema may take: it waits for all nodes. */
const SCHEMA_MS = 60_000;

/** Statements that make the keyspace and its table; each may be repeated. */
export function canarySchema(datacenters: readonly string[], replicas: number): string[] {
  const compaction = `{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 7}`;
  return [
    `CREATE KEYSPACE IF NOT EXISTS ${canary.keyspace} WITH replication = ${replication(datacenters, replicas)}`,
    `CREATE TABLE IF NOT EXISTS ${table} (datacenter text, day date, at timestamp, PRIMARY KEY ((datacenter, day), at)) ` +
      `WITH CLUSTERING ORDER BY (at DESC) AND default_time_to_live = ${canary.keepDays * day} AND compaction = ${compaction}`,
    // One of before, or one that was restored, keeps what it is given now.
    `ALTER TABLE ${table} WITH default_time_to_live = ${canary.keepDays * day}`,
  ];
}

/** Statements that make the canary's role: it writes the table and reads nothing. */
export function canaryRole(name: string, password: string): string[] {
  const role = `"${name.replaceAll('"', '""')}"`;
  const secret = password.replaceAll("'", "''");
  return [
    `CREATE ROLE IF NOT EXISTS ${role} WITH PASSWORD = '${secret}' AND LOGIN = true AND SUPERUSER = false`,
    // Another password in 1Password, or an older one restored from a backup.
    `ALTER ROLE ${role} WITH PASSWORD = '${secret}'`,
    `GRANT MODIFY ON TABLE ${table} TO ${role}`,
  ];
}

function replication(datacenters: readonly string[], replicas: number): string {
  const factors = datacenters.map((name) => `, '${name}': '${replicas}'`).join("");
  return `{'class': 'NetworkTopologyStrategy'${factors}}`;
}

/**
 * Makes what the canaries need in Cassandra, and gives the keyspace the replication that it should have: canaries are
 * missed by nobody, so that a region which joins or leaves needs no hands for them.
 * @returns whether the replication was changed
 */
export async function prepareCassandra(
  client: Client,
  datacenters: readonly string[],
  replicas: number,
  role: { username: string; password: string },
): Promise<boolean> {
  const run = (statement: string) => client.execute(statement, [], { prepare: false, readTimeout: SCHEMA_MS });
  for (const statement of canarySchema(datacenters, replicas)) await run(statement);
  const found = await client.execute("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", [
    canary.keyspace,
  ]);
  const { class: _, ...has } = (found.first()?.replication ?? {}) as Record<string, string>;
  const same =
    Object.keys(has).length === datacenters.length && datacenters.every((name) => has[name] === String(replicas));
  if (!same) await run(`ALTER KEYSPACE ${canary.keyspace} WITH replication = ${replication(datacenters, replicas)}`);
  for (const statement of canaryRole(role.username, role.password)) await run(statement);
  return !same;
}

/** Writes a row that says when. Acknowledged by a quorum of the region. */
export async function writeRow(client: Client, datacenter: string, at: Date): Promise<void> {
  await client.execute(
    `INSERT INTO ${table} (datacenter, day, at) VALUES (?, ?, ?)`,
    [datacenter, types.LocalDate.fromString(canaryDay(at)), at],
    { prepare: true, consistency: types.consistencies.localQuorum },
  );
}

/**
 * The newest row of a datacenter that was restored, as ISO-8601; null when the backup had none.
 * @param upTo the backup's end: no row in it is younger
 */
export async function newestRow(
  access: CqlAccess,
  datacenter: string,
  upTo: Date,
  limits: Limits,
): Promise<string | null> {
  return askUntilAnswered(access, datacenter, limits, async (client) => {
    const known = await client.execute(
      "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
      [canary.keyspace, canary.table],
    );
    if (known.rowLength === 0) return null;
    for (let back = 0; back <= canary.keepDays; back++) {
      const partition = canaryDay(new Date(upTo.getTime() - back * day * 1000));
      const found = await client.execute(
        `SELECT at FROM ${table} WHERE datacenter = ? AND day = ? LIMIT 1`,
        [datacenter, types.LocalDate.fromString(partition)],
        { prepare: true, consistency: types.consistencies.localQuorum },
      );
      const at = found.first()?.at as Date | undefined;
      if (at) return at.toISOString();
    }
    return null;
  });
}

/** Makes the index unless it is there. */
export async function prepareIndex(call: Elasticsearch): Promise<void> {
  // A replica where there is a second node for it.
  const settings = { number_of_shards: 1, auto_expand_replicas: "0-1" };
  const properties = { at: { type: "date" }, datacenter: { type: "keyword" } };
  try {
    await call("PUT", `/${canary.index}`, { settings, mappings: { properties } });
  } catch (error) {
    if (!(error instanceof ElasticsearchError && error.body.includes("resource_already_exists_exception"))) throw error;
  }
}

/** Writes a document that says when. */
export async function writeDocument(call: Elasticsearch, datacenter: string, at: Date): Promise<void> {
  await call("PUT", `/${canary.index}/_doc/${at.getTime()}`, { at: at.toISOString(), datacenter });
}

/** Documents that one removal takes at most: three times as many as come in the hour between two of them. */
const REMOVE_AT_ONCE = 200;

/** Removes documents that no backup is left to need, the oldest first. @returns how many */
export async function removeOldDocuments(call: Elasticsearch, now: Date): Promise<number> {
  const before = new Date(now.getTime() - canary.keepDays * day * 1000).toISOString();
  const { hits } = await call<{ hits: { hits: { _id: string }[] } }>("POST", `/${canary.index}/_search`, {
    size: REMOVE_AT_ONCE,
    _source: false,
    sort: [{ at: "asc" }],
    query: { range: { at: { lt: before } } },
  });
  for (const { _id } of hits.hits) await call("DELETE", `/${canary.index}/_doc/${_id}`);
  return hits.hits.length;
}

/** The newest document of a cluster that was restored, as ISO-8601; null when the snapshot had none. */
export async function newestDocument(call: Elasticsearch): Promise<string | null> {
  if ((await find(call, `/${canary.index}`)) === undefined) return null;
  await call("POST", `/${canary.index}/_refresh`);
  const { hits } = await call<{ hits: { hits: { _source: { at: string } }[] } }>("POST", `/${canary.index}/_search`, {
    size: 1,
    sort: [{ at: "desc" }],
  });
  const [newest] = hits.hits;
  if (newest === undefined) log("the index of canaries is empty", { index: canary.index });
  return newest?._source.at ?? null;
}
