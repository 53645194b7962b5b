/** Deep verification with everything that is real about it; the rows of its faults, and what a whole copy's evidence says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evidenceSchema } from "../../jobs/lib/evidence";
import { evidencePrefix } from "../../plan/layout";
import { COPIES, ROWS } from "../medusa-stage";
import { testRows } from "../testing";
import { verify } from "../throwaway";
import { rowsRead, verificationGroup } from "./verification";

const stage = testRows(verificationGroup);

test("another run of a copy finds the same digests, and leaves evidence of its own of every row", async () => {
  const before = (await stage().storage.names(COPIES)).filter((name) => name.endsWith("-ok.json")).at(-1);
  const { code, last, path, evidence } = await verify(stage());
  assert.equal(code, 0, JSON.stringify(last));
  assert.ok(path?.startsWith(evidencePrefix("prod")) && path.endsWith("-ok.json"), path);
  assert.equal(evidence?.server, "5.0.4");
  assert.deepEqual([rowsRead(evidence!, "media.assets"), rowsRead(evidence!, "media.empty")], [2 * ROWS, 0]);
  assert.ok(rowsRead(evidence!, "system_auth.roles") !== undefined);
  assert.ok(evidence!.objects > 10 && evidence!.bytes > 1000);
  assert.ok(before !== undefined && before !== path);
  const { nodes } = evidenceSchema.parse(JSON.parse((await stage().storage.get(COPIES, before))!));
  assert.deepEqual(evidence?.nodes, nodes);
});
