/** What a matrix prints fits the terminal, and its page says what its columns are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Fault } from "./fault";
import {
  columnWidths,
  cut,
  figuresOf,
  type MatrixReport,
  matrixPage,
  matrixTable,
  reportName,
  unfinished,
  withAgain,
} from "./report";
import type { Row } from "./run";

const row: Row = {
  id: "replicator-killed-twice",
  fault: "the copy is killed at 2 points, and once more as often it is started again",
  rows: ["S2", "D2"],
  alert: "none: it harms nothing",
  expected: { lostSeconds: 0 },
  measured: {
    noticed: "Kubernetes starts the job again; no marker names what was cut off",
    recovered:
      "each time the next run ended with a copy that restores whole; it spared up to 34 objects that were there",
    lostSeconds: 0,
  },
  seconds: 1,
  startedAt: "2026-11-29T12:00:00.000Z",
  pass: true,
};
const report: MatrixReport = {
  matrix: "faults-night",
  result: "pass",
  startedAt: "2026-11-29T12:00:00.000Z",
  seconds: 1,
  rows: [row],
};
const lines = (columns: number) => matrixTable(report, columns).split("\n");

test("the table is as wide as the terminal, from 110 columns on", () => {
  assert.deepEqual(columnWidths(146), [27, 40, 24, 39, 10]);
  fc.assert(
    fc.property(fc.integer({ min: 110, max: 400 }), (columns) => {
      const widths = columnWidths(columns)!;
      assert.ok(widths.every((width) => width >= 10));
      assert.ok(lines(columns).every((line) => [...line].length <= columns));
    }),
    { numRuns: 50 },
  );
  assert.equal([...lines(180)[0]!].length, 180);
});

test("below that each fault is a block of its own, with the same words", () => {
  assert.equal(columnWidths(109), undefined);
  assert.deepEqual(lines(80), [
    "✔ replicator-killed-twice",
    "  noticed:   Kubernetes starts the job again; no marker names what was cut off",
    "  alert:     none: it harms nothing",
    `  recovered: ${row.measured!.recovered}`,
    "  lost:      nothing",
    "",
    "PASS       1 faults",
  ]);
});

test("a fault that was not as promised says why, whatever the width", () => {
  const failed: MatrixReport = { ...report, result: "fail", rows: [{ ...row, pass: false, failure: "it broke" }] };
  for (const columns of [80, 146])
    assert.match(
      matrixTable(failed, columns),
      /✘ replicator-killed-twice[\s\S]*\nreplicator-killed-twice: it broke\nFAIL$/,
    );
});

test("the page says what a plan row is and when no alert is expected", () => {
  const page = matrixPage("Faults", "make it", report);
  assert.match(page, /\(\.\.\/plan\/systems\.ts\).*\(\.\.\/plan\/objectives\.ts\)/);
  assert.match(page, /"none: it harms nothing" is where no alert is expected/);
});

test("a page shows what was measured beside what is allowed", () => {
  const figures = {
    recoverySeconds: 5.893,
    failedPercent: 1.743,
    requestsPerSecond: 50,
    latencyAfterMs: 198,
    slowedMs: 3,
  };
  const bounded = {
    expected: { lostSeconds: 0, recoverySeconds: 10, failedPercent: 5, unindexed: 0 },
    atLeast: { requestsPerSecond: 47.5 },
    measured: { ...row.measured!, figures },
  };
  assert.deepEqual(figuresOf(bounded), [
    "recovery 5.9 s (at most 10 s)",
    "failed 1.7 % (at most 5 %)",
    "unindexed unknown (at most 0)",
    "requests per second 50 (at least 47.5)",
    "latency after 198 ms",
  ]);
  assert.deepEqual(figuresOf({ ...bounded, measured: null }), []);
  const rows = [{ ...row, ...bounded, measured: { ...bounded.measured, lostSeconds: Number.POSITIVE_INFINITY } }];
  const read = JSON.parse(JSON.stringify({ ...report, rows })) as MatrixReport;
  assert.match(
    matrixPage("t", "make faults", read),
    / \| recovery 5\.9 s \(at most 10 s\)<br>.* \| what was written after/,
  );
});

test("a part of a matrix leaves the whole one's report alone", () => {
  assert.equal(reportName("faults", {}), "faults");
  assert.equal(reportName("faults", { only: ["a"] }), "faults-part");
  assert.equal(reportName("faults-night", { small: true }), "faults-night-part");
});

test("a text that is cut says so", () => {
  assert.equal(cut("four", 4), "four");
  assert.equal(cut("fiver", 4), "fiv…");
});

test("what had failed, or is missing, is run again, and stands where it belongs", () => {
  const named = (id: string, pass: boolean): Row => ({ ...row, id, pass });
  const last: MatrixReport = { ...report, result: "fail", rows: [named("a", true), named("c", false)] };
  const ids = ["a", "b", "c"];
  const inject = () => Promise.reject(new Error("no row runs here"));
  const faults = ids.map((id): Fault<never> => ({ id, fault: id, rows: ["D1"], mayLoseSeconds: 0, inject }));
  assert.deepEqual(unfinished(last, faults), ["b", "c"]);
  assert.deepEqual(unfinished({ rows: [] }, []), []);
  assert.deepEqual(unfinished({ rows: [{ ...named("a", true), measured: null }] }, faults), ids);
  const again = withAgain(last, [named("c", true), named("b", true)], ids);
  assert.deepEqual([again.result, again.rows.map(({ id }) => id), again.again], ["pass", ids, ["c", "b"]]);
  assert.equal(withAgain(last, [named("c", true)], ids).result, "fail", "one of them was never run");
  assert.equal(withAgain(last, [named("b", true), named("c", false)], ids).result, "fail");
  assert.match(matrixPage("t", "make faults", again), /Run again alone.*: `c`, `b`\./);
  assert.doesNotMatch(matrixPage("t", "make faults", report), /Run again/);
});

test("a row that passed under less load, or looser bounds, than now is run again", () => {
  const inject = () => Promise.reject(new Error("no row runs here"));
  const fault: Fault<never> = { id: row.id, fault: row.fault, rows: ["D1"], mayLoseSeconds: 0, inject };
  const seen = (figures: Record<string, number>, lostSeconds = 0) => ({
    rows: [{ ...row, measured: { ...row.measured!, lostSeconds, figures } }],
  });
  const least = { ...fault, atLeast: () => ({ requestsPerSecond: 190 }) };
  assert.deepEqual(unfinished(seen({ requestsPerSecond: 198 }), [least]), []);
  assert.deepEqual(unfinished(seen({ requestsPerSecond: 50 }), [least]), [row.id]);
  assert.deepEqual(unfinished(seen({}), [least]), [row.id], "what was not measured is not enough");
  const most = { ...fault, bounds: { failed: 0 } };
  assert.deepEqual(unfinished(seen({ failed: 0 }), [most]), []);
  assert.deepEqual(unfinished(seen({ failed: 1 }), [most]), [row.id]);
  assert.deepEqual(unfinished(seen({}, 5), [fault]), [row.id]);
});
