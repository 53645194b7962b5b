/** The services' tables and the role that uses them. Every statement may be repeated. */
import { appKeyspace } from "../../plan/names";

/** For how long changes are kept, to be indexed again. */
export const CHANGES_SECONDS = 2 * 24 * 3600;

/** Statements that make the keyspace and its tables. */
export function schema(datacenters: string[], replicationFactor: number): string[] {
  const factors = datacenters.map((name) => `, '${name}': ${replicationFactor}`).join("");
  return [
    `CREATE KEYSPACE IF NOT EXISTS ${appKeyspace} WITH replication = {'class': 'NetworkTopologyStrategy'${factors}}`,
    `CREATE TABLE IF NOT EXISTS ${appKeyspace}.assets (id uuid PRIMARY KEY, title text, changed timestamp)`,
    // What has changed, by minute: the worker of every region brings it into its own index.
    `CREATE TABLE IF NOT EXISTS ${appKeyspace}.changes (minute timestamp, at timeuuid, asset uuid, PRIMARY KEY (minute, at)) WITH default_time_to_live = ${CHANGES_SECONDS}`,
  ];
}

/** Statements that make the services' role: it reads and writes the keyspace, and changes no table. */
export function roleStatements(name: string, password: string): string[] {
  const role = `"${name.replaceAll('"', '""')}"`;
  const secret = password.replaceAll("'", "''");
  return [
    `CREATE ROLE IF NOT EXISTS ${role} WITH PASSWORD = '${secret}' AND LOGIN = true AND SUPERUSER = false`,
    // Another password in 1Password, or an older one restored from a backup.
    `ALTER ROLE ${role} WITH PASSWORD = '${secret}'`,
    `GRANT SELECT ON KEYSPACE ${appKeyspace} TO ${role}`,
    `GRANT MODIFY ON KEYSPACE ${appKeyspace} TO ${role}`,
  ];
}

/** The start of a moment's minute: the partition of {@link schema}'s `changes`. */
export function minuteOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / 60_000) * 60_000);
}
