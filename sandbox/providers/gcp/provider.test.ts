import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ControlClient } from "../../cloud/api";
import { CloudError, type Props } from "../../lib/types";
import { connect, type EngineSide, fakeControl, urn } from "../testing";
import { UNKNOWN } from "../values";
import { gcpProvider } from "./provider";

const calls: { path: string; body: Props }[] = [];
let answer: (path: string) => unknown;
let engine: EngineSide;
let control: Awaited<ReturnType<typeof fakeControl>>;

before(async () => {
  control = await fakeControl((path, body) => {
    calls.push({ path, body });
    return answer(path);
  });
  engine = await connect(gcpProvider(control.client, { GOOGLE_IMPERSONATE_SERVICE_ACCOUNT: "env@p" }));
});
beforeEach(async () => {
  calls.length = 0;
  answer = () => assert.fail("the control plane must not be asked");
  await engine.configure({ project: "my-project", region: "europe-west1" });
});
after(() => {
  engine.close();
  control.close();
});

const ACCOUNT = urn("gcp:serviceaccount/account:Account", "Writer of backups");
const BUCKET = urn("gcp:storage/bucket:Bucket", "backup");
const CLUSTER = urn("gcp:container/cluster:Cluster", "site");

test("a left-out name is made once and stays; project and location come from the configuration", async () => {
  const first = await engine.check(ACCOUNT, {});
  assert.deepEqual(first, {
    inputs: { accountId: "writer-of-backups-0123456", project: "my-project", __defaults: ["accountId", "project"] },
    failures: [],
  });
  const second = await engine.check(ACCOUNT, { displayName: "x" }, first.inputs, Buffer.from("ffffffffff", "hex"));
  assert.equal(second.inputs.accountId, "writer-of-backups-0123456");
  const cluster = await engine.check(CLUSTER, { initialNodeCount: 1 });
  assert.equal(cluster.inputs.location, "europe-west1");
  const long = await engine.check(urn("gcp:serviceaccount/account:Account", "x".repeat(80)), {});
  assert.equal(String(long.inputs.accountId).length, 30);
});

test("without a project anywhere a resource is refused", async () => {
  await engine.configure({});
  const { failures } = await engine.check(BUCKET, { location: "EU" });
  assert.equal(failures.length, 1);
  assert.match(failures[0]!, /^project: .*required field is not set/);
});

test("shape and rules are reported by property", async () => {
  assert.match((await engine.check(BUCKET, { locatoin: "EU" })).failures.join("\n"), /did you mean "location"/);
  assert.match((await engine.check(BUCKET, { location: "EUROPE" })).failures.join("\n"), /^location: "EUROPE" is not/);
});

test("a type outside the table is refused with what to do", async () => {
  const topic = urn("gcp:pubsub/topic:Topic", "t");
  await assert.rejects(engine.check(topic, {}), /does not know gcp:pubsub\/topic:Topic; add it to resourceTypes in/);
});

test("a resource is deleted before its replacement only when both have the name the program chose", async () => {
  const replaced = (defaults: string[]) =>
    engine.diff(
      BUCKET,
      { name: "b", location: "EU", __defaults: defaults },
      { name: "b", location: "US", __defaults: defaults },
    );
  assert.equal((await replaced([])).deletebeforereplace, true);
  assert.equal((await replaced(["name"])).deletebeforereplace, false);
  const update = await engine.diff(
    BUCKET,
    { name: "b", __defaults: [] },
    { name: "b", rpo: "DEFAULT", __defaults: [] },
  );
  assert.deepEqual([update.deletebeforereplace, update.replacesList, update.diffsList], [false, [], ["rpo"]]);
});

test("a preview asks nobody, and what only the cloud knows is unknown", async () => {
  const { outputs } = await engine.create(ACCOUNT, { accountId: "writer", __defaults: [] }, true);
  assert.equal(outputs.accountId, "writer");
  assert.equal(outputs.email, UNKNOWN);
  assert.equal(outputs.__defaults, undefined);
  const old = {
    inputs: { name: "c", loggingService: "none" },
    outputs: {
      name: "c",
      loggingService: "none",
      endpoint: "127.0.0.1:1",
      masterAuth: { clientKey: "k" },
      labelFingerprint: "f",
    },
  };
  assert.deepEqual(await engine.update(CLUSTER, "id", old, { name: "c" }, true), {
    name: "c",
    endpoint: "127.0.0.1:1",
    masterAuth: { clientKey: "k" },
    labelFingerprint: UNKNOWN,
  });
});

test("resources are made, read, changed and removed in the control plane, as the caller of the configuration", async () => {
  answer = (path) => (path.endsWith("/create") ? { id: "b", outputs: { selfLink: "s" } } : { outputs: { url: "u" } });
  const made = await engine.create(BUCKET, { name: "b", __defaults: ["project"] });
  assert.deepEqual(made, { id: "b", outputs: { name: "b", selfLink: "s" } });
  assert.deepEqual(calls.at(-1), {
    path: "/resources/create",
    body: { type: "gcp:storage/bucket:Bucket", name: "backup", inputs: { name: "b" }, caller: "env@p" },
  });
  await engine.configure({ impersonateServiceAccount: "config@p" });
  const old = { inputs: { name: "b" }, outputs: {} };
  assert.deepEqual(await engine.update(BUCKET, "b", old, { name: "b", rpo: "DEFAULT" }), {
    name: "b",
    rpo: "DEFAULT",
    url: "u",
  });
  assert.equal(calls.at(-1)?.body.caller, "config@p");
  answer = () => ({ id: "b", inputs: { name: "b", location: "EU" }, outputs: { selfLink: "s" } });
  assert.deepEqual(await engine.read(BUCKET, "b", { name: "b", __defaults: ["project"] }), {
    id: "b",
    inputs: { name: "b", location: "EU", __defaults: ["project"] },
    outputs: { name: "b", location: "EU", selfLink: "s" },
  });
  await engine.delete(BUCKET, "b", { name: "b" });
  assert.deepEqual(calls.at(-1), {
    path: "/resources/delete",
    body: { type: "gcp:storage/bucket:Bucket", id: "b", caller: "config@p" },
  });
});

test("a binding is imported by the parts of its id, with blanks between them", async () => {
  const member = { project: "p", role: "roles/x.y", member: "user:a@b" };
  answer = () => ({ id: "p/roles/x.y/user:a@b", inputs: member, outputs: { etag: "e" } });
  const type = "gcp:projects/iAMMember:IAMMember";
  const read = await engine.read(urn(type, "m"), "p roles/x.y user:a@b");
  assert.deepEqual(calls.at(-1), { path: "/resources/read", body: { type, id: "p/roles/x.y/user:a@b" } });
  assert.deepEqual(read, {
    id: "p/roles/x.y/user:a@b",
    inputs: { ...member, __defaults: [] },
    outputs: { ...member, etag: "e" },
  });
});

test("what is gone reads as gone and is deleted without complaint", async () => {
  answer = (path) => {
    assert.equal(path, "/resources/read");
    throw new CloudError(404, "notFound", "no such bucket");
  };
  assert.equal((await engine.read(BUCKET, "b")).id, "");
  await engine.delete(BUCKET, "b", {});
});

test("a refusal of the cloud fails the step in the words of the real provider", async () => {
  answer = () => {
    throw new CloudError(403, "forbidden", "caller does not have storage.objects.list access");
  };
  const words = /googleapi: Error 403: caller does not have storage.objects.list access, forbidden$/;
  await assert.rejects(engine.create(BUCKET, { name: "b" }), words);
  await assert.rejects(engine.invoke("gcp:storage/getBucketObjects:getBucketObjects", { bucket: "b" }), words);
});

test("functions are answered by the control plane", async () => {
  answer = () => ({ bucketObjects: [{ name: "x" }] });
  const token = "gcp:storage/getBucketObjects:getBucketObjects";
  assert.deepEqual(await engine.invoke(token, { bucket: "b" }), { bucketObjects: [{ name: "x" }] });
  assert.deepEqual(calls, [{ path: "/invoke", body: { token, args: { bucket: "b" }, caller: "env@p" } }]);
});

test("protected resources are not deleted", async () => {
  await assert.rejects(engine.delete(CLUSTER, "c", {}), /without setting deletionProtection=false/);
  await assert.rejects(engine.delete(BUCKET, "b", { deletionPolicy: "PREVENT" }), /deletionPolicy is PREVENT/);
  await engine.delete(BUCKET, "b", { deletionPolicy: "ABANDON" });
  assert.deepEqual(calls, []);
});

test("without a sandbox the error names the socket", async () => {
  const lost = await connect(gcpProvider(new ControlClient("/nowhere/s"), {}));
  try {
    await assert.rejects(lost.create(BUCKET, { name: "b" }), /no sandbox listens on \/nowhere\/s/);
  } finally {
    lost.close();
  }
});
