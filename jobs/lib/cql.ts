import { readFile } from "node:fs/promises";
import { auth, Client, policies, types } from "cassandra-driver";
import type { CqlAccess } from "../config";
import { JobError } from "./log";
import { isSystem, type Keyspace } from "./replication";
import { waitFor } from "./wait";

/** What a datacenter has, Cassandra's own keyspaces left out. */
export interface Schema {
  /** `keyspace.table` */
  tables: Set<string>;
  keyspaces: Keyspace[];
}

/** How long and how often something is tried. */
export interface Limits {
  timeoutSeconds: number;
  pollSeconds: number;
}

/** A client of one datacenter that connects with its first request. @throws when a file of the credentials is absent */
export async function cqlClient(access: CqlAccess, datacenter: string): Promise<Client> {
  const username = (await readFile(access.usernameFile, "utf8")).trim();
  const password = (await readFile(access.passwordFile, "utf8")).trim();
  return new Client({
    contactPoints: access.contactPoints,
    protocolOptions: { port: access.port },
    localDataCenter: datacenter,
    authProvider: new auth.PlainTextAuthProvider(username, password),
    policies: { loadBalancing: new policies.loadBalancing.DCAwareRoundRobinPolicy(datacenter) },
  });
}

/**
 * Asks a datacenter as the superuser. One that was just restored may take a while to answer: it is asked until the timeout,
 * each time by a client of its own.
 * @throws JobError when it does not answer in time, with its last refusal
 */
export async function askUntilAnswered<T>(
  access: CqlAccess,
  datacenter: string,
  limits: Limits,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  return waitFor<T, string>(
    async () => {
      const client = await cqlClient(access, datacenter);
      try {
        return { done: await ask(client) };
      } catch (error) {
        return { seen: (error as Error).message };
      } finally {
        await client.shutdown().catch(() => undefined);
      }
    },
    {
      ...limits,
      onTimeout: (seen) =>
        new JobError(`datacenter ${datacenter} does not answer CQL`, {
          value: { contactPoints: access.contactPoints, error: seen },
          allowed: `an answer within ${limits.timeoutSeconds} s`,
          fix: "see the CassandraDatacenter's status and the nodes' logs",
        }),
    },
  );
}

/** A datacenter's keyspaces and tables, read as the superuser. */
export function readSchema(access: CqlAccess, datacenter: string, limits: Limits): Promise<Schema> {
  return askUntilAnswered(access, datacenter, limits, async (client) => {
    const select = async (query: string) => {
      const { rows } = await client.execute(query, [], { consistency: types.consistencies.one });
      return rows.filter((row) => !isSystem(row.keyspace_name));
    };
    const tables = await select("SELECT keyspace_name, table_name FROM system_schema.tables");
    return {
      tables: new Set(tables.map((row) => `${row.keyspace_name}.${row.table_name}`)),
      keyspaces: (await readReplications(client)).filter(({ name }) => !isSystem(name)),
    };
  });
}

/** Every keyspace with its replication, Cassandra's own included, as one node knows it. */
export async function readReplications(client: Client): Promise<Keyspace[]> {
  const query = "SELECT keyspace_name, replication FROM system_schema.keyspaces";
  const { rows } = await client.execute(query, [], { consistency: types.consistencies.one });
  return rows.map(({ keyspace_name: name, replication }) => ({ name, replication }));
}
