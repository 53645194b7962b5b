/** replicate and restore-copy against a storage, with the real rclone: whole, killed, changed, attacked. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  assertWhole,
  COPIES,
  type CopiesStage,
  closeCopiesStage,
  FILES,
  failed,
  leased,
  markerAt,
  markers,
  OWN,
  openCopiesStage,
  PRIMARY,
  placesOf,
  replicate,
  reset,
  restoreCopy,
  succeeded,
} from "../faults/night/copies-stage";
import { copyBitFlip } from "../faults/night/copy-damaged";
import { copyTornRepository } from "../faults/night/copy-torn-repository";
import { markerForged } from "../faults/night/marker-not-believed";
import { replicatorKilledTwice } from "../faults/night/replicator-killed";
import { standingStill } from "../faults/night/two-replicators";
import {
  backupName,
  copyPath,
  listingPath,
  manifestPath,
  markerOfRestored,
  markerPath,
  maxLayers,
  restoredPath,
  restoreStartedPath,
} from "../plan/layout";
import { FINAL_EXIT_CODE } from "./config";
import { cassandraObjects, elasticsearchObjects, putBackup } from "./testing/backups";
import { testKey } from "./testing/kms";

let stage: CopiesStage;
let night: string;
/** Snapshots were due half an hour ago: what is an hour old is another night's. */
const due = new Date(Date.now() - 30 * 60_000);
const cron = `${due.getUTCMinutes()} ${due.getUTCHours()} * * *`;
const NOT_TONIGHT = { youngHours: 0.5, snapshots: { cassandra: cron, elasticsearch: cron } };

before(async () => {
  stage = await openCopiesStage();
});
after(() => closeCopiesStage(stage));

beforeEach(async () => {
  night = await reset(stage);
});

/** Repositories of the newest copy. */
async function repositories(): Promise<string[]> {
  const newest = (await markers(stage)).at(-1);
  return newest ? Object.keys((await markerAt(stage, newest)).repositories) : [];
}

/** What the second copy has of an object of a copy. */
async function copied(marker: string, name: string): Promise<string | undefined> {
  const place = (await placesOf(stage, marker)).get(name);
  return place && stage.storage.get(COPIES, place);
}

// A part of the night's matrix: `make faults-night` runs all of it.
for (const row of [copyTornRepository, copyBitFlip, markerForged, replicatorKilledTwice]) {
  test(`${row.id}: ${row.fault}`, async () => void (await row.inject(stage)));
}

test("a copy is whole, is restored to the original paths, and neither is done twice", async () => {
  const first = await succeeded(replicate(stage));
  await assertWhole(stage, String(first.marker));
  assert.deepEqual(await markers(stage), [markerPath("prod", String(first.marker))]);
  const again = await succeeded(replicate(stage));
  assert.equal(again.copied, 0);
  assert.equal((await markers(stage)).length, 1);

  await succeeded(restoreCopy(stage));
  assert.deepEqual(
    await stage.storage.names(OWN),
    [...Object.keys(stage.objects), restoreStartedPath, restoredPath(String(first.marker))].sort(),
    "everything at its path, and the records",
  );
  for (const [name, content] of Object.entries(stage.objects)) {
    assert.equal(await stage.storage.get(OWN, name), content, name);
  }
  assert.equal((await succeeded(restoreCopy(stage))).copied, 0);
});

test("the next night's pointers stand beside the last one's", async () => {
  const first = await succeeded(replicate(stage));
  const next = backupName(new Date());
  await stage.storage.remove(PRIMARY, "elasticsearch-emea/index-7");
  await putBackup(stage.storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES + 1));
  await putBackup(stage.storage, PRIMARY, "elasticsearch", next, elasticsearchObjects(8));
  const second = await succeeded(replicate(stage));
  for (const [marker, backup] of [[first.marker, night] as const, [second.marker, next] as const]) {
    const pointer = "cassandra/index/latest_backup/node-1/backup_name.txt";
    assert.equal(await copied(String(marker), pointer), backup);
  }
  await succeeded(restoreCopy(stage, { marker: String(first.marker) }));
  assert.equal(await stage.storage.get(OWN, "elasticsearch-emea/index-7"), '{"generation":7}');
  assert.equal(await stage.storage.get(OWN, "elasticsearch-emea/index-8"), undefined);
});

for (const [name, start] of [
  ["replicate", () => replicate(stage)] as const,
  ["restore-copy", () => restoreCopy(stage)] as const,
]) {
  test(`${name} killed in the middle leaves no marker or record, and the next run goes on from there`, async () => {
    if (name === "restore-copy") {
      await succeeded(replicate(stage));
      stage.storage.copies = 0;
    }
    const job = await start();
    stage.storage.onCopy = ({ count }) => {
      if (count === FILES / 2) {
        job.child.kill("SIGTERM");
      }
    };
    assert.equal((await job.done).code, 143);
    stage.storage.onCopy = undefined;
    const documents = [...(await markers(stage)), ...(await stage.storage.names(OWN)).filter(markerOfRestored)];
    assert.deepEqual(documents.length, name === "replicate" ? 0 : 1, documents.join());
    const before = stage.storage.copies;
    const result = await succeeded(start());
    assert.ok(before >= FILES / 2 && stage.storage.copies - before < Object.keys(stage.objects).length - FILES / 4);
    if (name === "replicate") {
      await assertWhole(stage, String(result.marker));
    }
  });
}

test("a snapshot taken during the copy is noticed, and the second attempt copies a still repository", async () => {
  stage.storage.onCopy = async ({ object }) => {
    if (object === "elasticsearch-emea/snap-u7.dat") {
      stage.storage.onCopy = undefined;
      for (const [path, content] of Object.entries(elasticsearchObjects(8))) {
        await stage.storage.put(PRIMARY, path, content);
      }
      await stage.storage.remove(PRIMARY, "elasticsearch-emea/index-7");
    }
  };
  const { code, lines } = await (await replicate(stage)).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  assert.ok(lines.some(({ step }) => step === "source moved, trying again"));
  const marker = String(lines.at(-1)!.marker);
  assert.equal(await copied(marker, "elasticsearch-emea/index.latest"), "\0\x008");
});

test("an object overwritten at the source during the copy makes no copy", async () => {
  const victim = "cassandra/node-1/data/media/files-0a/nb-3-big-Data.db";
  stage.storage.onCopy = async () => {
    stage.storage.onCopy = undefined;
    await stage.storage.put(PRIMARY, victim, "forged!!");
  };
  await failed(replicate(stage), /nb-3-big-Data\.db is 8 bytes/);
  assert.deepEqual(await repositories(), ["elasticsearch-emea"]);
});

test("a source that is not what its manifest says is refused before anything of it is copied", async () => {
  await stage.storage.remove(PRIMARY, "cassandra/node-1/data/media/files-0a/nb-5-big-Data.db");
  await failed(replicate(stage), /is not what its manifest says.*nb-5-big-Data\.db is missing/);
  assert.deepEqual(await repositories(), ["elasticsearch-emea"]);
  assert.ok(!(await stage.storage.names(COPIES)).some((name) => name.includes("cassandra")));
});

test("another content under a name in use stays where it is, and the source's lies in a layer from then on", async () => {
  const name = "cassandra/node-1/data/media/files-0a/nb-9-big-Data.db";
  const squatter = copyPath("prod", { name });
  await stage.storage.put(COPIES, squatter, "intruder");
  const first = String((await succeeded(replicate(stage))).marker);
  assert.equal(await stage.storage.get(COPIES, squatter), "intruder");
  assert.equal((await placesOf(stage, first)).get(name), copyPath("prod", { name, layer: first }));
  await assertWhole(stage, first);
  const next = backupName(new Date());
  await putBackup(stage.storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES));
  stage.storage.copies = 0;
  const second = String((await succeeded(replicate(stage))).marker);
  assert.equal((await placesOf(stage, second)).get(name), copyPath("prod", { name, layer: first }));
  assert.ok(stage.storage.copies < 10, `an object in a layer is not copied again: ${stage.storage.copies} copies`);
  await succeeded(restoreCopy(stage));
  assert.equal(await stage.storage.get(OWN, name), stage.objects[name]);
});

test("a site rebuilt under the same name reuses names: nights go on, and older copies stay whole", async () => {
  const first = String((await succeeded(replicate(stage))).marker);
  const before = stage.objects;
  for (const name of await stage.storage.names(PRIMARY)) await stage.storage.remove(PRIMARY, name);
  const next = backupName(new Date());
  const rebuilt = Object.entries(cassandraObjects(next, FILES)).map(([name, content]) => [name, `${content} again`]);
  const index = Object.entries(elasticsearchObjects(7)).map(([name, content]) => [name, `${content} again`]);
  stage.objects = {
    ...(await putBackup(stage.storage, PRIMARY, "cassandra", next, Object.fromEntries(rebuilt))),
    ...(await putBackup(stage.storage, PRIMARY, "elasticsearch", next, Object.fromEntries(index))),
  };
  const second = String((await succeeded(replicate(stage))).marker);
  await assertWhole(stage, second);
  stage.objects = before;
  await assertWhole(stage, first);
  await succeeded(restoreCopy(stage, { marker: first }));
  assert.equal(await stage.storage.get(OWN, "elasticsearch-emea/index-7"), '{"generation":7}');
});

test("layers are few: what lies in the oldest is copied anew when another is needed", async () => {
  const name = "cassandra/node-1/data/media/files-0a/nb-0-big-Data.db";
  const stubborn = "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db";
  await stage.storage.put(COPIES, copyPath("prod", { name: stubborn }), "intruder");
  let marker = "";
  for (let turn = 0; turn < maxLayers + 2; turn++) {
    const backup = backupName(new Date(Date.now() - 60_000 + turn * 1000));
    const all = { ...cassandraObjects(backup, 3), [name]: `statistics ${turn}` };
    stage.objects = await putBackup(stage.storage, PRIMARY, "cassandra", backup, all);
    marker = String((await succeeded(replicate(stage, { repositories: ["cassandra-emea"] }))).marker);
    await assertWhole(stage, marker);
  }
  const places = [...(await placesOf(stage, marker)).values()];
  const used = new Set(places.flatMap((path) => /layers\/([^/]+)/.exec(path)?.[1] ?? []));
  assert.ok(used.size <= maxLayers, [...used].join());
});

test("without a manifest of tonight nothing is copied", async () => {
  await failed(replicate(stage, NOT_TONIGHT), /no complete backup of tonight.*h old/);
  await failed(replicate(stage, { repositories: ["cassandra-amer"] }), /cassandra-amer: no manifest/);
  assert.deepEqual(await stage.storage.names(COPIES), []);
});

test("a region without a backup of tonight holds up no other, and stays in the copy as it was copied last", async () => {
  const first = await succeeded(replicate(stage));
  const old = stage.objects;
  const next = backupName(new Date());
  stage.objects = await putBackup(stage.storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES + 1));
  // Written on without a manifest: its snapshot failed halfway.
  for (const [path, content] of Object.entries(elasticsearchObjects(8)))
    await stage.storage.put(PRIMARY, path, content);
  await failed(
    replicate(stage, NOT_TONIGHT),
    /some repositories have no copy of tonight.*elasticsearch-emea: night-.* h old/,
  );
  const [, second] = await markers(stage);
  const marker = await markerAt(stage, second!);
  assert.equal(marker.repositories["cassandra-emea"]!.backup, next);
  const lists = (await stage.storage.names(COPIES)).filter((name) => name.startsWith(`listings/prod/${marker.id}/`));
  assert.deepEqual(lists, [listingPath("prod", marker.id, "cassandra-emea")], "what was carried on does not look new");
  assert.deepEqual(
    [marker.repositories["elasticsearch-emea"]!.backup, marker.repositories["elasticsearch-emea"]!.copy],
    [night, first.marker],
  );
  await assertWhole(stage, marker.id);
  await failed(replicate(stage, NOT_TONIGHT), /copy-.* has cassandra-emea/);
  assert.equal((await markers(stage)).length, 2, "the second run has nothing new to say");
  await succeeded(restoreCopy(stage));
  for (const [name, content] of Object.entries(old).filter(([name]) => name.startsWith("elasticsearch-emea/"))) {
    assert.equal(await stage.storage.get(OWN, name), content, name);
  }
  assert.equal(await stage.storage.get(OWN, "cassandra/index/latest_backup/node-1/backup_name.txt"), next);
});

test("told to end while a repository is copied, the run names those that are done", async () => {
  const { child, done } = await replicate(stage);
  stage.storage.onCopy = async ({ object }) => {
    if (!object.startsWith("elasticsearch-emea/")) return;
    child.kill("SIGTERM");
    // Told again while it writes its marker, it goes on with that.
    const again = setInterval(() => child.kill("SIGTERM"), 50);
    // No request of it may be answered in the middle of the next run.
    await done;
    clearInterval(again);
  };
  const { code, lines } = await done;
  assert.equal(code, 143, JSON.stringify(lines));
  stage.storage.onCopy = undefined;
  assert.deepEqual(await repositories(), ["cassandra-emea"]);
  await succeeded(replicate(stage));
  assert.deepEqual(await repositories(), ["cassandra-emea", "elasticsearch-emea"]);
});

test("what a second attempt copied is listed under the run's own id, by which its age is known", async () => {
  const moved = "elasticsearch-emea/index-7";
  stage.storage.onCopy = async ({ object }) => {
    if (object !== moved) return;
    stage.storage.onCopy = undefined;
    await stage.storage.remove(PRIMARY, moved);
    for (const [path, content] of Object.entries(elasticsearchObjects(8)))
      await stage.storage.put(PRIMARY, path, content);
  };
  const { marker } = await succeeded(replicate(stage, { attempts: 2 }));
  const entry = (await markerAt(stage, markerPath("prod", String(marker)))).repositories["elasticsearch-emea"]!;
  assert.notEqual(entry.copy, marker, "a layer of its own");
  assert.equal(entry.listing.path, listingPath("prod", String(marker), "elasticsearch-emea"));
});

test("a manifest from the future is passed over, and fails the run that has copied the others", async () => {
  const future = manifestPath("cassandra-emea", "night-emea-20991231t010000z");
  await stage.storage.put(PRIMARY, future, "{}");
  await failed(replicate(stage), /manifests from the future.*night-emea-20991231t010000z/, FINAL_EXIT_CODE);
  assert.deepEqual(await repositories(), ["cassandra-emea", "elasticsearch-emea"]);
});

test("a backup that comes late is copied when it comes", async () => {
  const late = manifestPath("elasticsearch-emea", night);
  const content = stage.objects[late]!;
  await stage.storage.remove(PRIMARY, late);
  stage.storage.onCopy = async ({ object }) => {
    if (object === manifestPath("cassandra-emea", night)) await stage.storage.put(PRIMARY, late, content);
  };
  const { marker } = await succeeded(replicate(stage, { waitSeconds: 60, pollSeconds: 0.2 }));
  await assertWhole(stage, String(marker));
  assert.equal((await markers(stage)).length, 1);
});

test("without a signature there is no copy; with it, the next run makes one of what lies there", async () => {
  stage.kms.refuses = true;
  await failed(replicate(stage), /did not sign.*useToSign/);
  assert.deepEqual(await markers(stage), []);
  stage.kms.refuses = false;
  await failed(replicate(stage, { markerKeys: [testKey().pem] }), /not of a key that is trusted/);
  assert.deepEqual(await markers(stage), [], "what no reader would believe is not written");
  assert.equal((await succeeded(replicate(stage))).copied, 2, "pointers alone are copied anew");
});

test("a pod of the same Job goes on at once; who lost the lease copies nothing on and writes no marker", async () => {
  const first = await standingStill(stage, "replicate-prod-1-aaaaa", 9);
  const second = leased(stage, "replicate-prod-1-bbbbb", 60);
  const { code, lines } = await first.run.done;
  assert.equal(code, 1);
  assert.match(JSON.stringify(lines.at(-1)), /lease replicate-prod is lost: another run has taken it over/);
  first.go();
  const { marker } = await succeeded(second);
  assert.deepEqual(await markers(stage), [markerPath("prod", String(marker))]);
  await assertWhole(stage, String(marker));
});

test("restore-copy waits for a grant to take effect, and says so when it never does", async () => {
  await succeeded(replicate(stage));
  stage.storage.refused.add(COPIES);
  await failed(restoreCopy(stage), /cannot be read.*restoreGrants/);
  const waiting = restoreCopy(stage, { accessSeconds: 60, pollSeconds: 0.2 });
  setTimeout(() => stage.storage.refused.clear(), 2500);
  await succeeded(waiting);
});
