/**
 * Brings what has changed into the region's own search index. Changes of the last minutes are read in every round. Older
 * minutes are gone through again and again, as far back as changes are kept: what another region hands over late, by hints or by
 * a repair, lies in a minute that has passed, and shows in the number of its changes.
 *
 * A document's version is when its asset was changed: whoever writes it late, or twice, does not replace a newer one.
 *
 * Memory: the changes of the last {@link OVERLAP_MS}, or of one older minute, and a number for each of those.
 */
import type { types } from "cassandra-driver";
import { limits } from "../../plan/limits";
import { assetIndex } from "../../plan/names";
import type { cassandra } from "./cassandra";
import { tellAhead } from "./clock";
import { CHANGES_SECONDS, minuteOf } from "./schema";
import { indexVersion, type Search } from "./search";

const MINUTE_MS = 60_000;
/** What counts as the last minutes: longer than a write takes to every region when nothing is wrong. */
const OVERLAP_MS = 2 * MINUTE_MS;
/** How far ahead of this clock changes are looked for: another region's may be ahead. */
const AHEAD_MS = limits.clockRefusedSeconds * 1000;
/** Older minutes that one step looks at: as many of the newest, and the next ones of the pass. */
const STEP = 20;
/** Assets read at once, and indexed with one request. */
const ASSETS = 100;

type Database = Pick<Awaited<ReturnType<typeof cassandra>>, "execute">;

interface Change {
  at: types.TimeUuid;
  asset: string;
}

/** What a step over older minutes did. */
export interface Older {
  indexed: number;
  /** It was the last of a pass over all of them. */
  whole: boolean;
}

interface BulkAnswer {
  errors: boolean;
  items: { index: { status: number; error?: { reason: string } } }[];
}

export class Indexer {
  /** Changes of the last minutes that the index has. */
  private readonly done = new Set<string>();
  /** How many changes of an older minute the index has; absent: not all that were seen. */
  private readonly counted = new Map<number, number>();
  /** Where the last step of the pass began, going back; undefined: a new pass begins. */
  private next: number | undefined;

  constructor(
    private readonly database: Database,
    private readonly find: Search,
  ) {}

  /** Indexes what changed in the last minutes. @returns how many assets. May be repeated. */
  async recent(now: Date): Promise<number> {
    const changes: Change[] = [];
    const began = Date.now();
    for (let minute = firstRecent(now); minute <= now.getTime() + AHEAD_MS; minute += MINUTE_MS)
      for (const change of await this.changesOf(minute)) changes.push(change);
    const read = now.getTime() + (Date.now() - began);
    const fresh = changes.filter(({ at }) => !this.done.has(String(at)));
    tellAhead(fresh.reduce((latest, { at }) => Math.max(latest, at.getDate().getTime()), 0) - read, {});
    const { assets, current } = await this.bring(fresh);
    for (const { at } of current) this.done.add(String(at));
    const seen = new Set(changes.map(({ at }) => String(at)));
    for (const at of this.done) if (!seen.has(at)) this.done.delete(at);
    return assets;
  }

  /** Looks at the next older minutes and indexes those that have more changes than before. May be repeated. */
  async older(now: Date): Promise<Older> {
    const oldest = minuteOf(new Date(now.getTime() - CHANGES_SECONDS * 1000)).getTime();
    const newest = firstRecent(now) - MINUTE_MS;
    const back = (from: number) =>
      Array.from({ length: STEP }, (_, step) => from - step * MINUTE_MS).filter((each) => each >= oldest);
    // The newest of them each time: what was handed over late is mostly not very late.
    let indexed = await this.grown(back(newest));
    const from = Math.min(this.next ?? newest, newest) - STEP * MINUTE_MS;
    indexed += await this.grown(back(from));
    const whole = from - STEP * MINUTE_MS < oldest;
    this.next = whole ? undefined : from;
    for (const minute of this.counted.keys()) if (minute < oldest) this.counted.delete(minute);
    return { indexed, whole };
  }

  /** Indexes those of some minutes that have more changes than the index. @returns how many assets */
  private async grown(minutes: readonly number[]): Promise<number> {
    const counts = await Promise.all(minutes.map((minute) => this.count(minute)));
    let indexed = 0;
    for (const [step, minute] of minutes.entries()) {
      // Fewer: they have begun to expire.
      if (counts[step]! <= (this.counted.get(minute) ?? 0)) continue;
      const changes = await this.changesOf(minute);
      const brought = await this.bring(changes);
      if (brought.current.length === changes.length) this.counted.set(minute, changes.length);
      indexed += brought.assets;
    }
    return indexed;
  }

  /** After a failure: the next step begins with the newest of the older minutes. */
  again(): void {
    this.next = undefined;
  }

  private async count(minute: number): Promise<number> {
    const query = "SELECT count(*) AS changes FROM changes WHERE minute = ?";
    const { rows } = await this.database.execute(query, [new Date(minute)]);
    return Number(rows[0]?.changes ?? 0);
  }

  private async changesOf(minute: number): Promise<Change[]> {
    const changes: Change[] = [];
    const query = "SELECT at, asset FROM changes WHERE minute = ?";
    // Page after page: a busy minute has more than one.
    for await (const row of await this.database.execute(query, [new Date(minute)]))
      changes.push({ at: row.at, asset: String(row.asset) });
    return changes;
  }

  /** Indexes the assets of changes as they are now. `current`: the changes whose asset is here as it was changed, or later. */
  private async bring(changes: readonly Change[]): Promise<{ assets: number; current: Change[] }> {
    const indexed = new Map<string, Date>();
    for (const ids of chunks([...new Set(changes.map(({ asset }) => asset))], ASSETS)) {
      const lines: object[] = [];
      const read = async (id: string) => {
        const { rows } = await this.database.execute("SELECT title, changed FROM assets WHERE id = ?", [id]);
        if (!rows[0]) return;
        const { title, changed } = rows[0] as unknown as { title: string; changed: Date };
        indexed.set(id, changed);
        lines.push({ index: { _id: id, ...indexVersion(changed) } }, { title, changed });
      };
      await Promise.all(ids.map(read));
      if (lines.length > 0) await this.bulk(lines);
    }
    const current = changes.filter(({ at, asset }) => (indexed.get(asset)?.getTime() ?? 0) >= at.getDate().getTime());
    return { assets: indexed.size, current };
  }

  private async bulk(lines: readonly object[]): Promise<void> {
    const body = lines.map((each) => `${JSON.stringify(each)}\n`).join("");
    const { errors, items } = await this.find<BulkAnswer>("POST", `/${assetIndex}/_bulk`, body);
    if (!errors) return;
    // 409: the index has a newer one.
    const refused = items.filter(({ index: { status } }) => status >= 300 && status !== 409);
    if (refused.length === 0) return;
    throw new Error(`Elasticsearch refused ${refused.length} changes: ${refused[0]!.index.error?.reason}`);
  }
}

/** First of the last minutes. */
const firstRecent = (now: Date): number => minuteOf(new Date(now.getTime() - OVERLAP_MS)).getTime();

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let first = 0; first < all.length; first += size) yield all.slice(first, first + size);
}
