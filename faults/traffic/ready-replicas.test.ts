/** What samples of StatefulSets amount to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { notReady } from "./ready-replicas";

const sample = (seconds: number, ...ready: number[]) => ({
  at: seconds * 1000,
  sets: ready.map((each) => ({ replicas: 2, ready: each })),
});

test("the fewest ready replicas of a set that lacks some, and how long one did", () => {
  const samples = [sample(0, 2, 2), sample(1, 2, 1), sample(3, 0, 1), sample(9, 1, 2), sample(10, 2, 2)];
  assert.deepEqual(notReady(samples), {
    kind: "metric",
    name: "kube_statefulset_status_replicas_ready",
    value: 0,
    seconds: 8,
  });
});

test("sets that lacked nothing, and no look at all, are no signal", () => {
  assert.throws(() => notReady([sample(0, 2), sample(1, 2)]), /all its replicas ready in each of 2 looks/);
  assert.throws(() => notReady([]), /0 looks/);
});
