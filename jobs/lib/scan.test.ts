import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Digest } from "./digest";
import { type Range, rangeQuery, rangesOf } from "./scan";
import { placeOf } from "./verify-cassandra";

test("every token is in one range, whatever the nodes' tokens are", () => {
  const token = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
  const has = ({ above, upTo }: Range, at: bigint) =>
    (above === undefined || at > BigInt(above)) && (upTo === undefined || at <= BigInt(upTo));
  fc.assert(
    fc.property(fc.array(token, { maxLength: 40 }), token, (tokens, at) => {
      const ranges = rangesOf(tokens.map(String));
      for (const each of [at, ...tokens]) assert.equal(ranges.filter((range) => has(range, each)).length, 1);
    }),
  );
});

test("a query names quoted columns and only the ends that its range has", () => {
  const table = { keyspace: "Media", name: "assets", partitionKey: ['"a"', '"B"'] };
  assert.equal(rangeQuery(table, {}), 'SELECT JSON * FROM "Media"."assets"');
  assert.equal(
    rangeQuery(table, { above: "-5", upTo: "7" }),
    'SELECT JSON * FROM "Media"."assets" WHERE token("a", "B") > -5 AND token("a", "B") <= 7',
  );
  assert.match(rangeQuery(table, { upTo: "7" }), /WHERE token\("a", "B"\) <= 7$/);
});

test("a digest is the same in any order and division, and another one for other rows", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.nat(), (rows, cut) => {
      const of = (list: string[]) => {
        const digest = new Digest();
        for (const row of list) digest.add(row);
        return digest;
      };
      const divided = of(rows.slice(0, cut % (rows.length + 1)));
      divided.merge(of(rows.slice(cut % (rows.length + 1)).reverse()));
      assert.deepEqual([String(divided), divided.count], [String(of(rows)), rows.length]);
      assert.notEqual(String(of([...rows, "one more"])), String(of(rows)));
    }),
  );
});

test("a secondary index lies inside its table's folder, where its files would hide the table's own", () => {
  const object = {
    keyspace: "media",
    columnfamily: "assets-0a",
    path: "cassandra/n/data/media/assets-0a/nb-1-big-Data.db",
  };
  assert.equal(placeOf("/work", object), "/work/cassandra/data/media/assets-0a/nb-1-big-Data.db");
  const index = { ...object, path: "cassandra/n/data/media/assets-0a/.by_title/nb-1-big-Data.db" };
  assert.equal(placeOf("/work", index), "/work/cassandra/data/media/assets-0a/.by_title/nb-1-big-Data.db");
});
