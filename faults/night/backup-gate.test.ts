/** Every row of the backups, and what becomes of manifests, on one stage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestPath, medusaFolder } from "../../plan/layout";
import { testRows } from "../testing";
import { BUCKET, backupGroup, fresh, manifests, night, REPOSITORY } from "./backup-gate";

const stage = testRows(backupGroup);

test("a backup that Medusa has purged keeps no manifest, so that nobody is sent to it", async () => {
  const { storage } = stage();
  await fresh(stage());
  const purged = await night(stage());
  for (const name of await storage.names(BUCKET))
    if (name.startsWith(`${medusaFolder}/index/backup_index/${purged.backup}/`)) await storage.remove(BUCKET, name);
  const next = await night(stage());
  assert.equal(next.code, 0, JSON.stringify(next.lines.at(-1)));
  assert.deepEqual(await manifests(stage()), [manifestPath(REPOSITORY, next.backup)]);
});
