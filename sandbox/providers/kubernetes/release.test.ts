/** Helm releases against a real API server; the operator manager's answer is given by the test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { releaseRecord } from "./release-record";
import { program, type Resource, type State, setStatus, startCluster, type TestCluster } from "./testing";
import type { KubeObject } from "./types";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const ITEM = "kubernetes:onepassword.com/v1:OnePasswordItem";
const SECRET = { group: "", version: "v1", kind: "Secret" };
const folder = mkdtempSync(join(tmpdir(), "no-crds-"));

let cluster: TestCluster;
let declare: (type: string, name: string) => Resource;

before(async () => {
  process.env.SANDBOX_CRDS = folder;
  cluster = await startCluster();
  declare = await program({ kubeconfig: cluster.kubeconfig });
});
after(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const release = (values: object, more: object = {}) => ({
  name: "connect",
  chart: "oci://registry.example/charts/connect",
  version: "2.3.0",
  namespace: "default",
  values,
  atomic: true,
  ...more,
});
const withOperator = { operator: { create: true } };
const revisions = () => cluster.rest.list(SECRET, "default", "owner=helm,name=connect");

/** Answers as the operator manager does when it has started a chart's operator. */
async function operatorAnswers(revision: number): Promise<KubeObject> {
  const version = String(revision);
  for (;;) {
    const secret = (await revisions()).find(({ metadata }) => metadata.labels?.version === version);
    if (secret) {
      const object = { ...secret, apiVersion: "v1", kind: "Secret" };
      const patch = { metadata: { annotations: { "meta.sandbox/operator": "running" } } };
      await cluster.rest.mergePatch(object, patch, { fieldManager: "manager", dryRun: false, serverSideApply: false });
      return object;
    }
    await sleep(50);
  }
}

test("a release is recorded as Helm does, waits for its operator, is upgraded, read and removed", async () => {
  const resource = declare(RELEASE, "connect");
  await resource.preview(release(withOperator));
  assert.deepEqual(await revisions(), []);
  const [state, secret] = await Promise.all([resource.create(release(withOperator)), operatorAnswers(1)]);
  assert.equal(state.id, "default/connect");
  assert.deepEqual([secret.type, secret.metadata.name], ["helm.sh/release.v1", "sh.helm.release.v1.connect.v1"]);
  const record = releaseRecord(secret);
  assert.deepEqual(
    [record.chart.metadata.name, record.chart.metadata.version, record.config],
    ["connect", "2.3.0", withOperator],
  );
  assert.equal((await resource.diff(state, release(withOperator))).changes, false);

  const values = { operator: { create: true, watchNamespace: ["a"] } };
  assert.equal((await resource.diff(state, release(values))).changes, true);
  const [upgraded] = await Promise.all([resource.update(state, release(values)), operatorAnswers(2)]);
  const statuses = (await revisions()).map(({ metadata }) => metadata.labels?.status).sort();
  assert.deepEqual(statuses, ["deployed", "superseded"]);
  const read = await resource.read(upgraded);
  assert.ok(read);
  assert.deepEqual(read.inputs, upgraded.inputs);
  const { revision, status } = read.outputs.status as { revision: number; status: string };
  assert.deepEqual([revision, status], [2, "deployed"]);

  await resource.delete(upgraded);
  assert.equal(await resource.read(upgraded), undefined);
  assert.deepEqual(await revisions(), []);
});

test("an operator that does not answer fails the release, and an atomic one leaves nothing", async () => {
  const resource = declare(RELEASE, "connect");
  await assert.rejects(
    resource.create(release(withOperator), 1),
    /did not report.*within 1 seconds; it was rolled back/,
  );
  assert.deepEqual(await revisions(), []);
  const state = await resource.create(release({}));
  await resource.delete(state);
});

test("a chart that is not known is refused with those that are", async () => {
  const wrong = release({}, { chart: "oci://registry.example/charts/conect" });
  await assert.rejects(
    declare(RELEASE, "connect").preview(wrong),
    /conect" is not known here; known charts: k8ssandra-op/,
  );
});

test("objects of the chart's kinds are waited for by their annotation", async () => {
  await declare(RELEASE, "connect").create(release({}));
  const waitFor = '["condition=Ready", "jsonpath={.status.phase}=Done"]';
  const item = (waiting: string) => ({
    metadata: { name: "user", namespace: "default", annotations: { "pulumi.com/waitFor": waiting } },
    spec: { itemPath: "vaults/v/items/i" },
  });
  const resource = declare(ITEM, "user");
  await assert.rejects(resource.preview(item("Ready")), /metadata.annotations.*starting with "condition="/);
  let state: State | undefined;
  const creating = resource.create(item(waitFor), 20).then((created) => {
    state = created;
  });
  const path = "/apis/onepassword.com/v1/namespaces/default/onepassworditems/user";
  const object = {
    apiVersion: "onepassword.com/v1",
    kind: "OnePasswordItem",
    metadata: { name: "user", namespace: "default" },
  };
  while (!(await cluster.rest.get(object))) await sleep(50);
  await setStatus(cluster.rest, path, { conditions: [{ type: "Ready", status: "True" }], phase: "Working" });
  await sleep(1000);
  assert.equal(state, undefined);
  await setStatus(cluster.rest, path, { phase: "Done" });
  await creating;
  assert.equal((state as State | undefined)?.id, "default/user");
});
