/** What an alert would make of a metric, and of how long it was so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { metrics } from "../plan/freshness";
import { limits } from "../plan/limits";
import type { Outcome } from "./fault";
import { runFault } from "./run";
import { deaf, firesAfter } from "./signals";

const ready = (seconds?: number) =>
  ({ kind: "metric", name: "kube_statefulset_status_replicas_ready", value: 0, seconds }) as const;

test("an alert's own time is told when the fault was shorter", () => {
  assert.equal(deaf("cassandra-node-down", ready(20)), undefined);
  assert.equal(firesAfter("cassandra-node-down", ready(20)), limits.nodeDownSeconds);
  assert.equal(firesAfter("cassandra-node-down", ready(limits.nodeDownSeconds)), undefined);
  assert.equal(firesAfter("cassandra-node-down", ready()), undefined, "it is not known how long it lasted");
  assert.equal(firesAfter("app-unreachable", { kind: "metric", name: "check_passed", value: 0, seconds: 20 }), 60);
  const cores = { kind: "metric", name: "kubernetes.io/node/cpu/total_cores", value: 0, seconds: 20 } as const;
  assert.equal(firesAfter("cluster-silent", cores), 300);
});

test("a line of a log raises its alert at once", () => {
  const signal = { kind: "health-check", state: "UNHEALTHY" } as const;
  assert.equal(deaf("region-unhealthy", signal), undefined);
  assert.equal(firesAfter("region-unhealthy", signal), undefined);
});

test("a row says that its alert would have come later, and passes", async () => {
  const outcome: Outcome = { noticed: "slow", signal: ready(21), recovered: "all", lostSeconds: 0 };
  const row = (alert: string | undefined, signal: Outcome["signal"]) =>
    runFault(
      { id: "a", fault: "a", rows: ["S1"], alert, mayLoseSeconds: 0, inject: async () => ({ ...outcome, signal }) },
      undefined,
    );
  const short = await row("cassandra-node-down", ready(21));
  assert.deepEqual([short.pass, short.wouldFireAfterSeconds], [true, 600]);
  assert.equal(short.measured?.noticed, "slow; the alert would fire after 600 s, and this lasted 21 s");
  const long = await row("cassandra-node-down", ready(601));
  assert.deepEqual([long.wouldFireAfterSeconds, long.measured?.noticed], [undefined, "slow"]);
  assert.equal((await row(undefined, ready(1))).wouldFireAfterSeconds, undefined);
  const other = await row("cassandra-node-down", { kind: "metric", name: metrics.copy, value: 0 });
  assert.match(other.failure ?? "", /does not look at/);
});
