/** Every row of the media, on one stage. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { MediaStage } from "../media-stage";
import { runFault } from "../run";
import { mediaGroup } from "./media";

let stage: MediaStage;
before(async () => {
  stage = await mediaGroup.open();
});
after(() => mediaGroup.close(stage));

for (const fault of mediaGroup.faults) {
  test(`${fault.id}: ${fault.fault}`, async () => {
    const row = await runFault(fault, stage);
    assert.ok(row.pass, row.failure);
  });
}
