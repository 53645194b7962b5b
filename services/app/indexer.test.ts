/** What comes into the index, how often, and what is looked at again. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mock, test } from "node:test";
import { types } from "cassandra-driver";
import { events } from "../../plan/events";
import { Indexer } from "./indexer";
import { minuteOf } from "./schema";

const NOW = new Date("2026-01-01T12:00:30Z");
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
/** Rows that one answer of the database has. */
const PAGE = 3;

/** A database that answers in pages, and an index with versions. */
function stores() {
  const assets = new Map<string, { title: string; changed: Date }>();
  const changes: { at: types.TimeUuid; asset: string }[] = [];
  const index = new Map<string, { version: number; source: { title: string } }>();
  const state = { requests: 0, reads: 0, refuses: false };
  const ofMinute = (minute: Date) => changes.filter(({ at }) => +minuteOf(at.getDate()) === +minute);
  const database = {
    execute: async (query: string, [value]: [Date | string]) => {
      if (query.includes("count(*)"))
        return { rows: [{ changes: types.Long.fromNumber(ofMinute(value as Date).length) }] };
      if (query.includes("FROM assets")) state.reads++;
      const rows = query.includes("FROM changes")
        ? ofMinute(value as Date)
        : [assets.get(String(value))].filter((row) => row !== undefined);
      // As the driver's result: `rows` is its first page, and iteration goes on to the others.
      const iterate = async function* () {
        yield* rows;
      };
      return { rows: rows.slice(0, PAGE), [Symbol.asyncIterator]: iterate };
    },
  };
  const find = async (_method: string, _path: string, body: string) => {
    state.requests++;
    const lines = body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const items = [];
    for (let line = 0; line < lines.length; line += 2) {
      const { _id, version, version_type } = lines[line].index;
      assert.equal(version_type, "external_gte");
      const status = state.refuses ? 503 : version < (index.get(_id)?.version ?? 0) ? 409 : 200;
      if (status === 200) index.set(_id, { version, source: lines[line + 1] });
      items.push({ index: { status, error: { reason: "told to" } } });
    }
    return { errors: items.some(({ index: { status } }) => status !== 200), items };
  };
  const change = (id: string, at: Date, title = "a title", changed = at) => {
    assets.set(id, { title, changed });
    changes.push({ at: types.TimeUuid.fromDate(at), asset: id });
  };
  const titles = (...ids: string[]) => ids.map((id) => index.get(id)?.source.title);
  return { assets, changes, index, state, change, titles, indexer: new Indexer(database as never, find as never) };
}

/** Goes through all older minutes once. @returns assets that were indexed */
async function pass(indexer: Indexer, now = NOW): Promise<number> {
  for (let indexed = 0, steps = 0; ; steps++) {
    const older = await indexer.older(now);
    indexed += older.indexed;
    if (older.whole) return indexed;
    assert.ok(steps < 1000, "a pass ends");
  }
}

test("without changes nothing is asked of the index", async () => {
  const { indexer, state } = stores();
  assert.deepEqual([await indexer.recent(NOW), await pass(indexer)], [0, 0]);
  assert.equal(state.requests, 0);
});

test("each changed asset is indexed once, as it is now; older ones are left to the pass over older minutes", async () => {
  const { indexer, index, change, titles } = stores();
  const [id, old, expired] = [randomUUID(), randomUUID(), randomUUID()];
  for (const seconds of [120, 90, 0]) change(id, ago(seconds), `as of ${seconds} s ago`);
  change(old, ago(3600), "old");
  change(expired, ago(3 * 24 * 3600));
  assert.equal(await indexer.recent(NOW), 1);
  assert.deepEqual([titles(id), index.size], [["as of 0 s ago"], 1]);
  assert.equal(await indexer.recent(NOW), 0, "the index has it");
  assert.equal(await pass(indexer), 1);
  assert.deepEqual([titles(old), index.size], [["old"], 2]);
});

test("a change that another region's clock has put into the next minute is indexed now, and somebody is told", async () => {
  const { indexer, change, titles } = stores();
  const id = randomUUID();
  const lines = mock.method(console, "log", () => undefined);
  change(id, ago(-45), "ahead");
  assert.equal(await indexer.recent(NOW), 1);
  lines.mock.restore();
  assert.deepEqual(titles(id), ["ahead"]);
  const [line] = lines.mock.calls.map(({ arguments: [text] }) => JSON.parse(text));
  assert.equal(line.event, events.clockAhead);
  assert.ok(line.aheadMs > 40_000 && line.aheadMs <= 45_000, `${line.aheadMs}`);
});

test("what arrives late in a minute that has passed is indexed, and nothing else is read again", async () => {
  const { indexer, state, change, titles } = stores();
  for (let count = 0; count < 5; count++) change(randomUUID(), ago(3600 * count + 600));
  assert.equal(await pass(indexer), 5);
  state.reads = 0;
  assert.equal(await pass(indexer), 0);
  assert.equal(state.reads, 0);
  const late = randomUUID();
  change(late, ago(2 * 3600 + 600), "handed over");
  assert.equal(await pass(indexer), 2, "its minute is read again");
  assert.deepEqual(titles(late), ["handed over"]);
});

test("every page of a busy minute is read, and many assets come in a few requests", async () => {
  const { indexer, index, state, change } = stores();
  for (let count = 0; count < 250; count++) change(randomUUID(), ago(10));
  assert.equal(await indexer.recent(NOW), 250);
  assert.deepEqual([index.size, state.requests], [250, 3]);
});

test("an asset that is changed again is indexed again", async () => {
  const { indexer, change, titles } = stores();
  const id = randomUUID();
  change(id, ago(20), "first");
  await indexer.recent(NOW);
  change(id, ago(10), "second");
  assert.equal(await indexer.recent(NOW), 1);
  assert.deepEqual(titles(id), ["second"]);
});

test("a change whose asset is not here yet, or only as it was before, is looked at again, also when its minute has passed", async () => {
  for (const [seconds, look] of [
    [5, (indexer: Indexer) => indexer.recent(NOW)],
    [7200, (indexer: Indexer) => pass(indexer)],
  ] as const) {
    const { indexer, assets, changes, change, titles } = stores();
    const [absent, stale] = [randomUUID(), randomUUID()];
    const at = ago(seconds);
    changes.push({ at: types.TimeUuid.fromDate(at), asset: absent });
    change(stale, at, "before", ago(seconds + 300));
    assert.equal(await look(indexer), 1);
    assets.set(absent, { title: "arrived", changed: at }).set(stale, { title: "after", changed: at });
    assert.equal(await look(indexer), 2);
    assert.deepEqual(titles(absent, stale), ["arrived", "after"]);
    assert.equal(await look(indexer), 0);
  }
});

test("a newer document stays, and is no failure", async () => {
  const { indexer, index, change, titles } = stores();
  const id = randomUUID();
  change(id, ago(10), "older");
  index.set(id, { version: NOW.getTime(), source: { title: "newer" } });
  await indexer.recent(NOW);
  assert.deepEqual(titles(id), ["newer"]);
  assert.equal(await indexer.recent(NOW), 0);
});

test("what the index refused is brought again", async () => {
  const { indexer, index, state, change } = stores();
  change(randomUUID(), ago(5));
  change(randomUUID(), ago(3000));
  state.refuses = true;
  await assert.rejects(indexer.recent(NOW), /refused 1 changes: told to/);
  await assert.rejects(pass(indexer), /refused 1/);
  state.refuses = false;
  indexer.again();
  assert.deepEqual([await indexer.recent(NOW), await pass(indexer)], [1, 1]);
  assert.equal(index.size, 2);
});

test("a minute that grows old with changes that the index has is read once more at most", async () => {
  const { indexer, change, state } = stores();
  change(randomUUID(), ago(5));
  await indexer.recent(NOW);
  const later = new Date(NOW.getTime() + 10 * 60_000);
  assert.equal(await indexer.recent(later), 0);
  assert.equal(await pass(indexer, later), 1);
  state.reads = 0;
  assert.equal(await pass(indexer, later), 0);
  assert.equal(state.reads, 0);
});
