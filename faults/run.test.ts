/** The matrix's runner: rows fail alone, for a reason that is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "../plan/events";
import { metrics } from "../plan/freshness";
import type { Fault, Outcome } from "./fault";
import { choose, type Group, judge, runFaults } from "./run";

const outcome: Outcome = {
  noticed: "the job failed",
  signal: { kind: "log", command: "snapshot-cassandra", line: { event: events.jobFailed } },
  recovered: "all of it",
  lostSeconds: 0,
};
const fault = (id: string, more: Partial<Fault<string[]>> = {}): Fault<string[]> => ({
  id,
  fault: id,
  rows: ["S1"],
  alert: "snapshot-failed",
  mayLoseSeconds: 0,
  inject: async (stage) => {
    stage.push(id);
    return outcome;
  },
  ...more,
});
const group = (faults: Fault<string[]>[], log: string[] = []): Group<string[]> => ({
  stage: "a list",
  open: async () => log,
  close: async (stage) => void stage.push("closed"),
  faults,
});

test("every row runs on its stage, which is closed after the last", async () => {
  const log: string[] = [];
  const told: string[] = [];
  const rows = await runFaults([group([fault("a"), fault("b")], log)], (row) => told.push(row.id));
  assert.deepEqual(log, ["a", "b", "closed"]);
  assert.deepEqual(told, ["a", "b"]);
  assert.ok(rows.every(({ pass }) => pass));
});

test("a row that throws fails alone", async () => {
  const broken = fault("a", { inject: () => Promise.reject(new Error("not noticed")) });
  const rows = await runFaults([group([broken, fault("b")])], () => undefined);
  assert.deepEqual(
    rows.map(({ id, pass, failure, measured }) => [id, pass, failure, measured?.noticed]),
    [
      ["a", false, "not noticed", undefined],
      ["b", true, undefined, "the job failed"],
    ],
  );
});

test("a stage that does not come up fails its rows and no others", async () => {
  const broken = { ...group([fault("a")]), open: () => Promise.reject(new Error("no port")) };
  const rows = await runFaults([broken, group([fault("b")])], () => undefined);
  assert.deepEqual(
    rows.map(({ pass, failure }) => [pass, failure]),
    [
      [false, "a list did not come up: no port"],
      [true, undefined],
    ],
  );
});

test("more loss than allowed, and loss that is not known, fail", () => {
  assert.match(judge(fault("a"), { ...outcome, lostSeconds: 5 })?.message ?? "", /5 s of data were lost, 0 s/);
  assert.ok(judge(fault("a"), { ...outcome, lostSeconds: Number.NaN }));
  assert.equal(judge(fault("a", { mayLoseSeconds: 5 }), { ...outcome, lostSeconds: 5 }), undefined);
});

test("a figure that is too small, or was not measured, fails: the fault may have done nothing", async () => {
  const row = fault("a", { atLeast: () => ({ deaths: 2 }) });
  const message = (figures?: Record<string, number>) => judge(row, { ...outcome, figures })?.message ?? "";
  assert.match(message({ deaths: 1 }), /^deaths is 1, at least 2 is expected/);
  assert.match(message({ deaths: Number.NaN }), /deaths is NaN/);
  assert.match(message(), /deaths is NaN/);
  assert.equal(message({ deaths: 2 }), "");
  const [told] = await runFaults([group([row])], () => undefined);
  assert.deepEqual(told?.atLeast, { deaths: 2 });
});

test("an alert that does not listen to the signal fails the row", () => {
  const message = (alert: string, signal: Outcome["signal"]) =>
    judge(fault("a", { alert }), { ...outcome, signal })?.message ?? "";
  assert.match(message("no-such", outcome.signal), /there is no alert "no-such"/);
  assert.match(
    message("snapshot-failed", { kind: "log", command: "replicate", line: { event: events.jobFailed } }),
    /pods of replicate/,
  );
  assert.match(message("snapshot-failed", { kind: "log", command: "snapshot-x", line: {} }), /carries no event/);
  assert.match(
    message("snapshot-failed", { kind: "log", command: "snapshot-x", line: { event: "x" } }),
    /listen to event x/,
  );
  const text = (namespace: string, words: string) => ({ kind: "text" as const, namespace, text: words });
  assert.equal(message("cassandra-corruption", text("cassandra", "x CorruptSSTableException: y")), "");
  assert.match(message("cassandra-corruption", text("cassandra", "all is well")), /does not listen to "all is well"/);
  assert.match(message("cassandra-corruption", text("services", "CorruptSSTableException")), /does not listen/);
  assert.match(message("copy-stale", text("cassandra", "CorruptSSTableException")), /does not listen/);
  assert.match(message("snapshot-failed", { kind: "metric", name: metrics.copy, value: 0 }), /does not look at/);
  assert.equal(message("copy-stale", { kind: "metric", name: metrics.copy, value: 0 }), "");
});

test("a choice is the suite's part, or ids that exist", () => {
  const groups = [group([fault("a", { small: true }), fault("b")]), group([fault("c")])];
  const ids = (chosen: typeof groups) => chosen.map(({ faults }) => faults.map(({ id }) => id));
  assert.deepEqual(ids(choose(groups, {})), [["a", "b"], ["c"]]);
  assert.deepEqual(ids(choose(groups, { small: true })), [["a"]]);
  assert.deepEqual(ids(choose(groups, { only: ["c"] })), [["c"]]);
  assert.throws(() => choose(groups, { only: ["d"] }), /no fault "d"; allowed: a, b, c/);
  assert.deepEqual(choose([], {}), []);
});
