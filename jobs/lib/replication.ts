/** How many replicas keyspaces have where (S1): each needs enough of them in every region. Pure. */

/** A keyspace with its strategy's options, as `system_schema.keyspaces` has them. */
export interface Keyspace {
  name: string;
  replication: Record<string, string>;
}

/** Cassandra's own keyspaces: it and the operators replicate them. */
export const isSystem = (keyspace: string): boolean => /^system(_|$)/.test(keyspace);

/** Keyspaces of a schema dump, Cassandra's own left out. */
export function keyspacesOf(schema: string): Keyspace[] {
  const pattern = /^\s*CREATE KEYSPACE (?:IF NOT EXISTS )?(?:"([^"]+)"|(\w+)) WITH replication = \{([^}]*)\}/gim;
  return [...schema.matchAll(pattern)]
    .map(([, quoted, plain, options = ""]) => ({
      name: quoted ?? plain ?? "",
      replication: Object.fromEntries(
        [...options.matchAll(/'([^']*)'\s*:\s*'?([^',}]*)'?/g)].map(([, key = "", value = ""]) => [key, value]),
      ),
    }))
    .filter(({ name }) => !isSystem(name));
}

/** Keyspaces that have tables but were not found among the keyspaces: nobody knows their replicas. */
export function unread(tables: readonly { keyspace: string }[], keyspaces: readonly Keyspace[]): string[] {
  const known = new Set(keyspaces.map(({ name }) => name));
  const missing = tables.map(({ keyspace }) => keyspace).filter((each) => !known.has(each) && !isSystem(each));
  return [...new Set(missing)].map((name) => `${name} has replication that could not be read`);
}

/**
 * What is wrong with keyspaces' replicas: one line per keyspace.
 * @param datacenters every datacenter that has to hold each row
 * @param minimum replicas in each of them
 * @param strict datacenters beside them are wrong, too: they are gone, and statements that need them fail
 */
export function replicationProblems(
  keyspaces: readonly Keyspace[],
  datacenters: readonly string[],
  minimum: number,
  strict = false,
): string[] {
  return keyspaces.flatMap(({ name, replication: { class: strategy = "", ...replicas } }) => {
    if (!/(^|\.)NetworkTopologyStrategy$/.test(strategy)) return [`${name} has ${strategy || "no strategy"}`];
    const few = datacenters
      .filter((datacenter) => !(Number.parseInt(replicas[datacenter] ?? "0", 10) >= minimum))
      .map((datacenter) => `${replicas[datacenter] ?? "none"} in ${datacenter}`);
    const gone = strict ? Object.keys(replicas).filter((each) => !datacenters.includes(each)) : [];
    const problems = [...few, ...gone.map((each) => `${replicas[each]} in ${each}, which is not there`)];
    return problems.length > 0 ? [`${name} has ${problems.join(", ")}`] : [];
  });
}
