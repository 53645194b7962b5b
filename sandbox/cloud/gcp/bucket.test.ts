/** Buckets and their policies: what Cloud Storage refuses, and what deletion leaves. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";

const BUCKET = "gcp:storage/bucket:Bucket";
const POLICY = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy";
const base = { project: "p", name: "bkt", location: "europe-west1", uniformBucketLevelAccess: true };

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.end());

const bucket = (change: Props = {}) => cloud.control.create(BUCKET, "b", { ...base, ...change }, "me@x");
const update = (change: Props) => cloud.control.update(BUCKET, "bkt", { ...base, ...change }, "me@x");
const remove = () => cloud.control.delete(BUCKET, "bkt", "me@x");
const retention = (retentionPeriod: number, isLocked: boolean) => ({
  retentionPolicy: { retentionPeriod: String(retentionPeriod), isLocked },
});
const policy = (policyData: unknown) =>
  cloud.control.create(
    POLICY,
    "policy",
    { bucket: "bkt", policyData: typeof policyData === "string" ? policyData : JSON.stringify(policyData) },
    "me@x",
  );
const binding = (change: object) =>
  policy({ bindings: [{ role: "roles/storage.objectViewer", members: ["user:a@x"], ...change }] });

test("a name is unique over all projects, until its bucket is gone", async () => {
  await bucket();
  await refused(bucket({ project: "q" }), 409, /bkt already exists/);
  await remove();
  await bucket({ project: "q" });
  assert.equal(cloud.restart().bucket("bkt")?.project, "q");
});

test("a locked retention can only grow; one that is not locked can go", async () => {
  await bucket(retention(100, false));
  await update(retention(50, false));
  await update({});
  assert.equal(cloud.control.bucket("bkt")?.retentionSeconds, 0);
  await update(retention(100, true));
  await refused(update(retention(99, true)), 403, /Cannot reduce retention duration of a locked/);
  await refused(update(retention(100, false)), 403, /locked Retention Policy/);
  await refused(update({}), 403, /or remove it/);
  await update(retention(101, true));
  assert.equal(cloud.control.bucket("bkt")?.retentionSeconds, 101);
});

test("deletion: refused with objects, by force only without retained ones", async () => {
  await bucket();
  cloud.objects.put("bkt", "o", "content");
  await refused(remove(), 409, /bkt you tried to delete is not empty: it holds 1 objects\. Remove them/);
  await update({ forceDestroy: true, ...retention(3600, false) });
  await refused(remove(), 403, /'bkt\/o' is subject to bucket's retention policy and cannot be deleted until 20/);
  assert.equal((await cloud.objects.list("bkt", "")).length, 1, "nothing was removed");
  cloud.objects.put("bkt", "o", "content", new Date(Date.now() - 3601_000));
  await remove();
  assert.ok(!cloud.objects.buckets.has("bkt"));
});

test("a policy names roles, members and conditions that can be", async () => {
  await refused(binding({}), 404, /bucket bkt was not found/);
  await bucket();
  await refused(policy("bindings"), 400, /no JSON: "bindings"/);
  await refused(policy({ bindings: [{ members: [] }] }), 400, /no IAM policy: .*role/s);
  await refused(binding({ role: "roles/storage.typo" }), 400, /storage\.typo is not supported/);
  await refused(binding({ role: "projects/q/roles/r" }), 400, /of another project; p cannot grant it/);
  await refused(binding({ members: ["serviceAccount:x-1@p.iam.gserviceaccount.com"] }), 400, /x-1@.* does not exist/);
  await refused(binding({ condition: { expression: "true" } }), 400, /needs a title/);
  const condition = { title: "t", expression: "true" };
  await refused(binding({ role: "roles/storage.legacyBucketReader", condition }), 400, /cannot have a condition/);
  await update({ uniformBucketLevelAccess: false });
  await refused(binding({ condition }), 400, /need uniform bucket-level access/);
  await update({ publicAccessPrevention: "enforced" });
  await refused(binding({ members: ["allUsers"] }), 412, /allUsers and public access prevention/);
});

test("each write of a policy has an etag of its own; a policy that is removed leaves nobody", async () => {
  await bucket();
  const grant = { role: "roles/editor", member: "user:ed@x", project: "p" };
  await cloud.control.create("gcp:projects/iAMMember:IAMMember", "ed", grant, "me@x");
  const may = (member: string) => cloud.control.allows(member, "storage.objects.list", "bkt");
  assert.ok(may("user:ed@x"));
  const { id, outputs } = await binding({});
  assert.ok(may("user:a@x") && !may("user:ed@x"));
  const data = JSON.stringify({ bindings: [] });
  const changed = await cloud.control.update(POLICY, id, { bucket: "bkt", policyData: data }, "me@x");
  assert.notEqual(changed.etag, outputs.etag);
  await cloud.control.delete(POLICY, id, "me@x");
  assert.ok(!may("user:a@x") && !may("user:ed@x"));
  await remove();
  await bucket();
  assert.ok(may("user:ed@x"), "a new bucket is born with bindings");
});
