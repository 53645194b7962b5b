/** The restore of datacenters that meet: whole, killed, beside what an earlier attempt left. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  attempts,
  backupOf,
  closeRestoreStage,
  killedAt,
  openRestoreStage,
  prepare,
  putReady,
  type RestoreStage,
  readyObject,
  restore,
  restoreKilledTwice,
} from "../faults/night/restore-killed";

let stage: RestoreStage;
before(async () => {
  stage = await openRestoreStage();
});
after(() => closeRestoreStage(stage));

test("both are restored together, and a second run only checks", async () => {
  const { ends } = await killedAt(stage, Number.POSITIVE_INFINITY);
  assert.deepEqual(
    ends.map(({ lines }) => lines.at(-1)!.backup),
    [backupOf("emea"), backupOf("amer")],
  );
  const again = await (await restore(stage, "emea")).done;
  assert.equal(again.code, 0);
  assert.ok(again.lines.some(({ step }) => step === "restore exists already"));
  assert.equal(attempts(stage, "emea").length, 1);
});

test("an attempt right after one that was killed has a sync of its own, in the same second too", async () => {
  for (let turn = 0; turn < 3; turn++) {
    // Its fourth request is the first look at the sync that it has just created.
    assert.ok((await killedAt(stage, 4)).killed);
    assert.equal(stage.regions.emea.list("medusatasks").length, 2);
  }
});

test(restoreKilledTwice.fault, async () => {
  await restoreKilledTwice.inject(stage);
});

test("nothing is stopped for a datacenter that does not come, whatever an earlier cluster left there", async () => {
  await prepare(stage);
  const left = (uid: string, seen: Record<string, string>) => JSON.stringify({ version: 1, uid, seen });
  await putReady(stage, "emea", left("old-emea", { amer: "old-amer" }));
  await putReady(stage, "amer", left("old-amer", { emea: "old-emea" }));
  const { code, lines } = await (await restore(stage, "emea", { timeoutSeconds: 4 })).done;
  assert.equal(code, 1);
  assert.match(JSON.stringify(lines.at(-1)), /not every datacenter became ready.*"value":\["amer"\].*having seen/);
  assert.deepEqual(attempts(stage, "emea"), []);

  const second = await restore(stage, "emea");
  await sleep(500);
  const other = await restore(stage, "amer");
  for (const job of [second, other]) assert.equal((await job.done).code, 0);
  assert.doesNotMatch(`${await readyObject(stage, "emea")}${await readyObject(stage, "amer")}`, /old/);
});

test("a restore that failed is tried anew, without waiting for those that are done", async () => {
  await prepare(stage);
  const jobs = [await restore(stage, "emea"), await restore(stage, "amer")];
  for (const job of jobs) assert.equal((await job.done).code, 0);
  const [failed] = stage.regions.emea.list("medusarestorejobs");
  failed!.status = { failed: ["iconik-emea-rack1-sts-0"], message: "out of disk" };
  assert.equal((await (await restore(stage, "emea")).done).code, 0);
  assert.deepEqual(
    attempts(stage, "emea").map(([name]) => name),
    [1, 2].map((number) => `restore-emea-${backupOf("emea")}-${number}`),
  );
});
