/** Reads tables and indices in full, a page at a time, into counts and digests. */
import { type Client, types } from "cassandra-driver";
import { canonical } from "./canonical";
import { Digest } from "./digest";
import type { Elasticsearch } from "./elastic";

/** Rows or documents of one page. */
const PAGE = 1000;

/** A range of tokens, its beginning left out; undefined: from the lowest, to the highest. */
export interface Range {
  above?: string;
  upTo?: string;
}

/**
 * The ranges between the tokens of all nodes: each has the same replicas. The first and the last are one range of the ring
 * and come as two.
 */
export function rangesOf(tokens: readonly string[]): Range[] {
  const sorted = [...new Set(tokens)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  if (sorted.length === 0) return [{}];
  return [
    { upTo: sorted[0]! },
    ...sorted.slice(1).map((upTo, index) => ({ above: sorted[index]!, upTo })),
    { above: sorted.at(-1)! },
  ];
}

/** A table with the columns of its partition key in order, as CQL writes them. */
export interface Table {
  keyspace: string;
  name: string;
  partitionKey: string[];
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Tables of a server, those of Cassandra's own machinery left out; roles count. */
export async function tablesOn(client: Client): Promise<Table[]> {
  const { rows } = await client.execute(
    "SELECT keyspace_name, table_name, column_name, kind, position FROM system_schema.columns",
    [],
    { fetchSize: 100_000 },
  );
  const tables = new Map<string, Table & { keys: [number, string][] }>();
  for (const { keyspace_name: keyspace, table_name: name, column_name: column, kind, position } of rows) {
    if (/^system($|_(schema|traces|distributed|views|virtual_schema)$)/.test(keyspace)) continue;
    const table = tables.get(`${keyspace}.${name}`) ?? {
      keyspace,
      name,
      partitionKey: [],
      keys: [] as [number, string][],
    };
    if (kind === "partition_key") table.keys.push([position, column]);
    tables.set(`${keyspace}.${name}`, table);
  }
  return [...tables.values()]
    .map(({ keys, ...table }) => ({
      ...table,
      partitionKey: keys.sort(([a], [b]) => a - b).map(([, column]) => quoted(column)),
    }))
    .sort((a, b) => (`${a.keyspace}.${a.name}` < `${b.keyspace}.${b.name}` ? -1 : 1));
}

/** The query of a table's rows in a range, each as Cassandra's own JSON. */
export function rangeQuery({ keyspace, name, partitionKey }: Table, { above, upTo }: Range): string {
  const token = `token(${partitionKey.join(", ")})`;
  const terms = [
    ...(above === undefined ? [] : [`${token} > ${above}`]),
    ...(upTo === undefined ? [] : [`${token} <= ${upTo}`]),
  ];
  const where = terms.length > 0 ? ` WHERE ${terms.join(" AND ")}` : "";
  return `SELECT JSON * FROM ${quoted(keyspace)}.${quoted(name)}${where}`;
}

/** Reads a table in full from the one node that a client talks to: a digest for each range. @throws on what cannot be read */
export async function scanTable(client: Client, table: Table, ranges: readonly Range[]): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (const range of ranges) {
    const digest = new Digest();
    const options = {
      consistency: types.consistencies.localOne,
      fetchSize: PAGE,
      prepare: false,
      readTimeout: 120_000,
    };
    const result = await client.execute(rangeQuery(table, range), [], options);
    for await (const row of result) digest.add(String(row.get(0)));
    digests.push(digest);
  }
  return digests;
}

/** Reads an index in full. */
export async function scanIndex(call: Elasticsearch, index: string): Promise<Digest> {
  interface Page {
    _scroll_id: string;
    _shards: { total: number; successful: number };
    hits: { hits: { _id: string; _source: unknown }[] };
  }
  const digest = new Digest();
  const body = { size: PAGE, sort: ["_doc"], query: { match_all: {} } };
  let page = await call<Page>("POST", `/${encodeURIComponent(index)}/_search?scroll=5m`, body);
  for (;;) {
    const { total, successful } = page._shards;
    if (successful !== total) throw new Error(`${index}: ${successful} of ${total} shards answered`);
    if (page.hits.hits.length === 0) break;
    for (const { _id, _source } of page.hits.hits) digest.add(canonical([_id, _source]));
    page = await call<Page>("POST", "/_search/scroll", { scroll: "5m", scroll_id: page._scroll_id });
  }
  await call("DELETE", "/_search/scroll", { scroll_id: page._scroll_id });
  return digest;
}
