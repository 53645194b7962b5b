/** Functions of the provider: what they return, and to whom. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../lib/types";
import { refused, testCloud } from "./testing";

const OBJECTS = "gcp:storage/getBucketObjects:getBucketObjects";
const CONTENT = "gcp:storage/getBucketObjectContent:getBucketObjectContent";
const PROJECT = "gcp:organizations/getProject:getProject";
const POLICY = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy";

let cloud: ReturnType<typeof testCloud>;
beforeEach(async () => {
  cloud = testCloud({ deployers: [{ email: "owner@x", projects: /^p/ }] });
  const bucket = { project: "p", name: "bkt", location: "EU", storageClass: "NEARLINE" };
  await cloud.control.create(
    "gcp:storage/bucket:Bucket",
    "b",
    { ...bucket, uniformBucketLevelAccess: true },
    "owner@x",
  );
  cloud.objects.put("bkt", "m/one", "first");
  cloud.objects.put("bkt", "data", "second");
});
afterEach(() => cloud.end());

const call = (token: string, args: Props, caller: string) =>
  cloud.control.invoke(token, args, caller, async () => "token");
const grant = (role: string, member: string, expression?: string) =>
  cloud.control.create(
    POLICY,
    "policy",
    {
      bucket: "bkt",
      policyData: JSON.stringify({
        bindings: [{ role, members: [member], ...(expression ? { condition: { title: "t", expression } } : {}) }],
      }),
    },
    "owner@x",
  );

test("a new bucket's owner lists it but reads nothing; its own policy takes the listing away", async () => {
  const { bucketObjects } = await call(OBJECTS, { bucket: "bkt" }, "owner@x");
  assert.deepEqual((bucketObjects as Props[]).map(({ name }) => name).sort(), ["data", "m/one"]);
  await refused(
    call(CONTENT, { bucket: "bkt", name: "data" }, "owner@x"),
    403,
    /owner@x does not have storage.objects.get/,
  );
  await refused(call(OBJECTS, { bucket: "bkt" }, "stranger@x"), 403, /stranger@x does not have storage.objects.list/);
  await grant("roles/storage.objectViewer", "user:reader@x");
  await refused(call(OBJECTS, { bucket: "bkt" }, "owner@x"), 403, /storage.objects.list/);
  const id = "b/bkt";
  await cloud.control.delete(POLICY, id, "owner@x");
  await refused(call(OBJECTS, { bucket: "bkt" }, "owner@x"), 403, /storage.objects.list/);
});

test("who is granted reads; the result has the provider's fields", async () => {
  await grant("roles/storage.objectViewer", "user:reader@x");
  const result = await call(CONTENT, { bucket: "bkt", name: "m/one" }, "reader@x");
  assert.equal(result.content, "first");
  assert.equal(result.contentBase64, Buffer.from("first").toString("base64"));
  assert.equal(result.storageClass, "NEARLINE");
  const { bucketObjects } = await call(OBJECTS, { bucket: "bkt", prefix: "m/" }, "reader@x");
  assert.deepEqual(bucketObjects, [
    {
      name: "m/one",
      storageClass: "NEARLINE",
      selfLink: "https://www.googleapis.com/storage/v1/b/bkt/o/m%2Fone",
      mediaLink: "https://storage.googleapis.com/download/storage/v1/b/bkt/o/m%2Fone?alt=media",
    },
  ]);
  await refused(call(CONTENT, { bucket: "bkt", name: "none" }, "reader@x"), 404, /bkt\/none/);
});

test("a condition on the object's name counts for functions too", async () => {
  const expression = 'resource.name.startsWith("projects/_/buckets/bkt/objects/m/")';
  await grant("roles/storage.objectViewer", "serviceAccount:robot@developer.gserviceaccount.com", expression);
  const robot = "robot@developer.gserviceaccount.com";
  assert.equal((await call(CONTENT, { bucket: "bkt", name: "m/one" }, robot)).content, "first");
  await refused(call(CONTENT, { bucket: "bkt", name: "data" }, robot), 403, /storage.objects.get/);
});

test("buckets that are missing or cannot be read", async () => {
  await grant("roles/storage.objectViewer", "user:reader@x");
  await refused(call(OBJECTS, { bucket: "none" }, "reader@x"), 404, /does not exist: none/);
  await cloud.control.fault({ kind: "bucket", target: "bkt", state: "unreadable" });
  assert.ok(cloud.restart().bucket("bkt")?.unreadable, "the fault outlives the daemon");
  await refused(call(OBJECTS, { bucket: "bkt" }, "reader@x"), 503, /bkt cannot be read/);
  await refused(call(CONTENT, { bucket: "bkt", name: "data" }, "reader@x"), 503, /bkt cannot be read/);
  await cloud.control.fault({ kind: "bucket", target: "bkt", state: "readable" });
  await call(OBJECTS, { bucket: "bkt" }, "reader@x");
});

test("projects that something is known of, and functions that are not known", async () => {
  const { number } = await call(PROJECT, { projectId: "p" }, "x@x");
  assert.match(String(number), /^\d{12}$/);
  assert.equal((await call(PROJECT, { projectId: "p2" }, "x@x")).projectId, "p2");
  await refused(call(PROJECT, { projectId: "other" }, "x@x"), 404, /Project other/);
  await refused(call("gcp:sql/getTiers:getTiers", {}, "x@x"), 400, /does not know .*getTiers; it knows gcp:storage/);
  await refused(call(OBJECTS, { bucket: "bkt", matchGlob: "*" }, "x@x"), 400, /matchGlob; use prefix/);
});
