/** Media that the standby wrote, with the real rclone: from an S3 into a Cloud Storage where nothing can be replaced. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { s3Url } from "../plan/standby";
import { jobConfig } from "./config";
import { startJob } from "./testing/job";
import { startS3, type TestS3 } from "./testing/s3";
import { startStorage, type TestStorage } from "./testing/storage";

const PRIMARY = "iconik-files";
let live = "";
let tests = 0;
let storage: TestStorage;
let s3: TestS3;

before(async () => {
  [storage, s3] = await Promise.all([startStorage(), startS3()]);
});
after(() => Promise.all([storage.stop(), s3.stop()]));
beforeEach(async () => {
  storage.appendOnly.delete(PRIMARY);
  await storage.emptyBucket(PRIMARY);
  await storage.put(PRIMARY, "a/old", "of before");
  storage.appendOnly.add(PRIMARY);
  live = `files-${++tests}`;
  await s3.createBucket(live);
  for (const name of ["a/1", "b/2 with space", "z/3"]) await s3.put(live, name, `content of ${name}`);
});

const bringBack = async () => {
  const config = jobConfig("return-media", { bucket: s3Url(live), primary: PRIMARY, batch: 2 });
  const { code, lines } = await (await startJob("return-media", config, { ...storage.env, ...s3.env })).done;
  return { code, last: lines.at(-1)! };
};

test("what was written arrives beside what was there, again without a change, and what came since comes next", async () => {
  const first = await bringBack();
  assert.deepEqual([first.code, first.last.copied], [0, 3], JSON.stringify(first.last));
  assert.deepEqual(await storage.names(PRIMARY), ["a/1", "a/old", "b/2 with space", "z/3"]);
  assert.equal(await storage.get(PRIMARY, "b/2 with space"), "content of b/2 with space");
  await s3.put(live, "c/4", "later");
  const second = await bringBack();
  assert.deepEqual([second.code, second.last.objects, second.last.copied], [0, 4, 1]);
  assert.equal(storage.refusals, 0);
});

test("another content under the same name stays, everything else is copied, and the job says which", async () => {
  await s3.put(live, "a/old", "of the standby");
  const { code, last } = await bringBack();
  assert.equal(code, 3);
  assert.match(String(last.error), /gs:\/\/iconik-files holds 1 objects with other content than s3:\/\/files-/);
  assert.match(JSON.stringify(last.value), /a\/old/);
  assert.equal(await storage.get(PRIMARY, "a/old"), "of before");
  assert.equal(await storage.get(PRIMARY, "z/3"), "content of z/3");
});
