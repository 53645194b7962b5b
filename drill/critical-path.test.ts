/** The chain that an update waited for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { criticalPath, dependenciesOf, describePath, type Span, Stopwatch } from "./critical-path";

const urn = (name: string) => `urn:pulumi:s::p::t::${name}`;
const spans = (times: Record<string, [number, number]>) =>
  new Map(Object.entries(times).map(([name, [start, end]]) => [urn(name), { start, end }]));

test("the chain goes through the dependency that ended last", () => {
  const path = criticalPath(
    spans({ network: [0, 2000], key: [0, 500], cluster: [2100, 9000], job: [9000, 12_000], bucket: [0, 3000] }),
    new Map([
      [urn("cluster"), [urn("network"), urn("key")]],
      [urn("job"), [urn("cluster"), urn("bucket")]],
    ]),
    -1000,
  );
  assert.deepEqual(path, [
    { urn: urn("network"), seconds: 2, waited: 1 },
    { urn: urn("cluster"), seconds: 6.9, waited: 0.1 },
    { urn: urn("job"), seconds: 3, waited: 0 },
  ]);
  assert.equal(describePath(path), "network 2 s → cluster 7 s → job 3 s");
});

test("a dependency without a time, one that ended later and itself are passed over", () => {
  const path = criticalPath(
    spans({ a: [0, 10], b: [5, 20] }),
    new Map([[urn("b"), [urn("a"), urn("b"), urn("unknown")]]]),
    0,
  );
  assert.deepEqual(
    path.map((step) => step.urn),
    [urn("b")],
  );
});

test("nothing happened, and what never ended, make no path", () => {
  assert.deepEqual(criticalPath(new Map(), new Map(), 0), []);
  assert.deepEqual(criticalPath(new Map([[urn("a"), { start: 0, end: Number.NaN }]]), new Map(), 0), []);
});

test("it ends with the last, ascends in time and its parts add up to the whole", () => {
  const node = fc.record({ start: fc.nat(1000), took: fc.nat(1000), on: fc.array(fc.nat(9), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 10 }), (nodes) => {
      const times = new Map<string, Span>(nodes.map(({ start, took }, i) => [`${i}`, { start, end: start + took }]));
      const path = criticalPath(times, new Map(nodes.map(({ on }, i) => [`${i}`, on.map(String)])), 0);
      const whole = path.reduce((sum, { seconds, waited }) => sum + seconds + waited, 0);
      assert.ok(path.every(({ waited }) => waited >= 0));
      assert.ok(Math.abs(whole * 1000 - Math.max(...[...times.values()].map(({ end }) => end))) < 1e-6);
    }),
  );
});

test("a stopwatch hears the engine", () => {
  let now = 0;
  const watch = new Stopwatch(() => now);
  const event = (kind: "resourcePreEvent" | "resOutputsEvent", name: string, op = "create") =>
    watch.hear({ sequence: 0, timestamp: 0, [kind]: { metadata: { urn: urn(name), op } } } as never);
  watch.hear({
    sequence: 0,
    timestamp: 0,
    resourcePreEvent: { metadata: { urn: "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s" } },
  } as never);
  event("resourcePreEvent", "a");
  now = 7;
  event("resOutputsEvent", "a");
  event("resOutputsEvent", "never began");
  for (const op of ["delete", "delete-replaced", "discard"]) {
    event("resourcePreEvent", op, op);
    event("resOutputsEvent", op, op);
  }
  event("resOutputsEvent", "a", "delete-replaced");
  assert.deepEqual([...watch.spans], [[urn("a"), { start: 0, end: 7 }]]);
});

test("dependencies of a state are those of properties and the parent too", () => {
  const found = dependenciesOf({
    resources: [
      { urn: "a" },
      { urn: "b", parent: "a", dependencies: ["c"], propertyDependencies: { x: ["c", "d"], y: null } },
    ],
  });
  assert.deepEqual(
    [...found],
    [
      ["a", []],
      ["b", ["a", "c", "d"]],
    ],
  );
  assert.deepEqual(dependenciesOf({}).size, 0);
});
