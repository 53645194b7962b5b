import assert from "node:assert/strict";
import { test } from "node:test";
import { types } from "cassandra-driver";
import fc from "fast-check";
import { Digest } from "../jobs/lib/digest";
import {
  documentOf,
  documentsDigest,
  encodeDocument,
  encodeRow,
  partitionOf,
  rowOf,
  schema,
  tableDigest,
  tableRows,
} from "./dataset";
import { type Row, TABLES } from "./tables";

const table = fc.constantFrom(...TABLES);
const index = fc.nat(200_000);

const digestOf = (entries: string[]): Digest => {
  const digest = new Digest();
  for (const entry of entries) digest.add(entry);
  return digest;
};

test("the rows of all tables sum up to the size", () => {
  assert.equal(
    TABLES.reduce((sum, { share }) => sum + share, 0),
    100,
  );
  fc.assert(
    fc.property(fc.nat(10_000_000), (rows) => {
      const counts = tableRows(rows);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        rows,
      );
      for (const [at, count] of counts.entries()) assert.ok(Math.abs(count - (rows * TABLES[at]!.share) / 100) < 1);
    }),
  );
});

test("partitions hold every row of a table once", () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 500 }), (of, rows) => {
      const partitions = Array.from({ length: Math.ceil(rows / of.partitionRows) }, (_, at) =>
        partitionOf(of, at, rows),
      );
      for (const partition of partitions) {
        const keys = new Set(partition.map((row) => of.partitionKey.map((name) => String(row[name])).join()));
        assert.equal(keys.size, 1, "one partition, one key");
      }
      const digest = digestOf(partitions.flat().map((row) => encodeRow(of, row)));
      assert.ok(digest.equals(tableDigest(of, rows)));
    }),
    { numRuns: 30 },
  );
});

test("no two rows of a table have the same primary key", () => {
  for (const of of TABLES) {
    const names = of.key.replaceAll(/[()\s]/g, "").split(",");
    const keys = new Set(
      Array.from({ length: 5000 }, (_, at) => {
        const row = rowOf(of, at);
        return names.map((name) => (row[name] instanceof Date ? Number(row[name]) : String(row[name]))).join();
      }),
    );
    assert.equal(keys.size, 5000, of.name);
  }
});

test("the digest does not depend on the order or on how rows are divided", () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.string())
        .chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
        ),
      fc.nat(20),
      ([entries, shuffled], cut) => {
        const parts = digestOf(shuffled.slice(0, cut));
        parts.merge(digestOf(shuffled.slice(cut)));
        assert.ok(digestOf(entries).equals(parts));
        assert.equal(digestOf(entries).toString(), parts.toString());
      },
    ),
  );
});

test("a row that is missing or there twice changes the digest", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (entries) => {
      assert.ok(!digestOf(entries).equals(digestOf(entries.slice(1))));
      assert.ok(!digestOf(entries).equals(digestOf([...entries, entries[0]!])));
    }),
  );
});

/** Another value of the same type. */
function changed(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "number") return value + 1;
  if (typeof value === "string") return `${value}.`;
  if (typeof value === "boolean") return !value;
  if (value instanceof Date) return new Date(value.getTime() + 1);
  if (Buffer.isBuffer(value)) return Buffer.concat([value, Buffer.from([0])]);
  if (value instanceof types.Long) return value.add(types.Long.ONE);
  if (value instanceof types.BigDecimal) return value.add(types.BigDecimal.fromString("0.01"));
  if (value instanceof types.Uuid) return new types.Uuid(Buffer.from(value.getBuffer().map((byte) => byte ^ 1)));
  if (value instanceof types.Tuple) return new types.Tuple(changed(value.get(0)), ...value.elements.slice(1));
  if (Array.isArray(value)) return value.slice(1);
  const [first] = Object.keys(value);
  return { ...value, [first ?? ""]: changed((value as Row)[first ?? ""]) };
}

test("one changed value changes the digest", () => {
  fc.assert(
    fc.property(table, index, fc.nat(), (of, at, which) => {
      const row = rowOf(of, at);
      const names = Object.keys(of.columns).filter((name) => {
        const value = row[name];
        const empty = value === null || (typeof value === "object" && !Object.keys(value as object).length);
        return !empty && !(Array.isArray(value) && value.length === 0);
      });
      const name = names[which % names.length]!;
      const other = { ...row, [name]: changed(row[name]) };
      assert.notEqual(encodeRow(of, row), encodeRow(of, other), `${of.name}.${name}`);
    }),
    { numRuns: 2000 },
  );
});

test("a row is the same every time, and another one with another seed", () => {
  fc.assert(
    fc.property(table, index, fc.string(), (of, at, seed) => {
      assert.equal(encodeRow(of, rowOf(of, at, seed)), encodeRow(of, rowOf(of, at, seed)));
      assert.notEqual(encodeRow(of, rowOf(of, at, seed)), encodeRow(of, rowOf(of, at, `${seed}.`)));
    }),
  );
});

test("documents survive JSON in any order of keys, and one changed value changes the digest", () => {
  fc.assert(
    fc.property(fc.constantFrom("europe-west1", "us-east4"), index, (region, at) => {
      const { id, source } = documentOf(region, at);
      const reversed = Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(source))).reverse());
      assert.equal(encodeDocument({ id, source }), encodeDocument({ id, source: reversed }));
      assert.notEqual(encodeDocument({ id, source }), encodeDocument({ id, source: { ...source, frames: -1 } }));
    }),
  );
  assert.ok(!documentsDigest("europe-west1", 10).equals(documentsDigest("us-east4", 10)));
});

test("the schema names every datacenter and all tables", () => {
  const statements = schema(["emea", "amer"], 2);
  assert.match(statements[0]!, /'emea': 2, 'amer': 2/);
  assert.equal(statements.filter((statement) => statement.startsWith("CREATE TABLE")).length, TABLES.length);
  assert.equal(TABLES.length, 6);
});
