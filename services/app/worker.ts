/** The worker: brings what has changed into the region's own search index, again and again. */
import type { types } from "cassandra-driver";
import { assetIndex } from "../../plan/names";
import { cassandra } from "./cassandra";
import { serve } from "./http";
import { log } from "./log";
import { minuteOf } from "./schema";
import { type Search, search } from "./search";
import type { StoreSettings } from "./settings";

const MINUTE_MS = 60_000;
/** How far a new worker looks back: further than the index of a restored site lags behind its tables. */
const FIRST_LOOK_MS = 24 * 60 * MINUTE_MS;
/** How far every round looks back: further than the other regions' writes take to arrive. */
const OVERLAP_MS = 2 * MINUTE_MS;
/** Minutes read at once. */
const AT_ONCE = 20;
/** A worker that got nothing done for this many rounds is restarted. */
const ROUNDS = 60;

type Database = Pick<Awaited<ReturnType<typeof cassandra>>, "execute">;

/** Works until it is told to end. A round that fails is repeated with what it missed. */
export async function worker(options: StoreSettings & { INTERVAL_SECONDS: number }): Promise<void> {
  const [database, find] = [await cassandra(options), await search(options)];
  const started = Date.now();
  let done: number | undefined;
  const late = () => Date.now() - (done ?? started) > ROUNDS * options.INTERVAL_SECONDS * 1000;
  await serve(
    [["GET", /^\/livez$/, async () => (late() ? { status: 503, body: "no round" } : { status: 200, body: "ok" })]],
    options,
  );
  for (;;) {
    const now = Date.now();
    try {
      const since = done === undefined ? now - FIRST_LOOK_MS : done - OVERLAP_MS;
      const assets = await round(database, find, new Date(since), new Date(now));
      if (assets > 0) log({ indexed: assets });
      done = now;
    } catch (error) {
      log({ error: (error as Error).message });
    }
    await new Promise((resolve) => setTimeout(resolve, options.INTERVAL_SECONDS * 1000));
  }
}

/** Indexes every asset that changed between two moments, as it is now. Returns how many there were. */
export async function round(database: Database, find: Search, from: Date, to: Date): Promise<number> {
  const minutes: Date[] = [];
  for (let minute = minuteOf(from); minute <= to; minute = new Date(minute.getTime() + MINUTE_MS)) minutes.push(minute);
  const changed = new Set<string>();
  for (let first = 0; first < minutes.length; first += AT_ONCE) {
    const results = await Promise.all(minutes.slice(first, first + AT_ONCE).map((minute) => all(database, minute)));
    for (const id of results.flat()) changed.add(id);
  }
  const lines: string[] = [];
  for (const id of changed) {
    const { rows } = await database.execute("SELECT title, changed FROM assets WHERE id = ?", [id]);
    if (!rows[0]) continue;
    lines.push(
      JSON.stringify({ index: { _id: id } }),
      JSON.stringify({ title: rows[0].title, changed: rows[0].changed }),
    );
  }
  if (lines.length === 0) return 0;
  const { errors } = await find<{ errors: boolean }>("POST", `/${assetIndex}/_bulk`, `${lines.join("\n")}\n`);
  if (errors) throw new Error("Elasticsearch refused a part of the changes");
  return lines.length / 2;
}

async function all(database: Database, minute: Date): Promise<string[]> {
  const { rows } = await database.execute("SELECT asset FROM changes WHERE minute = ?", [minute]);
  return rows.map((row) => String(row.asset as types.Uuid));
}
