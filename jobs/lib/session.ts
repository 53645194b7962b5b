/** A CQL session of the superuser, for recoveries that change a living schema. */
import { readFile } from "node:fs/promises";
import { auth, Client, policies, types } from "cassandra-driver";
import type { CqlAccess } from "../config";
import { JobError } from "./log";
import { type Column, plainType } from "./schema";

/** TRUNCATE waits for every node. */
const READ_MS = 120_000;

/** Opens a session with one datacenter, uses it, closes it. @throws JobError when nobody answers */
export async function withSession<T>(
  access: CqlAccess,
  datacenter: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const username = (await readFile(access.usernameFile, "utf8")).trim();
  const password = (await readFile(access.passwordFile, "utf8")).trim();
  const client = new Client({
    contactPoints: access.contactPoints,
    protocolOptions: { port: access.port, maxSchemaAgreementWaitSeconds: 60 },
    localDataCenter: datacenter,
    authProvider: new auth.PlainTextAuthProvider(username, password),
    policies: { loadBalancing: new policies.loadBalancing.DCAwareRoundRobinPolicy(datacenter) },
    socketOptions: { readTimeout: READ_MS, connectTimeout: 20_000 },
    queryOptions: { consistency: types.consistencies.localQuorum, isIdempotent: true },
  });
  try {
    await client.connect().catch((error: Error) => {
      throw new JobError(`datacenter ${datacenter} does not answer CQL`, {
        value: { contactPoints: access.contactPoints, error: error.message },
        fix: "see the CassandraDatacenter's status and the nodes' logs; a recovery needs the nodes up",
      });
    });
    return await work(client);
  } finally {
    await client.shutdown().catch(() => undefined);
  }
}

/** Columns of a living table and those that were dropped from it; undefined when there is no such table. */
export async function livingTable(
  client: Client,
  keyspace: string,
  table: string,
): Promise<{ columns: Map<string, Column>; dropped: Set<string> } | undefined> {
  const select = async (what: string, from: string) =>
    (
      await client.execute(
        `SELECT ${what} FROM system_schema.${from} WHERE keyspace_name = ? AND table_name = ?`,
        [keyspace, table],
        { prepare: true, consistency: types.consistencies.one },
      )
    ).rows;
  const rows = await select("column_name, type, kind, position", "columns");
  if (rows.length === 0) return undefined;
  const dropped = await select("column_name", "dropped_columns");
  return {
    columns: new Map(
      rows.map((row) => [row.column_name, { type: plainType(row.type), kind: row.kind, position: row.position }]),
    ),
    dropped: new Set(dropped.map((row) => row.column_name)),
  };
}

/** A name as statements want it. */
export const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
