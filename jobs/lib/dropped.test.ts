import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dropped, expiringTables, partsOf, withAliases } from "./dropped";
import { type Manifest, manifestSchema } from "./manifest";

const at = "2026-01-15T01:00:00Z";
const cassandra = (backup: string, tables: Record<string, number>, gone: Manifest["dropped"] = []): Manifest =>
  manifestSchema.parse({
    version: 2,
    kind: "cassandra",
    files: { path: "manifests/list.jsonl", sha256: "0".repeat(64), objects: 1, bytes: 1 },
    repository: "cassandra-emea",
    backup,
    startedAt: at,
    finishedAt: at,
    dropped: gone,
    datacenter: "emea",
    nodes: [{ host: "a", rack: "rack1", tokens: ["1"] }],
    racks: ["rack1"],
    schemaDigest: "",
    tables: Object.entries(tables).map(([name, bytes]) => {
      const [keyspace, table] = name.split(".");
      return { keyspace, table, objects: bytes > 0 ? 1 : 0, bytes };
    }),
    versions: { cassandra: "5.0.4" },
  });
const compare = (previous: Manifest | undefined, tonight: Manifest, approved: string[] = [], mayEmpty: string[] = []) =>
  dropped(previous, partsOf(tonight), { approved, mayEmpty: new Set(mayEmpty) });

const [first, second, third] = [
  "night-emea-20260115t010000z",
  "night-emea-20260116t010000z",
  "night-emea-20260117t010000z",
];
const missing = (name: string) => [{ name, backup: first }];

test("the first backup and an unchanged schema miss nothing", () => {
  assert.deepEqual(compare(undefined, cassandra(first, { "a.b": 1 })), []);
  assert.deepEqual(compare(cassandra(first, { "a.b": 1, "a.c": 0 }), cassandra(second, { "a.b": 2, "a.c": 0 })), []);
});

test("a table that is dropped or truncated is missed every night, until it has rows again or people confirm", () => {
  const before = cassandra(first, { "a.b": 1, "a.c": 1 });
  for (const tables of [{ "a.c": 1 }, { "a.b": 0, "a.c": 1 }] as Record<string, number>[]) {
    const gone = compare(before, cassandra(second, tables));
    assert.deepEqual(gone, missing("a.b"));
    const later = cassandra(second, tables, gone);
    assert.deepEqual(
      compare(later, cassandra(third, tables)),
      missing("a.b"),
      "the last backup that has it stays named",
    );
    assert.deepEqual(compare(later, cassandra(third, { "a.b": 0, "a.c": 1 })), missing("a.b"), "made again, empty");
    assert.deepEqual(compare(later, cassandra(third, { "a.b": 5, "a.c": 1 })), []);
    assert.deepEqual(compare(later, cassandra(third, tables), ["a.b"]), []);
    assert.deepEqual(compare(later, cassandra(third, tables), ["a.*"]), []);
    assert.deepEqual(compare(later, cassandra(third, tables), ["a.b2", "aXb", "b"]), missing("a.b"));
  }
});

test("what was confirmed for one backup is not missed by the next, without being named again", () => {
  const tables = { "a.c": 1 };
  const later = cassandra(
    second,
    tables,
    compare(cassandra(first, { "a.b": 1, ...tables }), cassandra(second, tables)),
  );
  const confirmed = cassandra(third, tables, compare(later, cassandra(third, tables), ["a.b"]));
  assert.deepEqual(compare(confirmed, cassandra("night-emea-20260118t010000z", tables)), []);
});

test("a table whose rows end may be empty, but not gone", () => {
  const before = cassandra(first, { "a.changes": 1 });
  assert.deepEqual(compare(before, cassandra(second, { "a.changes": 0 }), [], ["a.changes"]), []);
  assert.deepEqual(compare(before, cassandra(second, {}), [], ["a.changes"]), missing("a.changes"));
  const schema = `CREATE TABLE a.b (id int PRIMARY KEY) WITH default_time_to_live = 0\n AND gc_grace_seconds = 1;
CREATE TABLE IF NOT EXISTS "A".changes (
    id int PRIMARY KEY
) WITH cdc = false
    AND default_time_to_live = 172800;
CREATE TABLE a.plain (id int PRIMARY KEY);`;
  assert.deepEqual([...expiringTables(schema)], ["A.changes"]);
});

test("an index with nothing but its shards' commits is empty", () => {
  const index = (files: number) => ({ name: "assets", shards: 2, files, bytes: 400, mappingsDigest: "" });
  const head = (backup: string, indices: unknown[]) =>
    manifestSchema.parse({
      version: 2,
      files: { path: "manifests/list.jsonl", sha256: "0".repeat(64), objects: 1, bytes: 1 },
      kind: "elasticsearch",
      repository: "elasticsearch-emea",
      backup,
      startedAt: at,
      finishedAt: at,
      indices,
      versions: { elasticsearch: "9.2.3" },
    });
  const before = head("night-20260115t010000z", [index(10)]);
  assert.deepEqual(compare(before, head("night-20260116t010000z", [index(2)])), [
    { name: "assets", backup: "night-20260115t010000z" },
  ]);
  assert.deepEqual(compare(head("night-20260115t010000z", [index(2)]), head("night-20260116t010000z", [index(2)])), []);
  assert.deepEqual(before.dropped, [], "a manifest of before the field misses nothing");
});

test("whatever comes and goes: what is missed was there once, is not there now, and is named once", () => {
  const names = fc.uniqueArray(fc.constantFrom<string>("k.a", "k.b", "k.c", "k.d"));
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (nights) => {
      let previous: Manifest | undefined;
      const last = new Map<string, string>();
      for (const [night, tables] of nights.entries()) {
        const backup = `night-emea-2026010${night + 1}t010000z`;
        const bytes = Object.fromEntries(tables.map((name) => [name, 1]));
        const gone = compare(previous, cassandra(backup, bytes));
        for (const name of tables) last.set(name, backup);
        const expected = [...last].filter(([name]) => !tables.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(
          gone,
          expected.map(([name, held]) => ({ name, backup: held })),
        );
        previous = cassandra(backup, bytes, gone);
      }
    }),
  );
});

test("an index that another one took the place of is not gone, unless that one is empty", () => {
  const index = (name: string, documents: boolean) => ({
    name,
    shards: 1,
    files: documents ? 9 : 1,
    bytes: 9,
    mappingsDigest: "",
  });
  const { tables: _, nodes: __, racks: ___, ...common } = cassandra(first, {}) as Record<string, unknown>;
  const night = (backup: string, ...indices: object[]): Manifest =>
    manifestSchema.parse({ ...common, kind: "elasticsearch", backup, versions: { elasticsearch: "9.2.0" }, indices });
  const previous = night(first, index("assets", true), index("users", true));
  const taken = { "assets-r1": { aliases: { assets: {} } }, users: { aliases: {} }, other: { aliases: { users: {} } } };
  const gone = (tonight: Manifest, aliases: Parameters<typeof withAliases>[1] = taken) =>
    dropped(previous, withAliases(partsOf(tonight), aliases), { approved: [] }).map(({ name }) => name);
  assert.deepEqual(gone(night(second, index("assets-r1", true), index("users", true))), []);
  assert.deepEqual(gone(night(second, index("assets-r1", false), index("users", true))), ["assets"]);
  assert.deepEqual(
    gone(night(second, index("assets-r1", true), index("users", false))),
    ["users"],
    "its own name counts",
  );
  assert.deepEqual(
    gone(night(second, index("assets-r1", true))),
    ["users"],
    "an alias of what is not in the backup saves nothing",
  );
  assert.deepEqual(gone(night(second, index("users", true)), {}), ["assets"]);
});
