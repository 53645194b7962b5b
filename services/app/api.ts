/**
 * The API: assets in Cassandra at LOCAL_QUORUM, found through the region's own search index. A region answers as long as
 * its own stores do, whatever becomes of the others.
 */
import { types } from "cassandra-driver";
import { z } from "zod";
import { assetIndex } from "../../plan/names";
import { cassandra } from "./cassandra";
import { STORED, stampHeader, stampOf, storedOf } from "./clock";
import { type Answer, bodyOf, cached, type Route, serve } from "./http";
import { mediaOf } from "./media";
import { minuteOf } from "./schema";
import { indexVersion, type Search, SearchError, search } from "./search";
import type { ApiSettings } from "./settings";

/** For how long a look at the stores counts, in milliseconds. */
const FRESH_MS = 1_000;
/** `?wait=found`: the answer waits until the region's own index has what was written. */
const FOUND = "found";
/** Results of one search. */
const PAGE = 50;

/** Milliseconds since 1970, as the front sends them. */
const STAMP = /^\d{13}$/;
const asset = z.strictObject({ title: z.string().min(1).max(500) });
const ID = "([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})";

type Database = Pick<Awaited<ReturnType<typeof cassandra>>, "execute">;

/** Starts the API; it connects when it is asked. */
export async function api(options: ApiSettings): Promise<void> {
  await serve([...mediaOf(options), ...routes(await cassandra(options), await search(options))], options);
}

export function routes(database: Database, find: Search): Route[] {
  const stores = cached(() => checkStores(database, find), FRESH_MS);
  return [
    ["GET", /^\/livez$/, async () => ({ status: 200, body: "ok" })],
    [
      "GET",
      /^\/readyz$/,
      async () => {
        const problems = await stores();
        return problems.length === 0 ? { status: 200, body: "ok" } : { status: 503, body: { problems } };
      },
    ],
    [
      "GET",
      new RegExp(`^/api/assets/${ID}$`),
      async (_, [, id]) => {
        const { rows } = await database.execute("SELECT id, title, changed FROM assets WHERE id = ?", [id]);
        return rows[0] ? { status: 200, body: described(rows[0]) } : { status: 404, body: { error: `no asset ${id}` } };
      },
    ],
    [
      "PUT",
      new RegExp(`^/api/assets/${ID}$`),
      async (request, [, id], query) => {
        const parsed = asset.safeParse(json(await bodyOf(request)));
        if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
        const wait = query.get("wait");
        if (wait !== null && wait !== FOUND)
          return { status: 400, body: { error: `wait=${wait} is not known; allowed: wait=${FOUND}` } };
        const given = request.headers[stampHeader];
        if (given !== undefined && !STAMP.test(String(given)))
          return {
            status: 400,
            body: { error: `${stampHeader}: ${given} is no time; allowed: milliseconds since 1970` },
          };
        const { title } = parsed.data;
        const { rows } = await database.execute(`SELECT ${STORED} FROM assets WHERE id = ?`, [id]);
        const stored = rows[0] && storedOf(rows[0] as never);
        const stamped = stampOf(id!, title, stored, given === undefined ? undefined : Number(given));
        if ("refused" in stamped) return { status: 503, body: { error: stamped.refused } };
        if ("newest" in stamped)
          return { status: 409, body: { error: `asset ${id} has a later change`, newest: stamped.newest } };
        const changed = new Date(stamped.stamp);
        // No logged batch: its log needs two other racks, so that a node that dies costs every write until gossip misses it. Who
        // hears of a failure writes again; between the two an asset is there that the index does not know yet.
        await database.execute("INSERT INTO assets (id, title, changed) VALUES (?, ?, ?) USING TIMESTAMP ?", [
          id,
          title,
          changed,
          types.Long.fromNumber(stamped.stamp * 1000),
        ]);
        await database.execute("INSERT INTO changes (minute, at, asset) VALUES (?, ?, ?)", [
          minuteOf(changed),
          types.TimeUuid.fromDate(changed),
          id,
        ]);
        if (wait === FOUND) return foundAgain(database, find, id!);
        return { status: 200, body: { id, title, changed } };
      },
    ],
    [
      "GET",
      /^\/api\/assets$/,
      async (_request, _match, query) => {
        const text = query.get("q") ?? "";
        const wanted = text ? { match: { title: text } } : { match_all: {} };
        try {
          const { hits } = await find<{ hits: { hits: { _id: string; _source: object }[] } }>(
            "POST",
            `/${assetIndex}/_search`,
            { size: PAGE, query: wanted },
          );
          return { status: 200, body: { assets: hits.hits.map(({ _id, _source }) => ({ id: _id, ..._source })) } };
        } catch (error) {
          // Nothing has been indexed yet.
          if (error instanceof SearchError && error.code === 404) return { status: 200, body: { assets: [] } };
          throw error;
        }
      },
    ],
  ];
}

/**
 * An asset that was just written, as the region's stores have it: read at LOCAL_QUORUM, put into the index and found there.
 * The worker does the same soon after; whoever waits has it done with the request.
 */
async function foundAgain(database: Database, find: Search, id: string): Promise<Answer> {
  const { rows } = await database.execute("SELECT id, title, changed FROM assets WHERE id = ?", [id]);
  if (!rows[0]) throw new Error(`asset ${id} was written and cannot be read`);
  const { id: _, ...source } = described(rows[0]);
  const path = `/${assetIndex}/_doc/${id}`;
  const { version, version_type } = indexVersion(rows[0].changed);
  await find("PUT", `${path}?version=${version}&version_type=${version_type}`, source).catch((error: Error) => {
    // Who changed it meanwhile has indexed it.
    if (!(error instanceof SearchError && error.code === 409)) throw error;
  });
  const { found } = await find<{ found: boolean }>("GET", path);
  if (!found) throw new Error(`asset ${id} was indexed and cannot be found`);
  return { status: 200, body: described(rows[0]) };
}

/** What keeps the region from serving; empty when nothing does. */
async function checkStores(database: Database, find: Search): Promise<string[]> {
  const checks = [
    // A quorum of the region's replicas answers, for a row that is not there.
    database.execute("SELECT id FROM assets WHERE id = ?", [types.Uuid.random()]),
    assetsHealth(find).then((status) => {
      if (status === "red") throw new Error(`Elasticsearch's index ${assetIndex} is red`);
    }),
  ];
  const results = await Promise.allSettled(checks);
  return results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
}

/**
 * Health of the index that requests need, whatever becomes of others in the cluster; undefined: nothing has been indexed yet. Nothing is
 * waited for, so an index that is not there is all that can be timed out for: Elasticsearch says so in the answer, before 8 with a 408.
 */
async function assetsHealth(find: Search): Promise<string | undefined> {
  const path = `/_cluster/health/${assetIndex}?timeout=0s&master_timeout=1s`;
  try {
    const { status, timed_out } = await find<{ status: string; timed_out: boolean }>("GET", path);
    return timed_out ? undefined : status;
  } catch (error) {
    if (error instanceof SearchError && error.code === 408) return undefined;
    throw error;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const described = (row: types.Row) => ({ id: String(row.id), title: row.title, changed: row.changed });
