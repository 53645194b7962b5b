/** The lag between regions, and what is lost with one of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lagSeconds, lostWhileOff } from "./lag";
import type { Answered } from "./load";

test("the lag is from the acknowledgement until every other region has the write", async () => {
  const answers: Answered[] = [];
  const timer = setInterval(
    () => answers.push({ at: Date.now() - 5, ms: 5, status: 200, writes: `w${answers.length}` }),
    5,
  );
  const asked = new Map<string, number>();
  const held = async (_: string, ids: readonly string[]) => {
    const [id = ""] = ids;
    const first = asked.get(id) ?? Date.now();
    asked.set(id, first);
    return new Set(Date.now() - first >= 60 ? ids : []);
  };
  try {
    const seconds = await lagSeconds({ held }, ["b"], { answers });
    assert.ok(seconds >= 0.06 && seconds < 10, `${seconds} s`);
  } finally {
    clearInterval(timer);
  }
});

const write = (id: string, answeredAt: number, by = "a") => ({ id, at: answeredAt - 5, answeredAt, by });
const holding = (...ids: string[]) => ({ held: async () => new Set(ids) });

test("nothing is lost while a region is off when the others have all", async () => {
  const found = { acknowledged: [write("1", 1000), write("2", 2000)] };
  const lost = await lostWhileOff(holding("1", "2"), "a", ["b"], found, 0.2);
  assert.deepEqual(lost, { lostWhileOffSeconds: 0, lagSeconds: 0.2, lostBeyondLagSeconds: 0 });
});

test("what the others lack is as old as its oldest write, and more than the lag is told", {
  timeout: 60_000,
}, async () => {
  const found = { acknowledged: [write("1", 1000), write("2", 2000), write("3", 5000), write("4", 9000, "b")] };
  const [within, beyond, foreign] = await Promise.all([
    lostWhileOff(holding("1", "2", "4"), "a", ["b"], found, 0.2),
    lostWhileOff(holding("1", "4"), "a", ["b"], found, 0.5),
    lostWhileOff(holding("1", "2", "3"), "a", ["b"], found, 0.5),
  ]);
  assert.deepEqual(within, { lostWhileOffSeconds: 0, lagSeconds: 0.2, lostBeyondLagSeconds: 0 });
  assert.deepEqual(beyond, { lostWhileOffSeconds: 3, lagSeconds: 0.5, lostBeyondLagSeconds: 1.5 });
  assert.equal(foreign.lostBeyondLagSeconds, Number.POSITIVE_INFINITY);
});
