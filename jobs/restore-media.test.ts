/** restore-media on the storage that keeps versions, in declared buckets and as the declared identities. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { aMoment, type MediaStage, restoreOf, startMediaStage, summaryOf } from "../faults/media-stage";
import type { MediaRestore } from "../plan/media";
import { FINAL_EXIT_CODE, jobConfig } from "./config";
import { isSame, type ObjectVersion, wasLive } from "./lib/versions";

let stage: MediaStage;

before(async () => {
  stage = await startMediaStage();
});
after(() => stage.stop());
beforeEach(() => stage.clear());

const put = (name: string, content: string) => stage.put(stage.services, stage.bucket, name, content);
const remove = (name: string, generation?: string) => stage.remove(stage.services, stage.bucket, name, generation);
const media = () => stage.contents(stage.bucket);
const counts = ({ objects, restored, fromPrimary, there, kept }: Record<string, unknown>) => ({
  ...{ objects, restored, fromPrimary, there, kept },
});

async function restore(change: MediaRestore, more: Parameters<MediaStage["restore"]>[1] = {}, code = 0) {
  await stage.open([change]);
  return summaryOf(await (await stage.restore(change, more)).done, code);
}

/** Everything there ever was of an object in the primary, as an attacker with the services' identity purges it. */
async function purge(): Promise<void> {
  for (const { name, generation } of await stage.list(stage.services, stage.bucket, "versions"))
    await remove(name, generation);
}

test("the primary's own versions bring back the moment; what was whole is not touched", async () => {
  await put("a", "one");
  await put("b", "same");
  await put("c", "one");
  const moment = await aMoment(stage);
  await put("a", "two");
  await remove("c");
  await put("later", "kept");
  assert.deepEqual(counts(await restore(restoreOf(moment))), {
    ...{ objects: 3, restored: 1, fromPrimary: 1, there: 1, kept: 1 },
  });
  assert.deepEqual(await media(), { a: "two", b: "same", c: "one", later: "kept" });
  assert.deepEqual(counts(await restore(restoreOf(moment))), {
    ...{ objects: 3, restored: 0, fromPrimary: 0, there: 2, kept: 1 },
  });
  const over = await restore(restoreOf(moment, { overwrite: true }));
  assert.deepEqual(counts(over), { objects: 3, restored: 1, fromPrimary: 1, there: 2, kept: 0 });
  assert.deepEqual(await media(), { a: "one", b: "same", c: "one", later: "kept" });
  const kept = (await stage.list(stage.services, stage.bucket, "versions")).filter(({ name }) => name === "a");
  assert.equal(kept.length, 3, "what was overwritten is noncurrent");
});

test("what the primary has nothing of any more comes from the secondary's versions", async () => {
  for (const name of ["x/a", "x/b", "y/c"]) await put(name, `${name} one`);
  summaryOf(await stage.replicate());
  const moment = await aMoment(stage);
  await put("x/a", "two");
  await remove("x/b");
  summaryOf(await stage.replicate());
  await purge();
  assert.deepEqual(await media(), {});
  const found = await restore(restoreOf(moment, { prefix: "x/" }));
  assert.deepEqual(counts(found), { objects: 2, restored: 2, fromPrimary: 0, there: 0, kept: 0 });
  assert.deepEqual(await media(), { "x/a": "x/a one", "x/b": "x/b one" });
  await restore(restoreOf(moment, { object: "y/c" }));
  assert.equal((await media())["y/c"], "y/c one");
});

test("one object is not those whose names begin like it", async () => {
  for (const name of ["a", "a.b", "ab", "a\u0001"]) await put(name, name);
  const moment = await aMoment(stage);
  for (const name of ["a", "a.b", "ab", "a\u0001"]) await remove(name);
  assert.equal((await restore(restoreOf(moment, { object: "a" }))).restored, 1);
  assert.deepEqual(await media(), { a: "a" });
});

test("a dry run counts and changes nothing", async () => {
  await put("a", "one");
  const moment = await aMoment(stage);
  await remove("a");
  const found = await restore(restoreOf(moment, { dryRun: true }));
  assert.deepEqual([found.restored, found.restoredBytes, found.dryRun], [1, 3, true]);
  assert.deepEqual(await media(), {});
});

test("nothing to restore is an error that says so, not a success", async () => {
  const found = await restore(restoreOf(stage.now(), { prefix: "none/" }), {}, FINAL_EXIT_CODE);
  assert.match(String(found.error), /^nothing in gs:\/\/iconik-drill-files or its secondary was there at /);
  assert.equal(found.value, "none/");
});

test("killed in the middle and run again, it goes on from there", async () => {
  // Far more than are copied between a look at the bucket and the kill.
  const names = Array.from({ length: 160 }, (_, index) => `assets/${String(index).padStart(3, "0")}`);
  await Promise.all(names.map((name) => put(name, name)));
  summaryOf(await stage.replicate());
  const moment = await aMoment(stage);
  await purge();
  const wanted = restoreOf(moment);
  await stage.open([wanted]);
  for (const some of [3, 20]) {
    const job = await stage.restore(wanted, { transfers: 1 });
    while ((await stage.list(stage.services, stage.bucket)).length < some)
      await new Promise((resolve) => setTimeout(resolve, 5));
    job.child.kill("SIGKILL");
    await job.done;
  }
  const there = (await stage.list(stage.services, stage.bucket)).length;
  assert.ok(there >= 20 && there < names.length, String(there));
  const found = await restore(wanted);
  // The one copy that was under way when it died may have ended since.
  const late = Number(found.there) - there;
  assert.ok(late === 0 || late === 1, `${late} more`);
  assert.equal(found.restored, names.length - there - late);
  assert.deepEqual(await media(), Object.fromEntries(names.map((name) => [name, name])));
});

test("without a grant, or with the other one, it waits and then says what is missing and where to give it", async () => {
  await put("a", "one");
  const moment = await aMoment(stage);
  await stage.open([]);
  const refused = summaryOf(await (await stage.restore(restoreOf(moment))).done, 1);
  assert.match(String(refused.error), /^access was not given within 0 s/);
  assert.deepEqual((refused.value as string[])[2], "storage.objects.create on gs://iconik-drill-files");
  assert.match(
    String(refused.fix),
    /media\.restores of the foundation the entry that the vault has for iconik-drill-f/,
  );
  await stage.open([restoreOf(moment)]);
  const over = summaryOf(await (await stage.restore(restoreOf(moment, { overwrite: true }))).done, 1);
  assert.equal((over.value as string[]).length, 6, "the identity that may delete has nothing");
  await stage.open([restoreOf(moment, { expires: new Date(stage.now().getTime() - 1000).toISOString() })]);
  assert.equal((await (await stage.restore(restoreOf(moment))).done).code, 1, "the grant has ended");
});

test("who restores reaches that bucket alone, and deletes only where it may overwrite", async () => {
  await put("a", "one");
  await stage.open([restoreOf(stage.now())]);
  const restorer = stage.ofVault("media-restorer");
  const other = "iconik-drill-proxies";
  await stage.put(restorer, stage.bucket, "new", "new");
  const refused = (work: Promise<unknown>) => assert.rejects(work, /403/);
  await refused(stage.put(restorer, stage.bucket, "a", "two"));
  await refused(stage.remove(restorer, stage.bucket, "a"));
  await refused(stage.list(restorer, other));
  await refused(stage.put(restorer, other, "x", "x"));
  await refused(stage.put(restorer, stage.secondary, "x", "x"));
});

test("prefix and object together, and a bucket that is not the plan's, are refused", () => {
  const at = "2026-01-01T00:00:00Z";
  const config = (change: object) => () =>
    jobConfig("restore-media", { bucket: "iconik-files", secondary: "iconik-files-secondary", at, ...change });
  assert.throws(config({ prefix: "a", object: "b" }), /prefix or object, not both/);
  assert.throws(config({ bucket: "acme-media" }), /"acme-media" is no media bucket of the product/);
  assert.throws(config({ at: "yesterday" }), /at/);
  assert.doesNotThrow(config({ prefix: "a" }));
});

test("a version is live from its creation on until the moment it is deleted", () => {
  const version = (change: Partial<ObjectVersion>): ObjectVersion => ({
    ...{ name: "a", generation: "1", size: "1", crc32c: "x", timeCreated: "2026-01-01T00:00:00Z", ...change },
  });
  const at = (moment: string, timeDeleted?: string) =>
    wasLive(version(timeDeleted ? { timeDeleted } : {}), new Date(moment));
  assert.deepEqual([at("2025-12-31T23:59:59Z"), at("2026-01-01T00:00:00Z")], [false, true]);
  assert.deepEqual(
    [at("2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z"), at("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z")],
    [true, false],
  );
  assert.ok(isSame(version({}), version({ md5Hash: "m" })), "a composed object has no md5");
  assert.ok(!isSame(version({ md5Hash: "m" }), version({ md5Hash: "n" })));
  assert.ok(!isSame(version({}), version({ crc32c: "y" })));
});
