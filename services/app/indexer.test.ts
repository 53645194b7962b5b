/** What comes into the index, how often, and what is looked at again. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { types } from "cassandra-driver";
import { Indexer } from "./indexer";
import { minuteOf } from "./schema";

const NOW = new Date("2026-01-01T12:00:30Z");
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
/** Rows that one answer of the database has. */
const PAGE = 3;

/** A database that answers in pages, and an index. */
function stores() {
  const assets = new Map<string, { title: string; changed: Date }>();
  const changes: { at: types.TimeUuid; asset: string }[] = [];
  const index = new Map<string, object>();
  const state = { requests: 0, refuses: false };
  const database = {
    execute: async (query: string, [value]: [Date | string]) => {
      const rows = query.includes("FROM changes")
        ? changes.filter(({ at }) => minuteOf(at.getDate()).getTime() === (value as Date).getTime())
        : [assets.get(String(value))].filter((row) => row !== undefined);
      // As the driver's result: `rows` is its first page, and iteration goes on to the others.
      return {
        rows: rows.slice(0, PAGE),
        [Symbol.asyncIterator]: async function* () {
          yield* rows;
        },
      };
    },
  };
  const find = async (_method: string, _path: string, body: string) => {
    state.requests++;
    const lines = body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    if (!state.refuses)
      for (let line = 0; line < lines.length; line += 2) index.set(lines[line].index._id, lines[line + 1]);
    return { errors: state.refuses };
  };
  const change = (id: string, at: Date, title = "a title", changed = at) => {
    assets.set(id, { title, changed });
    changes.push({ at: types.TimeUuid.fromDate(at), asset: id });
  };
  return { assets, changes, index, state, change, indexer: new Indexer(database as never, find as never) };
}

test("without changes nothing is asked of the index", async () => {
  const { indexer, state } = stores();
  assert.equal(await indexer.round(ago(600), NOW), 0);
  assert.equal(state.requests, 0);
});

test("each changed asset is indexed once, as it is now, and not those of other minutes", async () => {
  const { indexer, index, change } = stores();
  const [id, old] = [randomUUID(), randomUUID()];
  for (const seconds of [120, 90, 0]) change(id, ago(seconds), `as of ${seconds} s ago`);
  change(old, ago(3600));
  assert.equal(await indexer.round(ago(600), NOW), 1);
  assert.deepEqual([...index], [[id, { title: "as of 0 s ago", changed: NOW.toISOString() }]]);
  assert.equal(await indexer.round(ago(120), NOW), 0, "the index has it");
});

test("every page of a busy minute is read, and many assets come in a few requests", async () => {
  const { indexer, index, state, change } = stores();
  for (let count = 0; count < 250; count++) change(randomUUID(), ago(10));
  assert.equal(await indexer.round(ago(60), NOW), 250);
  assert.deepEqual([index.size, state.requests], [250, 3]);
});

test("an asset that is changed again is indexed again", async () => {
  const { indexer, index, change } = stores();
  const id = randomUUID();
  change(id, ago(20), "first");
  await indexer.round(ago(120), NOW);
  change(id, ago(10), "second");
  assert.equal(await indexer.round(ago(120), NOW), 1);
  assert.equal((index.get(id) as { title: string }).title, "second");
});

test("a change whose asset is not here yet, or only as it was before, is looked at again", async () => {
  const { indexer, index, assets, changes, change } = stores();
  const [absent, stale] = [randomUUID(), randomUUID()];
  changes.push({ at: types.TimeUuid.fromDate(ago(5)), asset: absent });
  change(stale, ago(5), "before", ago(300));
  assert.equal(await indexer.round(ago(120), NOW), 1);
  assets.set(absent, { title: "arrived", changed: ago(5) }).set(stale, { title: "after", changed: ago(5) });
  assert.equal(await indexer.round(ago(120), NOW), 2);
  assert.deepEqual(
    [absent, stale].map((id) => (index.get(id) as { title: string }).title),
    ["arrived", "after"],
  );
  assert.equal(await indexer.round(ago(120), NOW), 0);
});

test("what the index refused is brought again", async () => {
  const { indexer, index, state, change } = stores();
  change(randomUUID(), ago(5));
  state.refuses = true;
  await assert.rejects(indexer.round(ago(120), NOW), /refused a part/);
  state.refuses = false;
  assert.equal(await indexer.round(ago(120), NOW), 1);
  assert.equal(index.size, 1);
});
