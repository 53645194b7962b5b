/**
 * The drill's data set: six Cassandra tables of different shapes in two keyspaces and one index of documents per region.
 * Every row is a pure function of the seed, its table and its index, so that what should be there can be computed again
 * long after every region that held it is gone.
 */
import { Digest } from "../jobs/lib/digest";
import { canonicalJson, canonicalValue } from "./canonical";
import { KEYSPACES, type Row, TABLES, type Table, USER_TYPES } from "./tables";
import { Values, WORDS } from "./values";

export const SEED = "iconik-drill";

/** Statements that create the keyspaces, types and tables; each may be repeated. */
export function schema(datacenters: string[], replicationFactor: number): string[] {
  return [
    ...KEYSPACES.map((keyspace) => keyspaceStatement(keyspace, datacenters, replicationFactor)),
    ...Object.entries(USER_TYPES).map(
      ([name, fields]) => `CREATE TYPE IF NOT EXISTS ${KEYSPACES[0]}.${name} (${definitions(fields)})`,
    ),
    ...TABLES.map(({ keyspace, name, columns, statics, key, order }) => {
      const clustering = order ? ` WITH CLUSTERING ORDER BY (${order})` : "";
      return `CREATE TABLE IF NOT EXISTS ${keyspace}.${name} (${definitions(columns, statics)}, PRIMARY KEY (${key}))${clustering}`;
    }),
  ];
}

export function keyspaceStatement(keyspace: string, datacenters: string[], replicationFactor: number): string {
  const factors = datacenters.map((datacenter) => `, '${datacenter}': ${replicationFactor}`).join("");
  return `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy'${factors}}`;
}

function definitions(types: Record<string, string>, statics: string[] = []): string {
  return Object.entries(types)
    .map(([name, type]) => `${name} ${type}${statics.includes(name) ? " STATIC" : ""}`)
    .join(", ");
}

/** The prepared statement that writes a row, and its parameters. */
export function insertStatement({ keyspace, name, columns }: Table): string {
  const names = Object.keys(columns);
  return `INSERT INTO ${keyspace}.${name} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
}

export const parameters = (table: Table, row: Row): unknown[] => Object.keys(table.columns).map((name) => row[name]);

/** Rows of each table, in the order of {@link TABLES}; they sum up to `rows`. */
export function tableRows(rows: number): number[] {
  let cumulated = 0;
  return TABLES.map(({ share }) => {
    const before = Math.floor((rows * cumulated) / 100);
    cumulated += share;
    return Math.floor((rows * cumulated) / 100) - before;
  });
}

/** A partition's rows, of which `rows` exist in the table. */
export function partitionOf(table: Table, partition: number, rows: number, seed = SEED): Row[] {
  const first = partition * table.partitionRows;
  return Array.from({ length: Math.min(table.partitionRows, rows - first) }, (_, at) => rowOf(table, first + at, seed));
}

/** A table's row by its index. */
export function rowOf(table: Table, index: number, seed = SEED): Row {
  const partition = Math.floor(index / table.partitionRows);
  return {
    ...table.partition(new Values(`${seed}/${table.name}/partition/${partition}`)),
    ...table.row(new Values(`${seed}/${table.name}/${index}`), index % table.partitionRows),
  };
}

/** A row's canonical encoding; `row` may come from the generator or from the driver. */
export function encodeRow(table: Table, row: Row): string {
  return JSON.stringify([
    table.name,
    ...Object.entries(table.columns).map(([name, type]) => canonicalValue(type, row[name], USER_TYPES)),
  ]);
}

/** Digest of everything that is to be in a table with so many rows. */
export function tableDigest(table: Table, rows: number, seed = SEED): Digest {
  const digest = new Digest();
  for (let index = 0; index < rows; index++) digest.add(encodeRow(table, rowOf(table, index, seed)));
  return digest;
}

/** The index that holds each region's documents. */
export const DOCUMENT_INDEX = "drill-assets";

/** A document of Elasticsearch. */
export interface Document {
  id: string;
  source: Record<string, unknown>;
}

/** A region's document by its index. */
export function documentOf(region: string, index: number, seed = SEED): Document {
  const v = new Values(`${seed}/${region}/document/${index}`);
  return {
    id: v.uuid().toString(),
    source: {
      region,
      title: v.text(),
      frames: v.int(1e6),
      rate: v.double(),
      online: v.boolean(),
      created: v.date().toISOString(),
      tags: v.many(4, () => v.pick(WORDS)),
      format: { width: v.int(8192), height: v.int(4320), codec: v.pick([null, "prores", "h264"]) },
    },
  };
}

/** A document's canonical encoding, generated or as the search API returned it. */
export const encodeDocument = ({ id, source }: Document): string => canonicalJson([id, source]);

/** Digest of everything that is to be in a region's index. */
export function documentsDigest(region: string, documents: number, seed = SEED): Digest {
  const digest = new Digest();
  for (let index = 0; index < documents; index++) digest.add(encodeDocument(documentOf(region, index, seed)));
  return digest;
}
