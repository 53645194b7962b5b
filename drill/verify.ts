/** What is in the stores, counted and hashed; nothing here writes. */
import { type Client, types } from "cassandra-driver";
import { Digest } from "../jobs/lib/digest";
import { encodeDocument, encodeRow } from "./dataset";
import type { Elasticsearch } from "./elastic";
import type { Row, Table } from "./tables";

const PAGE = 5000;
const SLICES = 8;
/** Rows that one counting request may have to go through. */
const COUNTED_AT_ONCE = 50_000;

/** Bounds of a token range: from just above the first up to the second. */
type Slice = [types.Long, types.Long];

/** The whole ring in even parts. */
export function slices(parts: number): Slice[] {
  const bound = (part: number) =>
    part === parts ? 2n ** 63n - 1n : -(2n ** 63n) + (2n ** 64n / BigInt(parts)) * BigInt(part);
  return Array.from({ length: parts }, (_, part) => [
    types.Long.fromString(String(bound(part))),
    types.Long.fromString(String(bound(part + 1))),
  ]);
}

const within = ({ partitionKey }: Table) =>
  `token(${partitionKey.join(", ")}) > ? AND token(${partitionKey.join(", ")}) <= ?`;

/** Reads a table in full through the client's datacenter, at LOCAL_QUORUM. */
export async function readTable(client: Client, table: Table): Promise<Digest> {
  const query = `SELECT ${Object.keys(table.columns).join(", ")} FROM ${table.keyspace}.${table.name} WHERE ${within(table)}`;
  const options = { prepare: true, fetchSize: PAGE, consistency: types.consistencies.localQuorum };
  const digests = await Promise.all(
    slices(SLICES).map(async (slice) => {
      const digest = new Digest();
      let pageState: string | undefined;
      do {
        const page = await client.execute(query, slice, { ...options, pageState });
        for (const row of page.rows) digest.add(encodeRow(table, row as unknown as Row));
        pageState = page.pageState ?? undefined;
      } while (pageState);
      return digest;
    }),
  );
  const whole = new Digest();
  for (const digest of digests) whole.merge(digest);
  return whole;
}

/**
 * Rows of a table that one node holds on its own disk and in its own memory. NODE_LOCAL would ask just that, but a
 * server refuses it unless it was started with `cassandra.enable_nodelocal_queries`, which no production node is. So
 * the node is asked at LOCAL_ONE for ranges it replicates, where it prefers itself, and the trace of the request has to
 * show that it asked nobody else. To be called before {@link readTable}, whose quorum repairs what a node lacks.
 *
 * @param client one that talks to this node only
 * @throws when the node keeps asking others
 */
export async function countOnNode(client: Client, address: string, table: Table, expected: number): Promise<number> {
  const query = `SELECT count(*) FROM ${table.keyspace}.${table.name} WHERE ${within(table)}`;
  let rows = 0;
  for (const slice of replicatedSlices(client, address, table.keyspace, Math.ceil(expected / COUNTED_AT_ONCE))) {
    rows += await countAlone(client, address, query, slice);
  }
  return rows;
}

/** Even slices when the node replicates the whole ring, else the ranges that it does replicate. */
function replicatedSlices(client: Client, address: string, keyspace: string, parts: number): Slice[] {
  const host = client.hosts.values().find((known) => known.address.split(":")[0] === address);
  if (!host) throw new Error(`Cassandra does not know its node ${address}`);
  const own = client.metadata.getTokenRangesForHost(keyspace, host) as Set<Range> | null;
  if (!own) throw new Error(`the driver knows no token ranges of keyspace ${keyspace}`);
  if (own.size === client.metadata.getTokenRanges().size) return slices(Math.max(1, parts));
  return [...own]
    .flatMap((range) => range.unwrap())
    .map(({ start, end }) => [types.Long.fromString(start.toString()), lastToken(end)]);
}

interface Range {
  start: object;
  end: object;
  unwrap(): Range[];
}

/** A range that ends at the smallest token ends at the end of the ring. */
function lastToken(end: object): types.Long {
  const token = types.Long.fromString(end.toString());
  return token.equals(types.Long.MIN_VALUE) ? types.Long.MAX_VALUE : token;
}

async function countAlone(client: Client, address: string, query: string, slice: Slice): Promise<number> {
  const options = {
    prepare: true,
    fetchSize: PAGE,
    consistency: types.consistencies.localOne,
    traceQuery: true,
    readTimeout: 120_000,
  };
  let others: string[] = [];
  for (let attempt = 0; attempt < 10; attempt++) {
    const result = await client.execute(query, slice, options);
    // Traces are not replicated by datacenter: at LOCAL_ONE, one that lies elsewhere could not be read. They are written after the
    // answer, and the driver waits 2 s for one: what has none yet has shown nothing.
    const { events } = await client.metadata
      .getTrace(result.info.traceId!, types.consistencies.one)
      .catch(() => ({ events: [] }));
    const scanned = events.some((event) => event.activity.startsWith("Executing seq scan"));
    others = events
      .flatMap((event) => [event.source.toString(), /^Sending \w+ message to \/([\d.]+)/.exec(event.activity)?.[1]])
      .filter((node): node is string => node !== undefined && node !== address);
    if (scanned && others.length === 0) return Number(result.rows[0]!.count);
    await showQuick(client);
  }
  throw new Error(
    `${address} could not be made to count its own rows: ${
      others.length > 0 ? `it keeps asking ${[...new Set(others)].join(", ")}` : "its requests leave no trace of a scan"
    }`,
  );
}

/**
 * A node prefers another replica while that one answered much faster on the median of the last reads, and scans of its
 * own count against it. Reads of nothing show it that it answers itself faster than anybody; they repair nothing.
 */
async function showQuick(client: Client): Promise<void> {
  const query = "SELECT id FROM drill_media.assets WHERE id = ?";
  const options = { prepare: true, consistency: types.consistencies.localQuorum };
  for (let round = 0; round < 20; round++) {
    const reads = Array.from({ length: 20 }, () => client.execute(query, [types.Uuid.random()], options));
    await Promise.allSettled(reads);
  }
  // Scores are computed ten times a second.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

interface SearchPage {
  _scroll_id: string;
  hits: { hits: { _id: string; _source: Record<string, unknown> }[] };
}

/** Reads an index in full. */
export async function readIndex(elasticsearch: Elasticsearch, index: string): Promise<Digest> {
  const digest = new Digest();
  let page = await elasticsearch.request<SearchPage>("POST", `/${index}/_search?scroll=1m`, {
    size: PAGE,
    sort: ["_doc"],
  });
  while (page.hits.hits.length > 0) {
    for (const { _id, _source } of page.hits.hits) digest.add(encodeDocument({ id: _id, source: _source }));
    page = await elasticsearch.request<SearchPage>("POST", "/_search/scroll", {
      scroll: "1m",
      scroll_id: page._scroll_id,
    });
  }
  await elasticsearch.request("DELETE", "/_search/scroll", { scroll_id: page._scroll_id });
  return digest;
}
