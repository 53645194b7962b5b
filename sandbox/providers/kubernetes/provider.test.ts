/** The provider against a real API server with its controllers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { InitializationError } from "../provider";
import { UNKNOWN } from "../values";
import { configMap, program, type Resource, setStatus, startCluster, type TestCluster } from "./testing";

const CRON_JOB = "kubernetes:batch/v1:CronJob";
const JOB = "kubernetes:batch/v1:Job";
const NAMESPACE = "kubernetes:core/v1:Namespace";

const pod = (image = "image:1") => ({ spec: { restartPolicy: "Never", containers: [{ name: "main", image }] } });
const cronJob = (schedule: string) => ({
  metadata: { name: "nightly", namespace: "default" },
  spec: { schedule, jobTemplate: { spec: { template: pod() } } },
});

let cluster: TestCluster;
let declare: (type: string, name: string) => Resource;

before(async () => {
  cluster = await startCluster();
  declare = await program({ kubeconfig: cluster.kubeconfig });
});
after(() => cluster.stop());

test("an object is created, seen unchanged by the next run, changed, read and deleted", async () => {
  const resource = declare(CRON_JOB, "nightly");
  assert.equal((await resource.preview(cronJob("0 1 * * *"))).status, undefined);
  const created = await resource.create(cronJob("0 1 * * *"));
  assert.equal(created.id, "default/nightly");
  assert.ok((created.outputs.metadata as { uid?: string }).uid);
  assert.equal((await resource.diff(created, cronJob("0 1 * * *"))).changes, false);

  const diff = await resource.diff(created, cronJob("0 2 * * *"));
  assert.deepEqual([diff.changes, diff.replaces, diff.detailed], [true, [], { "spec.schedule": "update" }]);
  const previewed = await resource.update(created, cronJob("0 2 * * *"), true);
  assert.equal((previewed.outputs.spec as { schedule: string }).schedule, "0 2 * * *");
  assert.deepEqual((await resource.read(created))?.inputs, created.inputs);
  const updated = await resource.update(created, cronJob("0 2 * * *"));

  const read = await resource.read(updated);
  assert.deepEqual(read?.inputs, updated.inputs);
  await resource.delete(updated);
  assert.equal(await resource.read(updated), undefined);
  await resource.delete(updated);
});

test("a field that does not exist is refused by name in the preview, and changes nothing", async () => {
  const wrong = cronJob("0 1 * * *");
  Object.assign(wrong.spec, { concurencyPolicy: "Forbid" });
  await assert.rejects(declare(CRON_JOB, "wrong").preview(wrong), /spec\.concurencyPolicy/);
  const value = cronJob("at noon");
  await assert.rejects(declare(CRON_JOB, "wrong").preview(value), /spec\.schedule.*at noon/s);
  assert.equal(await cluster.rest.get({ ...configMap("nightly"), apiVersion: "batch/v1", kind: "CronJob" }), undefined);
});

test("drift is found by reading and undone by the next update", async () => {
  const resource = declare(CRON_JOB, "nightly");
  const state = await resource.create(cronJob("0 1 * * *"));
  const object = { ...configMap("nightly"), apiVersion: "batch/v1", kind: "CronJob" };
  const options = { fieldManager: "somebody", dryRun: false, serverSideApply: false };
  await cluster.rest.mergePatch(object, { spec: { schedule: "0 9 * * *", suspend: true } }, options);
  const read = await resource.read(state);
  assert.ok(read);
  assert.deepEqual((await resource.diff(read, cronJob("0 1 * * *"))).detailed, { "spec.schedule": "update" });
  await assert.rejects(resource.update(read, cronJob("0 1 * * *")), /conflict.*somebody.*patchForce/s);
  const forced = cronJob("0 1 * * *");
  Object.assign(forced.metadata, { annotations: { "pulumi.com/patchForce": "true" } });
  const healed = await resource.update(read, forced);
  assert.equal((healed.outputs.spec as { schedule: string }).schedule, "0 1 * * *");
  await resource.delete(healed);
});

test("a preview accepts what depends on a namespace or kind of the same update, the update waits for them", async () => {
  const early = { metadata: { name: "early", namespace: "later" }, data: { a: "1" } };
  const resource = declare("kubernetes:core/v1:ConfigMap", "early");
  await resource.preview(early);
  await declare("kubernetes:example.com/v1:Thing", "thing").preview({ spec: { size: 1 } });
  const creating = resource.create(early);
  const namespace = declare(NAMESPACE, "later");
  const state = await namespace.create({ metadata: { name: "later" } });
  assert.equal(state.id, "later");
  assert.equal((await creating).id, "later/early");
  await namespace.delete(state);
  assert.equal(await resource.read(await creating), undefined);
});

test("names are made up, kept, and marked; secrets are encoded and marked", async () => {
  const resource = declare("kubernetes:core/v1:Secret", "token");
  const state = await resource.create({ stringData: { token: "value" } });
  assert.match(state.id, /^default\/token-[0-9a-f]{8}$/);
  assert.deepEqual(state.inputs.data, { token: "dmFsdWU=" });
  assert.equal((state.outputs.data as { value: unknown }).value !== undefined, true);
  assert.equal((await resource.diff(state, { stringData: { token: "value" } })).changes, false);
  const changed = await resource.diff(state, { stringData: { token: "other" } });
  assert.deepEqual([changed.replaces, changed.deleteBeforeReplace], [["data.token"], false]);
});

test("a Job is waited for; its failure is reported and recorded; a new template replaces it", async () => {
  const job = (image: string) => ({
    metadata: { name: "copy", namespace: "default" },
    spec: { backoffLimit: 0, template: pod(image) },
  });
  const resource = declare(JOB, "copy");
  const path = "/apis/batch/v1/namespaces/default/jobs/copy";
  const timedOut = await resource.create(job("image:1"), 5).catch((error: unknown) => error);
  assert.ok(timedOut instanceof InitializationError, String(timedOut));
  assert.equal(timedOut.id, "default/copy");
  assert.match(timedOut.message, /default\/copy failed.*timed out after 5 seconds.*not scheduled/s);

  const inputs = await resource.checked(job("image:1"));
  const state = { id: timedOut.id, inputs, outputs: timedOut.outputs };
  const again = assert.rejects(
    resource.update(state, job("image:1"), false, 20),
    /the Job failed: BackoffLimitExceeded: no attempts left/,
  );
  const now = new Date().toISOString();
  const end = { type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "no attempts left" };
  const target = { type: "FailureTarget", status: "True", lastTransitionTime: now };
  await setStatus(cluster.rest, path, {
    active: 0,
    failed: 1,
    ready: 0,
    terminating: 0,
    conditions: [target, { ...end, lastTransitionTime: now }],
  });
  await again;

  const diff = await resource.diff(state, job("image:2"));
  assert.deepEqual(diff.replaces, ["spec.template.spec.containers[0].image"]);
  assert.equal(diff.deleteBeforeReplace, true);
  await resource.preview(job("image:2"));
  await resource.delete(state, 120);
  assert.equal(await resource.read(state), undefined);
});

test("an unknown kubeconfig previews everything; an unreachable cluster fails, or counts as gone when told so", async () => {
  const resource = (await program({ kubeconfig: UNKNOWN }))(CRON_JOB, "nightly");
  await resource.preview(cronJob("0 1 * * *"));
  await assert.rejects(resource.create(cronJob("0 1 * * *")), /unreachable: the kubeconfig is not known yet/);

  const kubeconfig = cluster.kubeconfig.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
  const state = { id: "default/nightly", inputs: await resource.checked(cronJob("0 1 * * *")), outputs: {} };
  const lost = (await program({ kubeconfig }))(CRON_JOB, "nightly");
  await assert.rejects(lost.read(state), /unreachable cluster.*PULUMI_K8S_DELETE_UNREACHABLE/s);
  await assert.rejects(lost.delete(state), /unreachable cluster/);
  const gone = (await program({ kubeconfig, deleteUnreachable: "true" }))(CRON_JOB, "nightly");
  assert.equal(await gone.read(state), undefined);
  await gone.delete(state);
});
