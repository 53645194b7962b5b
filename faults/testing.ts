/** Rows of a fault matrix as tests of the suite. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Group, runFault } from "./run";

/** Declares a test for each row of the group that is the suite's, on one stage. @returns the stage, for tests beside them */
export function testRows<Stage>(group: Group<Stage>): () => Stage {
  let stage: Stage;
  before(async () => {
    stage = await group.open();
  });
  after(() => group.close(stage));
  for (const fault of group.faults.filter(({ small }) => small)) {
    test(`${fault.id}: ${fault.fault}`, async () => {
      const row = await runFault(fault, stage);
      assert.ok(row.pass, row.failure);
    });
  }
  return () => stage;
}
