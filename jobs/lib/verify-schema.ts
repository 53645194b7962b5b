/** The schema that comes with a backup, held against its manifest and against the server that was made of its files. */
import { schemaDigest } from "./medusa";
import { type Column, columnsOf, misfits } from "./schema";

/** Why a node's `schema.cql` is not the one that the manifest was written of; undefined when it is. All nodes had the same one. */
export function schemaProblem(schema: string, expected: string): string | undefined {
  const digest = schemaDigest(schema);
  return digest === expected ? undefined : `schema.cql has the digest ${digest}, the manifest says ${expected}`;
}

/** A table as a server has it: its columns, and those that were dropped from it. */
export type Living = { columns: ReadonlyMap<string, Column>; dropped: ReadonlySet<string> };

/**
 * Where a server's table is not as `schema.cql` describes it, one line each. Medusa writes that file beside the snapshot, not
 * in it: a column that came or went in that moment is no damage. A table that is not there at all is told elsewhere.
 * @param living undefined: the server has no such table
 */
export function schemaNotes(schema: string, keyspace: string, table: string, living: Living | undefined): string[] {
  if (living === undefined) return [];
  const name = `${keyspace}.${table}`;
  const columns = columnsOf(schema, keyspace, table);
  if (columns === undefined) return [`${name} is not in schema.cql`];
  const more = [...living.columns.keys()].filter((column) => !columns.has(column));
  return [
    ...misfits(columns, living.columns, living.dropped).map((each) => `${name}: ${each}`),
    ...more.map((column) => `${name}: column ${column} is not in schema.cql`),
  ];
}
