import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import { type ContainerSnapshot, created, podStatus } from "./status";

const START = new Date("2026-01-01T00:00:00Z");
const NOW = new Date("2026-01-01T00:01:00Z");

const pod = (restartPolicy: string, containers: string[], inits: V1Container[] = []): V1Pod => ({
  metadata: { name: "p", namespace: "n" },
  spec: { restartPolicy, containers: containers.map((name) => ({ name })), initContainers: inits },
});
const running = (ready = true): ContainerSnapshot => ({ runningSince: START, restarts: 0, started: true, ready });
const ended = (exitCode: number): ContainerSnapshot => ({
  terminated: { exitCode },
  restarts: 0,
  started: false,
  ready: false,
});
const phase = (of: V1Pod, states: Record<string, ContainerSnapshot>) =>
  podStatus(of, "127.20.0.1", START, new Map(Object.entries(states)), NOW).phase;
const ready = (of: V1Pod, states: Record<string, ContainerSnapshot>) =>
  podStatus(of, "127.20.0.1", START, new Map(Object.entries(states)), NOW).conditions?.find(
    ({ type }) => type === "Ready",
  )?.status;

test("a pod with readiness gates is ready when its containers are and every gate says so", () => {
  const gated = pod("Always", ["a"]);
  gated.spec!.readinessGates = [{ conditionType: "x/one" }, { conditionType: "x/two" }];
  const said = (...types: [string, string][]) => {
    gated.status = { conditions: types.map(([type, status]) => ({ type, status })) };
  };
  assert.equal(ready(gated, { a: running() }), "False");
  said(["x/one", "True"]);
  assert.equal(ready(gated, { a: running() }), "False");
  said(["x/one", "True"], ["x/two", "False"]);
  assert.equal(ready(gated, { a: running() }), "False");
  said(["x/one", "True"], ["x/two", "True"]);
  assert.equal(ready(gated, { a: running() }), "True");
  assert.equal(ready(gated, { a: running(false) }), "False");
  const status = podStatus(gated, "127.20.0.1", START, new Map([["a", running()]]), NOW);
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ["x/one", "x/two", "Initialized", "ContainersReady", "Ready"],
  );
});

test("a pod is pending until each container was started", () => {
  assert.equal(phase(pod("Always", ["a", "b"]), {}), "Pending");
  assert.equal(phase(pod("Always", ["a", "b"]), { a: running(), b: created() }), "Pending");
  assert.equal(phase(pod("Always", ["a", "b"]), { a: running(), b: running() }), "Running");
});

test("a restart policy decides what an ended container makes of the pod", () => {
  for (const [policy, code, expected] of [
    ["Never", 0, "Succeeded"],
    ["Never", 1, "Failed"],
    ["OnFailure", 0, "Succeeded"],
    ["OnFailure", 1, "Running"],
    ["Always", 0, "Running"],
  ] as const) {
    assert.equal(phase(pod(policy, ["a"]), { a: ended(code) }), expected, `${policy} ${code}`);
  }
  assert.equal(phase(pod("Never", ["a", "b"]), { a: ended(1), b: running() }), "Running");
});

test("a failed init container fails a pod that never restarts", () => {
  const withInit = (policy: string) => pod(policy, ["a"], [{ name: "i" }]);
  assert.equal(phase(withInit("Never"), { i: ended(1) }), "Failed");
  assert.equal(phase(withInit("Always"), { i: ended(1) }), "Pending");
  assert.equal(phase(withInit("Always"), { i: ended(0), a: running() }), "Running");
});

test("a pod is ready when every container and sidecar is", () => {
  const sidecar = pod("Always", ["a"], [{ name: "s", restartPolicy: "Always" }]);
  assert.equal(ready(sidecar, { s: running(), a: running() }), "True");
  assert.equal(ready(sidecar, { s: running(false), a: running() }), "False");
  assert.equal(ready(sidecar, { s: running(), a: running(false) }), "False");
});

test("a pod has succeeded when its containers have and its sidecars were ended after them", () => {
  const sidecar = pod("Never", ["a"], [{ name: "s", restartPolicy: "Always" }]);
  assert.equal(phase(sidecar, { s: created(), a: created() }), "Pending");
  assert.equal(phase(sidecar, { s: running(), a: running() }), "Running");
  assert.equal(phase(sidecar, { s: ended(143), a: ended(0) }), "Succeeded");
  assert.equal(phase(sidecar, { s: ended(143), a: ended(1) }), "Failed");
});

test("what others wrote into the conditions stays, and an unchanged condition keeps its time", () => {
  const before = podStatus(pod("Always", ["a"]), "127.20.0.1", START, new Map([["a", running()]]), START);
  const scheduled = { type: "PodScheduled", status: "True" };
  const again: V1Pod = {
    ...pod("Always", ["a"]),
    status: { conditions: [...(before.conditions ?? []), scheduled] },
  };
  const after = podStatus(again, "127.20.0.1", START, new Map([["a", running()]]), NOW);
  assert.ok(after.conditions?.some(({ type }) => type === "PodScheduled"));
  assert.deepEqual(after.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime, START);
  assert.equal(after.conditions?.filter(({ type }) => type === "Ready").length, 1);
});
