/** Every row of the backups, on one stage. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runFault } from "../run";
import { type BackupStage, backupGroup } from "./backup-gate";

let stage: BackupStage;
before(async () => {
  stage = await backupGroup.open();
});
after(() => backupGroup.close(stage));

for (const fault of backupGroup.faults) {
  test(`${fault.id}: ${fault.fault}`, async () => {
    const row = await runFault(fault, stage);
    assert.ok(row.pass, row.failure);
  });
}
