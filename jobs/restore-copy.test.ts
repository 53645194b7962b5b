/** A rebuild is of one copy: what it began with decides, whatever is killed, comes later or is asked for. */
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
  OWN,
  openCopiesStage,
  replicate,
  reset,
  restoreCopy,
  succeeded,
} from "../faults/night/copies-stage";
import { backupName, copyPath, markerOfRestored, momentOf, restoredPath, restoreStartedPath } from "../plan/layout";
import { FINAL_EXIT_CODE } from "./config";

let stage: CopiesStage;

before(async () => {
  stage = await openCopiesStage();
});
after(() => closeCopiesStage(stage));
beforeEach(() => reset(stage));

const copied = async () => String((await succeeded(replicate(stage))).marker);

/** Another night's copy. @returns its marker */
async function nextNight(): Promise<string> {
  await backUp(stage, backupName(new Date()), FILES + 1, 8);
  return copied();
}

/** Starts a restore and kills it at its n-th copy. */
async function killedAt(n: number): Promise<void> {
  stage.storage.copies = 0;
  const job = await restoreCopy(stage);
  stage.storage.onCopy = ({ count }) => {
    if (count === n) job.child.kill("SIGKILL");
  };
  await job.done;
  stage.storage.onCopy = undefined;
}

const refused = (change: Parameters<typeof restoreCopy>[1], words: RegExp) =>
  failed(restoreCopy(stage, change), words, FINAL_EXIT_CODE);

test("killed after the first objects, it keeps to its copy though a newer one has come", async () => {
  const first = await copied();
  const { objects } = stage;
  await killedAt(3);
  assert.ok((await stage.storage.names(OWN)).includes(restoreStartedPath));
  const second = await nextNight();
  assert.notEqual(second, first);
  await refused({ marker: second }, /restored from another copy already.*fresh site/);
  await refused({ source: "demo" }, /allowed":"copy-.* of site \\"prod\\"/);
  await refused({ before: "2020-01-01T00:00:00Z" }, /latest before 2020-01-01/);

  assert.equal((await succeeded(restoreCopy(stage))).marker, first);
  const expected = [...Object.keys(objects), restoreStartedPath, restoredPath(first)].sort();
  assert.deepEqual(await stage.storage.names(OWN), expected, "one copy, and nothing of another");
  for (const [name, content] of Object.entries(objects))
    assert.equal(await stage.storage.get(OWN, name), content, name);
});

test("a copy that was brought in stays, needs no grant any more, and decides without the record of its start", async () => {
  const first = await copied();
  await succeeded(restoreCopy(stage));
  const second = await nextNight();
  stage.storage.refused.add(COPIES);
  const again = await succeeded(restoreCopy(stage));
  assert.deepEqual([again.marker, again.copied], [first, 0]);
  assert.equal((await succeeded(restoreCopy(stage, { marker: first }))).marker, first);
  stage.storage.refused.clear();
  stage.storage.appendOnly.delete(OWN);
  await stage.storage.remove(OWN, restoreStartedPath);
  assert.equal((await succeeded(restoreCopy(stage))).marker, first);
  await refused({ marker: second }, /restored from another copy already/);
});

test("killed before anything is written, it has not begun: the newest copy is taken", async () => {
  await copied();
  const job = await restoreCopy(stage);
  job.child.kill("SIGKILL");
  await job.done;
  assert.deepEqual(await stage.storage.names(OWN), []);
  const second = await nextNight();
  assert.equal((await succeeded(restoreCopy(stage))).marker, second);
});

test("of two that begin at once with different copies one is refused", async () => {
  const first = await copied();
  const second = await nextNight();
  const runs = await Promise.all([restoreCopy(stage, { marker: first }), restoreCopy(stage, { marker: second })]);
  const ends = await Promise.all(runs.map(({ done }) => done));
  const well = ends.filter(({ code }) => code === 0);
  assert.equal(well.length, 1, JSON.stringify(ends.map(({ lines }) => lines.at(-1))));
  const restored = (await stage.storage.names(OWN)).flatMap((name) => markerOfRestored(name) ?? []);
  assert.deepEqual(restored, [well[0]!.lines.at(-1)!.marker]);
});

test("latest before a moment is the newest copy that began at or before it", async () => {
  const first = await copied();
  await nextNight();
  await failed(restoreCopy(stage, { before: "2020-01-01T00:00:00Z" }), /no copy .*before 2020/);
  assert.equal((await succeeded(restoreCopy(stage, { before: momentOf(first).toISOString() }))).marker, first);
});

test("a damaged copy is refused before it is begun, so that another one can be named", async () => {
  const first = await copied();
  const { objects } = stage;
  const second = await nextNight();
  const victim = copyPath("prod", { name: `cassandra/node-1/data/media/files-0a/nb-${FILES}-big-Data.db` });
  stage.storage.appendOnly.delete(COPIES);
  const content = (await stage.storage.get(COPIES, victim))!;
  await stage.storage.put(COPIES, victim, content.toUpperCase());
  await refused({}, new RegExp(`${second} is damaged.*big-Data\\.db is`));
  await stage.storage.remove(COPIES, victim);
  await refused({}, /is damaged.*big-Data\.db is missing/);
  assert.deepEqual(await stage.storage.names(OWN), []);
  await assertRestores(stage, first, objects);
});

test("what goes while it is brought in fails the job, and so does other content under its names", async () => {
  const marker = await copied();
  const name = "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db";
  await stage.storage.put(OWN, name, "sstable X");
  await failed(restoreCopy(stage), /other content than the marker lists.*nb-1-big-Data\.db/);
  assert.deepEqual(await stage.storage.names(OWN), [name], "nothing was begun");
  await stage.storage.remove(OWN, name);
  stage.storage.appendOnly.delete(COPIES);
  stage.storage.copies = 0;
  stage.storage.onCopy = async ({ count }) => {
    if (count === 1) await stage.storage.remove(COPIES, copyPath("prod", { name }));
  };
  await failed(restoreCopy(stage, { transfers: 1 }), /rclone copy ended|could not be brought in whole.*nb-1-big-Data/);
  assert.ok(!(await stage.storage.names(OWN)).includes(restoredPath(marker)));
});

test("of a copy only what is wanted comes, and what it has not is refused by name", async () => {
  const marker = await copied();
  await failed(
    restoreCopy(stage, { repositories: ["cassandra-emea", "cassandra-amer"] }),
    /has no cassandra-amer/,
    FINAL_EXIT_CODE,
  );
  const { objects } = await succeeded(restoreCopy(stage, { repositories: ["cassandra-emea"] }));
  const names = await stage.storage.names(OWN);
  assert.equal(names.length, Number(objects) + 2, "its objects, and the records of start and end");
  assert.ok(!names.some((name) => name.includes("elasticsearch-emea")));
  const record = JSON.parse((await stage.storage.get(OWN, restoredPath(marker)))!);
  assert.deepEqual(Object.keys(record.repositories), ["cassandra-emea"]);
});
