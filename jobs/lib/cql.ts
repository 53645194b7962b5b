import { readFile } from "node:fs/promises";
import { auth, Client, policies, types } from "cassandra-driver";
import type { CqlAccess } from "../config";
import { JobError } from "./log";
import { waitFor } from "./wait";

/**
 * `keyspace.table` of every table of a datacenter, Cassandra's own keyspaces left out, read as the superuser.
 * A datacenter that was just restored may take a while to answer: it is asked until the timeout.
 */
export async function readTables(
  access: CqlAccess,
  datacenter: string,
  limits: { timeoutSeconds: number; pollSeconds: number },
): Promise<Set<string>> {
  const username = (await readFile(access.usernameFile, "utf8")).trim();
  const password = (await readFile(access.passwordFile, "utf8")).trim();
  return waitFor<Set<string>, string>(
    async () => {
      const client = new Client({
        contactPoints: access.contactPoints,
        protocolOptions: { port: access.port },
        localDataCenter: datacenter,
        authProvider: new auth.PlainTextAuthProvider(username, password),
        policies: { loadBalancing: new policies.loadBalancing.DCAwareRoundRobinPolicy(datacenter) },
      });
      try {
        const { rows } = await client.execute("SELECT keyspace_name, table_name FROM system_schema.tables", [], {
          consistency: types.consistencies.one,
        });
        const names = rows.map((row) => `${row.keyspace_name}.${row.table_name}`);
        return { done: new Set(names.filter((name) => !/^system(_|\.)/.test(name))) };
      } catch (error) {
        return { seen: (error as Error).message };
      } finally {
        await client.shutdown().catch(() => undefined);
      }
    },
    {
      ...limits,
      onTimeout: (seen) =>
        new JobError(`datacenter ${datacenter} does not answer CQL after the restore`, {
          value: { contactPoints: access.contactPoints, error: seen },
          allowed: `an answer within ${limits.timeoutSeconds} s`,
          fix: "see the CassandraDatacenter's status and the nodes' logs",
        }),
    },
  );
}
