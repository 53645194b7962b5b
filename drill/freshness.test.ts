/** What counts as fresh in what an exporter serves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lateAfterSeconds, metrics } from "../plan/freshness";
import { samples, staleness } from "./freshness";

const NOW = new Date("2026-01-15T06:00:00Z");
const ago = (seconds: number) => NOW.getTime() / 1000 - seconds;
const text = (changes: Record<string, number> = {}) =>
  [
    `# HELP ${metrics.backup} Start of the newest complete backup`,
    `${metrics.backup}{site="prod",repository="cassandra-emea"} ${ago(changes.cassandra ?? 3600)}`,
    `${metrics.backup}{site="prod",repository="elasticsearch-emea"} ${ago(changes.elasticsearch ?? 3600)}`,
    `${metrics.copy}{site="prod",repository="cassandra-emea"} ${ago(changes.copy ?? 600)}`,
    `${metrics.copy}{site="prod",repository="elasticsearch-emea"} ${ago(600)}`,
    `${metrics.looked}{site="prod"} ${ago(changes.looked ?? 5)}`,
  ].join("\n");
const stale = (body: string, site = "prod") =>
  staleness(samples(body), site, ["cassandra-emea", "elasticsearch-emea"], NOW);

test("all fresh is no problem", () => assert.deepEqual(stale(text()), []));

test("each store is held to its own limit", () => {
  const late = lateAfterSeconds("elasticsearchSnapshot") + 1;
  assert.deepEqual(stale(text({ cassandra: late })), []);
  assert.match(stale(text({ elasticsearch: late })).join(), /^elasticsearch-emea is 93601 s old, 93600 s are allowed$/);
});

test("none yet, another site, and nothing at all are problems", () => {
  assert.match(
    stale(text({ copy: NOW.getTime() / 1000 })).join(),
    /^the copy of cassandra-emea is \d+ s old, \d+ s are allowed$/,
  );
  assert.equal(stale(text(), "other").length, 5);
  assert.deepEqual(stale("").slice(0, 1), ["cassandra-emea is not measured"]);
});

test("the text format is read with labels, without comments", () => {
  assert.deepEqual(samples('# x{a="1"} 2\nm 1\nn{a="b \\" c",d="e"} 1.5e3 17\n'), [
    { name: "m", labels: {}, value: 1 },
    { name: "n", labels: { a: 'b \\" c', d: "e" }, value: 1500 },
  ]);
});
