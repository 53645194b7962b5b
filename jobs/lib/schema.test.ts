import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Column, columnsOf, creation, misfits, statementsOf } from "./schema";

const SCHEMA = `
CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': '3'}  AND durable_writes = true;

CREATE TYPE media.place (
    city text,
    at frozen<tuple<double, double>>
);

CREATE TABLE media.assets (
    tenant uuid,
    "Day" int,
    id timeuuid,
    title text STATIC,
    tags map<text, frozen<list<text>>>,
    where frozen<place>,
    PRIMARY KEY ((tenant, "Day"), id)
) WITH CLUSTERING ORDER BY (id DESC)
    AND comment = 'a; b''s; CREATE TABLE media.nothing (x int)'
    AND compaction = {'class': 'org.apache.cassandra.db.compaction.UnifiedCompactionStrategy'};
CREATE INDEX by_title ON media.assets (title);
CREATE CUSTOM INDEX sai ON media.assets (values(tags)) USING 'StorageAttachedIndex';
CREATE MATERIALIZED VIEW media.by_id AS SELECT * FROM media.assets WHERE id IS NOT NULL PRIMARY KEY (id, tenant, "Day");
-- not a statement; at all
// VIRTUAL KEYSPACE system_views;
/*
Warning: it's a virtual table;
*/
CREATE TABLE media.other (k text PRIMARY KEY, v vector<float, 3>) WITH comment = '';
CREATE TABLE "Media".assets (k int PRIMARY KEY);
CREATE KEYSPACE system_auth WITH replication = {'class': 'SimpleStrategy'};
CREATE FUNCTION media.f(x int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return x; /* ; */ $$;
`;

test("statements end at semicolons that are in no text, no body and no comment", () => {
  const statements = statementsOf(SCHEMA);
  assert.equal(statements.length, 10);
  assert.match(statements[2]!, /CREATE TABLE media\.nothing \(x int\)'/);
  assert.match(statements.at(-1)!, /return x; \/\* ; \*\/ \$\$$/);
  assert.deepEqual(statementsOf(""), []);
});

test("what a table needs comes in an order that works, and leaves alone what exists", () => {
  const heads = (all: string[]) => all.map((statement) => statement.split(/ (?:WITH|AS|ON) | \(/)[0]!);
  assert.deepEqual(heads(creation(SCHEMA, "media", ["assets"])), [
    "CREATE KEYSPACE IF NOT EXISTS media",
    "CREATE TYPE IF NOT EXISTS media.place",
    "CREATE TABLE IF NOT EXISTS media.assets",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS media.by_id",
    "CREATE INDEX IF NOT EXISTS by_title",
    "CREATE CUSTOM INDEX IF NOT EXISTS sai",
  ]);
  assert.equal(creation(SCHEMA, "media").length, 7);
  assert.deepEqual(creation(SCHEMA, "Media"), ['CREATE TABLE IF NOT EXISTS "Media".assets (k int PRIMARY KEY)']);
  assert.deepEqual(creation(SCHEMA, "system_auth"), []);
  assert.deepEqual(creation("", "media"), []);
});

test("a table's columns are those of its statement", () => {
  assert.deepEqual(Object.fromEntries(columnsOf(SCHEMA, "media", "assets")!), {
    tenant: { type: "uuid", kind: "partition_key", position: 0 },
    Day: { type: "int", kind: "partition_key", position: 1 },
    id: { type: "timeuuid", kind: "clustering", position: 0 },
    title: { type: "text", kind: "static", position: -1 },
    tags: { type: "map<text,frozen<list<text>>>", kind: "regular", position: -1 },
    where: { type: "frozen<place>", kind: "regular", position: -1 },
  });
  assert.deepEqual(columnsOf(SCHEMA, "media", "other")!.get("k"), { type: "text", kind: "partition_key", position: 0 });
  assert.equal(columnsOf(SCHEMA, "media", "other")!.get("v")!.type, "vector<float,3>");
  assert.equal(columnsOf(SCHEMA, "media", "nothing"), undefined);
});

test("SSTables fit a table with the same columns and more, and nothing else", () => {
  const backup = columnsOf(SCHEMA, "media", "assets")!;
  const living = new Map(backup).set("new", { type: "text", kind: "regular", position: -1 });
  assert.deepEqual(misfits(backup, living, new Set()), []);
  const without = (name: string) => new Map([...living].filter(([each]) => each !== name));
  assert.deepEqual(misfits(backup, without("where"), new Set()), [
    "column where frozen<place> of the backup is not in it",
  ]);
  assert.deepEqual(misfits(backup, without("where"), new Set(["where"])), []);
  assert.equal(misfits(backup, without("id"), new Set(["id"])).length, 1, "a key is never passed over");
  const changed: Column = { type: "text", kind: "clustering", position: 0 };
  assert.deepEqual(misfits(backup, new Map(living).set("id", changed), new Set()), [
    "column id is text, the backup has timeuuid",
  ]);
  const moved: Column = { type: "uuid", kind: "partition_key", position: 1 };
  assert.match(misfits(backup, new Map(living).set("tenant", moved), new Set())[0]!, /partition_key 1/);
});

test("joined statements are split into the same ones", () => {
  const piece = fc.constantFrom("a", " ", "'x;y'", '"q;""z"', "$$;$$", "-", "/", "\n", "''", "1");
  const statement = fc
    .array(piece, { minLength: 1 })
    .map((pieces) => pieces.join(" ").trim())
    .filter((text) => text !== "");
  fc.assert(
    fc.property(fc.array(statement), (statements) => {
      assert.deepEqual(statementsOf(statements.map((text) => `${text};\n`).join("")), statements);
    }),
  );
});
