/** The calls of lib/rclone that no job's own test shows, against a storage with the real rclone. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listUnder, removeObject } from "./lib/rclone";
import { startStorage, type TestStorage } from "./testing/storage";

let storage: TestStorage;
before(async () => {
  storage = await startStorage();
  Object.assign(process.env, storage.env);
  await storage.emptyBucket("backups");
});
after(() => storage.stop());

test("one object is removed and no other; once it is gone, removing it is no error", async () => {
  for (const name of ["manifests/a/one.json", "manifests/a/two.json", "one.json"])
    await storage.put("backups", name, "{}");
  await removeObject("backups", "manifests/a/one.json");
  await removeObject("backups", "manifests/a/one.json");
  assert.deepEqual(await storage.names("backups"), ["manifests/a/two.json", "one.json"]);
  await removeObject("backups", "one.json");
  assert.deepEqual([...(await listUnder("backups")).keys()], ["manifests/a/two.json"]);
  await removeObject("backups", "absent/folder/one.json");
});
