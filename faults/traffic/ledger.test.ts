/** Whatever a row's loads were answered is in one place, for that row alone. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Fault } from "../fault";
import { runFault } from "../run";
import { findings, patience } from "./findings";
import { ledgerOf, recorded } from "./ledger";
import { regionReturns } from "./region-rows";
import { heard, outcome, silence } from "./rows";
import type { TrafficStage } from "./stage";

patience.logMs = 0;

/** A stage whose stores have nothing, and whose health nobody can read. */
function stageOf(more: Partial<TrafficStage> = {}): TrafficStage {
  const nothing = async () => new Set<string>();
  return {
    entry: { host: "h", listener: "127.0.0.1:1", authority: "", clientHeader: "c" },
    regions: ["a", "b"],
    health: () => Promise.reject(new Error("no front end")),
    healthEvents: async () => [],
    strike: async () => undefined,
    apiAnswers: async () => true,
    held: nothing,
    indexed: nothing,
    ...more,
  };
}
const row = (id: string, inject: Fault<TrafficStage>["inject"]): Fault<TrafficStage> => ({
  ...{ id, fault: id, rows: ["D1"], mayLoseSeconds: 0, inject },
});
const group = (faults: Fault<TrafficStage>[], folder: string) =>
  recorded({ stage: "none", open: async () => stageOf(), close: async () => undefined, faults }, folder).faults;

test("each row has its own requests, in a file, and its own acknowledged writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "requests-"));
  const seen: number[] = [];
  const write = row("writes", async (stage) => {
    ledgerOf(stage).take({ at: 0, ms: 5.4, status: 200, writes: "x", region: "b" }, "a");
    ledgerOf({ ...stage }).take({ at: 1000, ms: 5, status: 503, writes: "y", error: "no" }, "a");
    seen.push(ledgerOf(stage).acknowledged.length);
    throw new Error("enough");
  });
  const other = row("other", async (stage) => {
    seen.push(ledgerOf(stage).acknowledged.length);
    throw new Error("enough");
  });
  const stage = stageOf();
  for (const each of group([write, other], folder)) assert.equal((await runFault(each, stage)).failure, "enough");
  assert.deepEqual(seen, [1, 0]);
  const lines = readFileSync(join(folder, "writes.jsonl"), "utf8").trim().split("\n");
  assert.deepEqual(
    lines.map((each) => JSON.parse(each)),
    [
      { at: "1970-01-01T00:00:00.000Z", ms: 5, status: 200, writes: "x", region: "b", from: "a", ok: true },
      { at: "1970-01-01T00:00:01.000Z", ms: 5, status: 503, writes: "y", error: "no", from: "a", ok: false },
    ],
  );
  rmSync(folder, { recursive: true });
});

test("a write that no load of the findings has is looked for all the same", { timeout: 60_000 }, async () => {
  const stage = stageOf({ indexed: async (_, ids) => new Set(ids) });
  ledgerOf(stage).take({ at: 1000, ms: 5, status: 200, writes: "of a warm-up", region: "a" }, "a");
  const found = findings([], 3000);
  const { lostSeconds, figures } = await outcome(stage, found, ["a", "b"], {
    ...{ signal: silence, recovered: "nothing", withinMs: 0 },
  });
  assert.equal(lostSeconds, 2);
  assert.equal(figures?.acknowledgedWrites, 1);
});

test("what health checks saw is read from their log", async () => {
  const event = { at: 5000, region: "a", near: "b", healthy: false };
  const stage = stageOf({ healthEvents: async (since) => [event].filter(({ at }) => at >= since) });
  const told = { signal: silence, recovered: "nothing", withinMs: 0 };
  const seen = await outcome(stage, findings([], 4000), ["a"], told);
  assert.match(seen.noticed, /^1 endpoints turned UNHEALTHY/);
  assert.match((await outcome(stage, findings([], 6000), ["a"], told)).noticed, /^0 endpoints/);
  assert.deepEqual(await heard(stage, 4000, "a", "b"), { kind: "health-check", state: "UNHEALTHY" });
  await assert.rejects(heard(stage, 4000, "a", "a"), /no UNHEALTHY of a near a .*, and 1 of others/);
  await assert.rejects(heard(stage, 6000, "a"), /no UNHEALTHY of a since the fault, and 0 of others/);
});

test("a region that was taken away is back when its row throws", async () => {
  const states: string[] = [];
  const stage = stageOf({ strike: async ({ state }) => void states.push(state) });
  const { failure } = await runFault(regionReturns, stage);
  assert.match(failure ?? "", /^no front end; and what it did is not put back: no front end$/);
  assert.deepEqual(states, ["off", "on"]);
});
