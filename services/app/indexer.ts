/**
 * Brings what has changed into the region's own search index. A change is looked at again for a while, as its asset may come
 * from another region after it; once the index has it, it is not indexed again.
 *
 * Memory: the changes of twenty minutes while they are read, and the name of each change of the last {@link OVERLAP_MS}.
 */
import type { types } from "cassandra-driver";
import { assetIndex } from "../../plan/names";
import type { cassandra } from "./cassandra";
import { minuteOf } from "./schema";
import type { Search } from "./search";

const MINUTE_MS = 60_000;
/** How far every round has to look back: further than the other regions' writes take to arrive. */
export const OVERLAP_MS = 2 * MINUTE_MS;
/** Minutes read at once. */
const MINUTES = 20;
/** Assets read at once, and indexed with one request. */
const ASSETS = 100;

type Database = Pick<Awaited<ReturnType<typeof cassandra>>, "execute">;

interface Change {
  at: types.TimeUuid;
  asset: string;
}

export class Indexer {
  /** Changes that the index has. */
  private readonly done = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly find: Search,
  ) {}

  /** Indexes every asset that changed between two moments, as it is now. @returns how many there were. May be repeated. */
  async round(from: Date, to: Date): Promise<number> {
    const minutes: Date[] = [];
    for (let minute = minuteOf(from); minute <= to; minute = new Date(minute.getTime() + MINUTE_MS))
      minutes.push(minute);
    const kept = minuteOf(new Date(to.getTime() - OVERLAP_MS));
    const seen = new Set<string>();
    let count = 0;
    for (const some of chunks(minutes, MINUTES)) {
      const changes = (await Promise.all(some.map((minute) => this.changesOf(minute)))).flat();
      for (const { at } of changes) seen.add(String(at));
      count += await this.bring(
        changes.filter(({ at }) => !this.done.has(String(at))),
        kept,
      );
    }
    for (const at of this.done) if (!seen.has(at)) this.done.delete(at);
    return count;
  }

  private async changesOf(minute: Date): Promise<Change[]> {
    const changes: Change[] = [];
    // Page after page: a busy minute has more than one.
    for await (const row of await this.database.execute("SELECT at, asset FROM changes WHERE minute = ?", [minute]))
      changes.push({ at: row.at, asset: String(row.asset) });
    return changes;
  }

  private async bring(changes: readonly Change[], kept: Date): Promise<number> {
    let count = 0;
    for (const ids of chunks([...new Set(changes.map(({ asset }) => asset))], ASSETS)) {
      const found = new Map<string, { title: string; changed: Date }>();
      const read = async (id: string) => {
        const { rows } = await this.database.execute("SELECT title, changed FROM assets WHERE id = ?", [id]);
        if (rows[0]) found.set(id, { title: rows[0].title, changed: rows[0].changed });
      };
      await Promise.all(ids.map(read));
      if (found.size === 0) continue;
      const lines = [...found]
        .flatMap(([_id, asset]) => [{ index: { _id } }, asset])
        .map((each) => JSON.stringify(each));
      const { errors } = await this.find<{ errors: boolean }>("POST", `/${assetIndex}/_bulk`, `${lines.join("\n")}\n`);
      if (errors) throw new Error("Elasticsearch refused a part of the changes");
      for (const { at, asset } of changes) {
        const indexed = found.get(asset);
        // An asset that is older than its change is yet to come.
        if (indexed && indexed.changed >= at.getDate() && at.getDate() >= kept) this.done.add(String(at));
      }
      count += found.size;
    }
    return count;
  }
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let first = 0; first < all.length; first += size) yield all.slice(first, first + size);
}
