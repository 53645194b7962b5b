/** The pruner against a storage: what goes, what stays, what stops it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  assertRestores,
  backUp,
  COPIES,
  type CopiesStage,
  closeCopiesStage,
  FILES,
  failed,
  leased,
  markers,
  openCopiesStage,
  prune,
  replicate,
  reset,
  succeeded,
} from "../faults/night/copies-stage";
import { retentionEdges } from "../faults/night/retention-edges";
import { standingStill } from "../faults/night/two-replicators";
import { backupName, copyPath, listingPath, markerId, markerPath } from "../plan/layout";
import { retention } from "../plan/retention";
import { FINAL_EXIT_CODE } from "./config";
import { isPast } from "./prune";

const LATER = new Date(Date.now() + (retention.copiesDays + 1) * 24 * 3600 * 1000).toISOString();
const old = { tiers: { nightly: 1, weekly: 0, monthly: 0 }, now: LATER };
let stage: CopiesStage;

before(async () => {
  stage = await openCopiesStage();
});
after(() => closeCopiesStage(stage));

beforeEach(async () => {
  await reset(stage);
  stage.storage.appendOnly.delete(COPIES);
});

/** Two nights' copies, the older one first. */
async function twoCopies(): Promise<[string, string]> {
  const first = String((await succeeded(replicate(stage))).marker);
  await backUp(stage, backupName(new Date()), FILES, 8);
  return [first, String((await succeeded(replicate(stage))).marker)];
}

test(`${retentionEdges.id}: ${retentionEdges.fault}`, async () => void (await retentionEdges.inject(stage)));

test("an object may go when it is as old as the period to the millisecond, and not before", () => {
  const created = new Date("2026-01-01T00:00:00.123Z");
  const at = (ms: number) => new Date(created.getTime() + 35 * 24 * 3600 * 1000 + ms);
  const object = { timeCreated: created.toISOString() };
  assert.deepEqual(
    [-1, 0, 1].map((ms) => isPast(object, 35, at(ms))),
    [false, true, true],
  );
  assert.ok(isPast(object, 0, created));
});

test("what nobody names goes; a second run has nothing to do; without copies there is nothing to do at all", async () => {
  assert.equal((await succeeded(prune(stage, old))).objects, 0);
  const [first, second] = await twoCopies();
  const stray = copyPath("prod", { name: "cassandra/stray", layer: "copy-20200101t000000z" });
  await stage.storage.put(COPIES, stray, "x");
  await stage.storage.put(COPIES, "evidence/prod/x.json", "{}");
  const result = await succeeded(prune(stage, old));
  assert.deepEqual([result.copies, result.copiesRemoved], [1, 1]);
  const names = await stage.storage.names(COPIES);
  assert.ok(!names.includes(stray) && names.includes("evidence/prod/x.json"));
  assert.ok(!names.some((name) => name.includes(first)));
  await assertRestores(stage, second);
  assert.equal((await succeeded(prune(stage, old))).removable, 0);
});

test("a repository that is copied no more keeps its last copy", async () => {
  const [first] = await twoCopies();
  const third = markerId(new Date(Date.now() + 60_000));
  assert.ok(third > first);
  await backUp(stage, backupName(new Date()), FILES, 9);
  stage.storage.appendOnly.add(COPIES);
  const last = String((await succeeded(replicate(stage, { repositories: ["cassandra-emea"] }))).marker);
  stage.storage.appendOnly.delete(COPIES);
  await succeeded(prune(stage, old));
  assert.equal((await markers(stage)).length, 2, "the newest, and the newest with the search repository");
  assert.ok((await markers(stage)).includes(markerPath("prod", last)));
});

test("a list that is gone or another stops it before anything goes", async () => {
  const [, second] = await twoCopies();
  const list = listingPath("prod", second, "cassandra-emea");
  const content = (await stage.storage.get(COPIES, list))!;
  await stage.storage.put(COPIES, list, content.replace("nb-1-", "nb-x-"));
  const names = await stage.storage.names(COPIES);
  await failed(prune(stage, old), /is not the list that was written/);
  await stage.storage.remove(COPIES, list);
  await failed(prune(stage, old), /listings.prod.*is absent/);
  assert.deepEqual(
    await stage.storage.names(COPIES),
    names.filter((name) => name !== list),
  );
});

test("a marker that is not believed stops it, until people say that it is none", async () => {
  const [, second] = await twoCopies();
  const forged = markerId(new Date(Date.now() + 60_000));
  await stage.storage.put(COPIES, markerPath("prod", forged), "{}");
  await failed(prune(stage, old), /1 markers of site .*prod.* are not believed.*copies\.distrusted/, FINAL_EXIT_CODE);
  await succeeded(prune(stage, { ...old, distrusted: [forged] }));
  assert.deepEqual(await markers(stage), [markerPath("prod", second)]);
});

test("more than the breaker lets pass stays until it is approved for that day", async () => {
  await twoCopies();
  const names = await stage.storage.names(COPIES);
  const breaker = { share: 0.01, floor: 2 };
  const line = await failed(
    prune(stage, { ...old, breaker }),
    /breaker is open: \d+ of \d+ objects of site .*allowed.*2 objects.*copies\.pruneApprovals/,
    FINAL_EXIT_CODE,
  );
  assert.deepEqual(await stage.storage.names(COPIES), names);
  const approve = (date: string) => ({ ...old, breaker, approvals: [{ date, objects: Number(line.value) }] });
  await failed(prune(stage, approve("2026-01-01")), /breaker is open/, FINAL_EXIT_CODE);
  await succeeded(prune(stage, approve(LATER.slice(0, 10))));
  assert.equal((await markers(stage)).length, 1);
});

test("killed at any removal it leaves no marker whose objects are gone, and the next run ends it", async () => {
  const [, second] = await twoCopies();
  let removals = 0;
  for (const point of [1, 2]) {
    const job = await prune(stage, old);
    stage.storage.onDelete = () => {
      if (++removals === point) job.child.kill("SIGKILL");
    };
    await job.done;
  }
  stage.storage.onDelete = undefined;
  for (const path of await markers(stage)) await assertRestores(stage, path.replace(/^.*\/|\.json$/g, ""), {});
  await succeeded(prune(stage, old));
  assert.deepEqual(await markers(stage), [markerPath("prod", second)]);
  await assertRestores(stage, second);
});

test("while a copy is made nothing goes", async () => {
  const first = await standingStill(stage, "replicate-prod-1-aaaaa", 60);
  const env = { ...stage.kube.env, HOSTNAME: "prune-prod-1-aaaaa" };
  await failed(
    prune(stage, { ...old, leaseIn: "dr" }, env),
    /another run holds the lease replicate-prod/,
    FINAL_EXIT_CODE,
  );
  first.go();
  assert.equal((await first.run.done).code, 0);
  await succeeded(prune(stage, { ...old, leaseIn: "dr" }, env));
  await succeeded(leased(stage, "replicate-prod-2-aaaaa", 60));
});
