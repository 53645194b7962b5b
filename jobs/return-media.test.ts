/** Media that the standby wrote, with the real rclone: from an S3 into a Cloud Storage where nothing can be replaced. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { restoreStartedPath } from "../plan/layout";
import { s3Url } from "../plan/standby";
import { jobConfig } from "./config";
import type { RestoreStarted } from "./lib/manifest";
import { startJob } from "./testing/job";
import { startS3, type TestS3 } from "./testing/s3";
import { startStorage, type TestStorage } from "./testing/storage";

const PRIMARY = "iconik-files";
let live = "";
let backups = "";
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
  backups = `backups-${tests}`;
  await Promise.all([live, backups].map((bucket) => s3.createBucket(bucket)));
  await activate();
  for (const name of ["a/1", "b/2 with space", "z/3"]) await s3.put(live, name, `content of ${name}`);
});

/** A restore of the standby begins. */
const activate = (startedAt = new Date()) =>
  s3.put(
    backups,
    restoreStartedPath,
    JSON.stringify({
      version: 1,
      marker: "copy-20260115t020000z",
      source: "prod",
      startedAt: startedAt.toISOString(),
    } satisfies RestoreStarted),
  );

const bringBack = async () => {
  const config = jobConfig("return-media", {
    bucket: s3Url(live),
    backups: s3Url(backups),
    primary: PRIMARY,
    batch: 2,
  });
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

test("what an earlier activation wrote stays away: users may have removed it since", async () => {
  // Times of S3 are whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await activate();
  await s3.put(live, "c/4", "of this activation");
  const { code, last } = await bringBack();
  assert.deepEqual([code, last.objects, last.copied], [0, 1, 1], JSON.stringify(last));
  assert.deepEqual(await storage.names(PRIMARY), ["a/old", "c/4"]);
});

test("without a restore nothing says what this activation wrote, and nothing is copied", async () => {
  backups = live;
  const { code, last } = await bringBack();
  assert.equal(code, 3);
  assert.match(String(last.error), /no restore has begun in s3:\/\/files-/);
  assert.deepEqual(await storage.names(PRIMARY), ["a/old"]);
});
