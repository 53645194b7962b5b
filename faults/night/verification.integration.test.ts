/** Deep verification with everything that is real about it; the rows of its faults, and what a whole copy's evidence says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evidencePrefix } from "../../plan/layout";
import { ROWS } from "../medusa-stage";
import { testRows } from "../testing";
import { verify } from "../throwaway";
import { rowsRead, verificationGroup } from "./verification";

const stage = testRows(verificationGroup);

test("each run of the same copy finds the same digest, and leaves evidence of its own of every row", async () => {
  const [first, second] = [await verify(stage()), await verify(stage())];
  for (const { code, last, path, evidence } of [first, second]) {
    assert.equal(code, 0, JSON.stringify(last));
    assert.ok(path?.startsWith(evidencePrefix("prod")) && path.endsWith("-ok.json"), path);
    assert.equal(evidence?.server, "5.0.4");
    assert.deepEqual([rowsRead(evidence!, "media.assets"), rowsRead(evidence!, "media.empty")], [2 * ROWS, 0]);
    assert.ok(rowsRead(evidence!, "system_auth.roles") !== undefined);
    assert.ok(evidence!.objects > 10 && evidence!.bytes > 1000);
  }
  assert.notEqual(first.path, second.path);
  assert.deepEqual(first.evidence?.nodes, second.evidence?.nodes);
});
