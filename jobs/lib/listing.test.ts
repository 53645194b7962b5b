/** Ordered listings and what differs in two of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byBytes, merge, type Pair, rawName } from "./listing";
import { differs, type MediaObject } from "./media";

async function* stream<T>(items: readonly T[], failure?: Error): AsyncGenerator<T> {
  yield* items;
  if (failure) throw failure;
}

async function pairs(source: string[], secondary: string[]): Promise<Pair<{ key: string }>[]> {
  const keyed = (names: string[]) => stream([...new Set(names)].sort(byBytes).map((key) => ({ key })));
  const all: Pair<{ key: string }>[] = [];
  for await (const pair of merge(keyed(source), keyed(secondary))) all.push(pair);
  return all;
}

test("every name of two listings comes once, in order, with those that have it", async () => {
  const names = fc.array(fc.string({ unit: "grapheme", maxLength: 3 }));
  await fc.assert(
    fc.asyncProperty(names, names, async (source, secondary) => {
      const all = await pairs(source, secondary);
      assert.deepEqual(
        all.map((pair) => (pair.source ?? pair.secondary)!.key),
        [...new Set([...source, ...secondary])].sort(byBytes),
      );
      for (const pair of all) {
        const { key } = (pair.source ?? pair.secondary)!;
        assert.deepEqual([!!pair.source, !!pair.secondary], [source.includes(key), secondary.includes(key)]);
      }
    }),
  );
  assert.deepEqual(await pairs([], []), []);
});

test("however long the listings are, one object of each is held", async () => {
  let taken = 0;
  async function* long(count: number): AsyncGenerator<{ key: string }> {
    for (let i = 0; i < count; i++) {
      taken++;
      yield { key: String(i).padStart(6, "0") };
    }
  }
  let given = 0;
  for await (const { source, secondary } of merge(long(20_000), long(10_000))) {
    given += Number(source !== undefined) + Number(secondary !== undefined);
    assert.ok(taken - given <= 2, `${taken} taken, ${given} given`);
  }
  assert.equal(given, 30_000);
});

test("a listing that fails ends the merge before what follows looks like removed", async () => {
  const seen: string[] = [];
  const source = stream([{ key: "a" }], new Error("listing ended early"));
  await assert.rejects(async () => {
    for await (const pair of merge(source, stream([{ key: "a" }, { key: "b" }]))) seen.push(pair.secondary!.key);
  }, /ended early/);
  assert.deepEqual(seen, ["a"]);
});

test("the order is that of UTF-8, not JavaScript's", () => {
  assert.ok("\u{1f600}" < "\uffee" && byBytes("\u{1f600}", "\uffee") > 0);
  assert.equal(byBytes("a", "a"), 0);
  assert.ok(byBytes("a", "a/") < 0 && byBytes("a-b", "a/b") < 0);
});

test("rclone's names are read back", () => {
  for (const [name, raw] of [
    ["a/b.mov", "a/b.mov"],
    ["a/．/b", "a/./b"],
    ["x/．．/y", "x/../y"],
    ["‛．", "．"],
    ["a．b", "a．b"],
    ["‛␊lf", "␊lf"],
    ["tab␉", "tab\t"],
    ["del␡", "del\u007f"],
    ["‛‛", "‛"],
  ] as const)
    assert.equal(rawName(name), raw, name);
});

test("content differs by size, then md5, then by the time of change where parts were composed", () => {
  const object = (change: Partial<MediaObject>): MediaObject => ({
    name: "a",
    key: "a",
    size: 1,
    md5: "0a",
    modified: 1000,
    ...change,
  });
  assert.ok(!differs(object({ modified: 9000 }), object({})));
  assert.ok(differs(object({ size: 2 }), object({})));
  assert.ok(differs(object({ md5: "0b" }), object({})));
  const composed = object({ md5: "" });
  assert.ok(!differs(composed, object({ md5: "", modified: 2000 })), "the copy is younger");
  assert.ok(differs(object({ md5: "", modified: 3000 }), object({ md5: "", modified: 2000 })));
  assert.ok(differs(object({ md5: "", modified: 3000 }), object({ modified: 2000 })));
});
