/** replicate and restore-copy against a storage, with the real rclone: whole, killed, changed, attacked. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { events } from "../plan/events";
import {
  backupName,
  copyPath,
  manifestPath,
  markerId,
  markerOfPath,
  markerPath,
  maxLayers,
  restoredPath,
} from "../plan/layout";
import { markerType } from "../plan/markers";
import { FINAL_EXIT_CODE, type JobInput, jobConfig } from "./config";
import { seal } from "./lib/envelope";
import type { Marker } from "./lib/manifest";
import { openMarker } from "./lib/markers";
import { cassandraObjects, elasticsearchObjects, putBackup } from "./testing/backups";
import { type RunningJob, startJob } from "./testing/job";
import { signingKey, startKms, type TestKms, testKey } from "./testing/kms";
import { startKube, type TestKube } from "./testing/kube";
import { startStorage, type TestStorage } from "./testing/storage";

const [PRIMARY, COPIES, OWN] = ["iconik-prod-backups", "iconik-vault-backup-copies", "iconik-rebuild-1-backups"];
const FILES = 40;
let storage: TestStorage;
let kms: TestKms;
let kube: TestKube;
let night: string;
let objects: Record<string, string>;

before(async () => {
  [storage, kms, kube] = await Promise.all([startStorage(), startKms(), startKube()]);
});
after(() => Promise.all([storage.stop(), kms.stop(), kube.stop()]));

beforeEach(async () => {
  kms.refuses = false;
  kube.clear();
  storage.onCopy = undefined;
  storage.copies = 0;
  storage.appendOnly.clear();
  storage.refused.clear();
  for (const bucket of [PRIMARY, COPIES, OWN]) {
    await storage.emptyBucket(bucket);
  }
  storage.appendOnly.add(COPIES).add(OWN);
  night = backupName(new Date(Date.now() - 3_600_000));
  objects = {
    ...(await putBackup(storage, PRIMARY, "cassandra", night, cassandraObjects(night, FILES))),
    ...(await putBackup(storage, PRIMARY, "elasticsearch", night, elasticsearchObjects(7))),
  };
});

function replicate(overrides: Partial<JobInput<"replicate">> = {}, env: Record<string, string> = {}) {
  const config = jobConfig("replicate", {
    site: "prod",
    bucket: PRIMARY,
    copiesBucket: COPIES,
    repositories: ["cassandra-emea", "elasticsearch-emea"],
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
    transfers: 2,
    ...overrides,
  });
  return startJob("replicate", config, { ...storage.env, ...kms.env, ...env });
}

function restoreCopy(overrides: Partial<JobInput<"restore-copy">> = {}) {
  const common = {
    source: "prod",
    marker: "latest",
    markerKeys: [kms.pem],
    copiesBucket: COPIES,
    bucket: OWN,
    accessSeconds: 0,
    transfers: 2,
  };
  return startJob("restore-copy", jobConfig("restore-copy", { ...common, ...overrides }), storage.env);
}

async function markers(): Promise<string[]> {
  return (await storage.names(COPIES)).filter((name) => name.startsWith("markers/"));
}

/** Repositories of the newest copy. */
async function repositories(): Promise<string[]> {
  const newest = (await markers()).at(-1);
  return newest ? Object.keys((await markerAt(newest)).repositories) : [];
}

async function succeeded(job: Promise<RunningJob>): Promise<Record<string, unknown>> {
  const { code, lines } = await (await job).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  return lines.at(-1)!;
}

async function failed(job: Promise<RunningJob>, pattern: RegExp): Promise<void> {
  const { code, lines } = await (await job).done;
  assert.equal(code, 1, JSON.stringify(lines.at(-1)));
  assert.match(JSON.stringify(lines.at(-1)), pattern);
}

async function markerAt(path: string): Promise<Marker> {
  return openMarker((await storage.get(COPIES, path))!, "prod", markerOfPath("prod", path)!, [kms.pem]);
}

/** Where the second copy has each object of a copy, by its name at the source. */
async function placesOf(marker: string): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const { listing } of Object.values((await markerAt(markerPath("prod", marker))).repositories)) {
    const list = (await storage.get(COPIES, listing.path))!;
    assert.equal(createHash("sha256").update(list).digest("hex"), listing.sha256, listing.path);
    const files = list.trimEnd().split("\n");
    assert.equal(files.length, listing.objects);
    for (const file of files.map((line) => JSON.parse(line))) places.set(file.name, copyPath("prod", file));
  }
  return places;
}

/** What the second copy has of an object of a copy. */
async function copied(marker: string, name: string): Promise<string | undefined> {
  const place = (await placesOf(marker)).get(name);
  return place && storage.get(COPIES, place);
}

async function failedFinally(job: Promise<RunningJob>, pattern: RegExp): Promise<void> {
  const { code, lines } = await (await job).done;
  assert.equal(code, FINAL_EXIT_CODE, JSON.stringify(lines.at(-1)));
  assert.match(JSON.stringify(lines.at(-1)), pattern);
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

async function assertWhole(marker: string): Promise<void> {
  const places = await placesOf(marker);
  for (const [name, content] of Object.entries(objects)) {
    assert.equal(await storage.get(COPIES, places.get(name) ?? ""), content, name);
  }
}

test("a copy is whole, is restored to the original paths, and neither is done twice", async () => {
  const first = await succeeded(replicate());
  await assertWhole(String(first.marker));
  assert.deepEqual(await markers(), [markerPath("prod", String(first.marker))]);
  const again = await succeeded(replicate());
  assert.equal(again.copied, 0);
  assert.equal((await markers()).length, 1);

  await succeeded(restoreCopy());
  assert.deepEqual(
    await storage.names(OWN),
    [...Object.keys(objects), restoredPath(String(first.marker))].sort(),
    "everything at its path, and the record",
  );
  for (const [name, content] of Object.entries(objects)) {
    assert.equal(await storage.get(OWN, name), content, name);
  }
  assert.equal((await succeeded(restoreCopy())).copied, 0);
});

test("the next night's pointers stand beside the last one's", async () => {
  const first = await succeeded(replicate());
  const next = backupName(new Date());
  await storage.remove(PRIMARY, "elasticsearch-emea/index-7");
  await putBackup(storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES + 1));
  await putBackup(storage, PRIMARY, "elasticsearch", next, elasticsearchObjects(8));
  const second = await succeeded(replicate());
  for (const [marker, backup] of [[first.marker, night] as const, [second.marker, next] as const]) {
    const pointer = "cassandra/index/latest_backup/node-1/backup_name.txt";
    assert.equal(await copied(String(marker), pointer), backup);
  }
  await succeeded(restoreCopy({ marker: String(first.marker) }));
  assert.equal(await storage.get(OWN, "elasticsearch-emea/index-7"), '{"generation":7}');
  assert.equal(await storage.get(OWN, "elasticsearch-emea/index-8"), undefined);
});

for (const [name, start] of [
  ["replicate", () => replicate()] as const,
  ["restore-copy", () => restoreCopy()] as const,
]) {
  test(`${name} killed in the middle leaves no marker or record, and the next run goes on from there`, async () => {
    if (name === "restore-copy") {
      await succeeded(replicate());
      storage.copies = 0;
    }
    const job = await start();
    storage.onCopy = ({ count }) => {
      if (count === FILES / 2) {
        job.child.kill("SIGTERM");
      }
    };
    assert.equal((await job.done).code, 143);
    storage.onCopy = undefined;
    const documents = [...(await markers()), ...(await storage.names(OWN)).filter((n) => n.startsWith("restores/"))];
    assert.deepEqual(documents.length, name === "replicate" ? 0 : 1, documents.join());
    const before = storage.copies;
    const result = await succeeded(start());
    assert.ok(before >= FILES / 2 && storage.copies - before < Object.keys(objects).length - FILES / 4);
    if (name === "replicate") {
      await assertWhole(String(result.marker));
    }
  });
}

test("a snapshot taken during the copy is noticed, and the second attempt copies a still repository", async () => {
  storage.onCopy = async ({ object }) => {
    if (object === "elasticsearch-emea/snap-u7.dat") {
      storage.onCopy = undefined;
      for (const [path, content] of Object.entries(elasticsearchObjects(8))) {
        await storage.put(PRIMARY, path, content);
      }
      await storage.remove(PRIMARY, "elasticsearch-emea/index-7");
    }
  };
  const { code, lines } = await (await replicate()).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  assert.ok(lines.some(({ step }) => step === "source moved, trying again"));
  const marker = String(lines.at(-1)!.marker);
  assert.equal(await copied(marker, "elasticsearch-emea/index.latest"), "\0\x008");
});

test("an object overwritten at the source during the copy makes no copy", async () => {
  const victim = "cassandra/node-1/data/media/files-0a/nb-3-big-Data.db";
  storage.onCopy = async () => {
    storage.onCopy = undefined;
    await storage.put(PRIMARY, victim, "forged!!");
  };
  await failed(replicate(), /nb-3-big-Data\.db is 8 bytes/);
  assert.deepEqual(await repositories(), ["elasticsearch-emea"]);
});

test("a source that is not what its manifest says is refused before anything of it is copied", async () => {
  await storage.remove(PRIMARY, "cassandra/node-1/data/media/files-0a/nb-5-big-Data.db");
  await failed(replicate(), /is not what its manifest says.*nb-5-big-Data\.db is missing/);
  assert.deepEqual(await repositories(), ["elasticsearch-emea"]);
  assert.ok(!(await storage.names(COPIES)).some((name) => name.includes("cassandra")));
});

test("another content under a name in use stays where it is, and the source's lies in a layer from then on", async () => {
  const name = "cassandra/node-1/data/media/files-0a/nb-9-big-Data.db";
  const squatter = copyPath("prod", { name });
  await storage.put(COPIES, squatter, "intruder");
  const first = String((await succeeded(replicate())).marker);
  assert.equal(await storage.get(COPIES, squatter), "intruder");
  assert.equal((await placesOf(first)).get(name), copyPath("prod", { name, layer: first }));
  await assertWhole(first);
  const next = backupName(new Date());
  await putBackup(storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES));
  storage.copies = 0;
  const second = String((await succeeded(replicate())).marker);
  assert.equal((await placesOf(second)).get(name), copyPath("prod", { name, layer: first }));
  assert.ok(storage.copies < 10, `an object in a layer is not copied again: ${storage.copies} copies`);
  await succeeded(restoreCopy());
  assert.equal(await storage.get(OWN, name), objects[name]);
});

test("a site rebuilt under the same name reuses names: nights go on, and older copies stay whole", async () => {
  const first = String((await succeeded(replicate())).marker);
  const before = objects;
  for (const name of await storage.names(PRIMARY)) await storage.remove(PRIMARY, name);
  const next = backupName(new Date());
  const rebuilt = Object.entries(cassandraObjects(next, FILES)).map(([name, content]) => [name, `${content} again`]);
  const index = Object.entries(elasticsearchObjects(7)).map(([name, content]) => [name, `${content} again`]);
  objects = {
    ...(await putBackup(storage, PRIMARY, "cassandra", next, Object.fromEntries(rebuilt))),
    ...(await putBackup(storage, PRIMARY, "elasticsearch", next, Object.fromEntries(index))),
  };
  const second = String((await succeeded(replicate())).marker);
  await assertWhole(second);
  objects = before;
  await assertWhole(first);
  await succeeded(restoreCopy({ marker: first }));
  assert.equal(await storage.get(OWN, "elasticsearch-emea/index-7"), '{"generation":7}');
});

test("layers are few: what lies in the oldest is copied anew when another is needed", async () => {
  const name = "cassandra/node-1/data/media/files-0a/nb-0-big-Data.db";
  const stubborn = "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db";
  await storage.put(COPIES, copyPath("prod", { name: stubborn }), "intruder");
  let marker = "";
  for (let turn = 0; turn < maxLayers + 2; turn++) {
    const backup = backupName(new Date(Date.now() - 60_000 + turn * 1000));
    const all = { ...cassandraObjects(backup, 3), [name]: `statistics ${turn}` };
    objects = await putBackup(storage, PRIMARY, "cassandra", backup, all);
    marker = String((await succeeded(replicate({ repositories: ["cassandra-emea"] }))).marker);
    await assertWhole(marker);
  }
  const places = [...(await placesOf(marker)).values()];
  const used = new Set(places.flatMap((path) => /layers\/([^/]+)/.exec(path)?.[1] ?? []));
  assert.ok(used.size <= maxLayers, [...used].join());
});

test("without a manifest of tonight nothing is copied", async () => {
  await failed(replicate({ maxAgeHours: 0.5 }), /no complete backup of tonight.*h old/);
  await failed(replicate({ repositories: ["cassandra-amer"] }), /cassandra-amer: no manifest/);
  assert.deepEqual(await storage.names(COPIES), []);
});

test("a region without a backup of tonight holds up no other, and stays in the copy as it was copied last", async () => {
  const first = await succeeded(replicate());
  const old = objects;
  const next = backupName(new Date());
  objects = await putBackup(storage, PRIMARY, "cassandra", next, cassandraObjects(next, FILES + 1));
  // Written on without a manifest: its snapshot failed halfway.
  for (const [path, content] of Object.entries(elasticsearchObjects(8))) await storage.put(PRIMARY, path, content);
  await failed(
    replicate({ maxAgeHours: 0.5 }),
    /some repositories have no copy of tonight.*elasticsearch-emea: night-.* h old/,
  );
  const [, second] = await markers();
  const marker = await markerAt(second!);
  assert.equal(marker.repositories["cassandra-emea"]!.backup, next);
  assert.deepEqual(
    [marker.repositories["elasticsearch-emea"]!.backup, marker.repositories["elasticsearch-emea"]!.copy],
    [night, first.marker],
  );
  await assertWhole(marker.id);
  await failed(replicate({ maxAgeHours: 0.5 }), /copy-.* has cassandra-emea/);
  assert.equal((await markers()).length, 2, "the second run has nothing new to say");
  await succeeded(restoreCopy());
  for (const [name, content] of Object.entries(old).filter(([name]) => name.startsWith("elasticsearch-emea/"))) {
    assert.equal(await storage.get(OWN, name), content, name);
  }
  assert.equal(await storage.get(OWN, "cassandra/index/latest_backup/node-1/backup_name.txt"), next);
});

test("a backup that comes late is copied when it comes", async () => {
  const late = manifestPath("elasticsearch-emea", night);
  const content = objects[late]!;
  await storage.remove(PRIMARY, late);
  storage.onCopy = async ({ object }) => {
    if (object === manifestPath("cassandra-emea", night)) await storage.put(PRIMARY, late, content);
  };
  const { marker } = await succeeded(replicate({ waitSeconds: 60, pollSeconds: 0.2 }));
  await assertWhole(String(marker));
  assert.equal((await markers()).length, 1);
});

test("a copy without its marker is no copy, and a marker that doesn't exist is answered with those that do", async () => {
  const { marker } = await succeeded(replicate());
  await failed(restoreCopy({ marker: "copy-20200101t000000z" }), new RegExp(`no copy .*${marker}`));
  storage.appendOnly.clear();
  await storage.remove(COPIES, markerPath("prod", String(marker)));
  await failed(restoreCopy(), /no copy \\"latest\\" of site \\"prod\\".*none/);
  assert.deepEqual(await storage.names(OWN), []);
});

test("a forged, an unsigned or a moved marker is no copy, and keeps nobody from the one before it", async () => {
  const marker = String((await succeeded(replicate())).marker);
  const good = (await storage.get(COPIES, markerPath("prod", marker)))!;
  const [unsigned, forged, moved, old] = [4, 3, 2, 1].map((minutes) =>
    markerId(new Date(Date.now() + minutes * 60_000)),
  );
  const document = JSON.stringify({ ...(await markerAt(markerPath("prod", marker))), id: forged });
  await storage.put(COPIES, markerPath("prod", unsigned!), document);
  await storage.put(COPIES, markerPath("prod", forged!), await seal(markerType, document, testKey()));
  await storage.put(COPIES, markerPath("prod", moved!), good);
  await storage.put(COPIES, markerPath("prod", old!), JSON.stringify({ version: 1, site: "prod", id: old }));
  await failed(restoreCopy({ marker: forged! }), /is refused: its signature .* is not of a key that is trusted/);
  await failed(restoreCopy({ marker: unsigned! }), /is refused: it is not signed/);
  await failed(restoreCopy({ marker: moved! }), /is refused: it was signed for copy/);
  await failed(restoreCopy({ marker: old! }), /is refused: it is not signed.*before markers were signed/);
  const { code, lines } = await (await restoreCopy()).done;
  assert.deepEqual([code, lines.at(-1)!.marker], [0, marker]);
  const refused = lines.filter(({ event }) => event === events.markerRefused);
  assert.deepEqual(
    refused.map(({ marker, severity }) => [marker, severity]),
    [unsigned, forged, moved, old].map((id) => [id, "ERROR"]),
  );
  await failed(restoreCopy({ markerKeys: [testKey().pem], marker }), /not of a key that is trusted/);
  assert.equal((await succeeded(restoreCopy({ markerKeys: [testKey().pem, kms.pem] }))).marker, marker);
});

test("without a signature there is no copy; with it, the next run makes one of what lies there", async () => {
  kms.refuses = true;
  await failed(replicate(), /did not sign.*useToSign/);
  assert.deepEqual(await markers(), []);
  kms.refuses = false;
  await failed(replicate({ markerKeys: [testKey().pem] }), /not of a key that is trusted/);
  assert.deepEqual(await markers(), [], "what no reader would believe is not written");
  assert.equal((await succeeded(replicate())).copied, 2, "pointers alone are copied anew");
});

/** A run of a Job's pod, with the lease. */
const leased = (pod: string, leaseSeconds: number) =>
  replicate({ leaseIn: "dr", leaseSeconds }, { HOSTNAME: pod, ...kube.env });

test("of two runs at once the second fails at once, and one that was killed keeps nobody out for long", async () => {
  let letGo: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  storage.onCopy = () => held;
  const first = await leased("replicate-prod-1-aaaaa", 2);
  await waitUntil(() => kube.get("leases", "replicate-prod") !== undefined);
  await failedFinally(
    leased("replicate-prod-2-bbbbb", 2),
    /another run holds the lease replicate-prod.*replicate-prod-1-aaaaa/,
  );
  await sleep(3000);
  await failedFinally(leased("replicate-prod-2-ccccc", 2), /another run holds the lease/);
  first.child.kill("SIGKILL");
  await first.done;
  storage.onCopy = undefined;
  letGo?.();
  await sleep(2000);
  const { marker } = await succeeded(leased("replicate-prod-2-ddddd", 2));
  assert.deepEqual(await markers(), [markerPath("prod", String(marker))]);
  assert.equal(kube.get("leases", "replicate-prod")?.spec?.holderIdentity, "", "given back");
});

test("a pod of the same Job goes on at once; who lost the lease copies nothing on and writes no marker", async () => {
  let go: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  storage.onCopy = () => held;
  const first = await leased("replicate-prod-1-aaaaa", 3);
  await waitUntil(() => kube.get("leases", "replicate-prod") !== undefined);
  const second = await leased("replicate-prod-1-bbbbb", 60);
  const { code, lines } = await first.done;
  assert.equal(code, 1);
  assert.match(JSON.stringify(lines.at(-1)), /lease replicate-prod is lost: another run has taken it over/);
  storage.onCopy = undefined;
  go?.();
  const { marker } = await succeeded(Promise.resolve(second));
  assert.deepEqual(await markers(), [markerPath("prod", String(marker))]);
  await assertWhole(String(marker));
});

test("a damaged copy is not brought in as if it were whole", async () => {
  const { marker } = await succeeded(replicate());
  storage.appendOnly.clear();
  const victim = "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db";
  await storage.put(COPIES, copyPath("prod", { name: victim }), "sstable X");
  await failed(restoreCopy(), /other content than the marker lists.*nb-1-big-Data\.db/);
  await storage.remove(OWN, victim);
  await storage.remove(COPIES, copyPath("prod", { name: victim }));
  await failed(restoreCopy(), /could not be brought in whole.*nb-1-big-Data\.db/);
  assert.ok(!(await storage.names(OWN)).includes(restoredPath(String(marker))));
});

test("restore-copy waits for a grant to take effect, and says so when it never does", async () => {
  await succeeded(replicate());
  storage.refused.add(COPIES);
  await failed(restoreCopy(), /cannot be read.*restoreGrants/);
  const waiting = restoreCopy({ accessSeconds: 60, pollSeconds: 0.2 });
  setTimeout(() => storage.refused.clear(), 2500);
  await succeeded(waiting);
});
