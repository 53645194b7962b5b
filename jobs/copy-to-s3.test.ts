/** What the standby pulls, with the real rclone: from a Cloud Storage to an S3, whole, killed, changed, and restored from there. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { events } from "../plan/events";
import { backupName, markerId, markerPath, restoredPath } from "../plan/layout";
import { markerType } from "../plan/markers";
import { s3Url } from "../plan/standby";
import { FINAL_EXIT_CODE, type JobInput, jobConfig } from "./config";
import { contractProblems } from "./lib/contract";
import { seal } from "./lib/envelope";
import { openMarker } from "./lib/markers";
import { cassandraObjects, elasticsearchObjects, putBackup } from "./testing/backups";
import { startJob } from "./testing/job";
import { signingKey, startKms, type TestKms, testKey } from "./testing/kms";
import { startS3, type TestS3 } from "./testing/s3";
import { startStorage, type TestStorage } from "./testing/storage";

const [PRIMARY, COPIES] = ["iconik-prod-backups", "iconik-vault-backup-copies"];
/** Buckets of S3, new ones for each test. */
let [S3, OWN, MEDIA] = ["", "", ""];
let tests = 0;
const SECONDARY = "iconik-files-secondary";
const FILES = 3;
const topology = { datacenter: "emea", nodes: 1, racks: ["rack1"] };
let storage: TestStorage;
let kms: TestKms;
let s3: TestS3;

before(async () => {
  [storage, kms, s3] = await Promise.all([startStorage(), startKms(), startS3()]);
});
after(() => Promise.all([storage.stop(), kms.stop(), s3.stop()]));

beforeEach(async () => {
  storage.refused.clear();
  for (const bucket of [PRIMARY, COPIES, SECONDARY]) await storage.emptyBucket(bucket);
  tests++;
  [S3, OWN, MEDIA] = [`copies-${tests}`, `backups-${tests}`, `files-copies-${tests}`];
  for (const bucket of [S3, OWN, MEDIA]) await s3.createBucket(bucket);
});

const env = () => ({ ...storage.env, ...kms.env, ...s3.env });

/**
 * A night: a backup of both stores, and its copy in the vault.
 * @param youngHours age in which a backup is tonight's at any time of the day
 */
async function night(files = FILES, at = new Date(Date.now() - 3_600_000), youngHours = 2) {
  const name = backupName(at);
  await putBackup(storage, PRIMARY, "cassandra", name, cassandraObjects(name, files));
  await putBackup(storage, PRIMARY, "elasticsearch", name, elasticsearchObjects(7));
  const config = jobConfig("replicate", {
    site: "prod",
    bucket: PRIMARY,
    copiesBucket: COPIES,
    repositories: ["cassandra-emea", "elasticsearch-emea"],
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
    youngHours,
  });
  const { code, lines } = await (await startJob("replicate", config, env())).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
}

const pull = (overrides: Partial<JobInput<"copy-to-s3">> = {}) =>
  startJob(
    "copy-to-s3",
    jobConfig("copy-to-s3", {
      site: "prod",
      copiesBucket: COPIES,
      bucket: s3Url(S3),
      markerKeys: [kms.pem],
      topology,
      ...overrides,
    }),
    env(),
  );

const markers = async () => (await s3.names(S3)).filter((name) => name.startsWith("markers/"));

test("everything of the newest copy comes to S3 as it lies in the vault, the marker byte for byte", async () => {
  await night();
  const { code, lines } = await (await pull()).done;
  const last = lines.at(-1)!;
  assert.equal(code, 0, JSON.stringify(last));
  const theirs = await storage.names(COPIES);
  assert.deepEqual(await s3.names(S3), theirs);
  for (const name of theirs) assert.equal(await s3.get(S3, name), await storage.get(COPIES, name), name);
  assert.equal(last.copied, last.objects);
  // A second run finds it there.
  const again = (await (await pull()).done).lines.at(-1)!;
  assert.deepEqual([again.result, again.copied], ["ok", 0]);
});

test("a second night copies what is new, and a restore brings it back from S3 alone", async () => {
  await night(FILES, new Date(Date.now() - 10 * 3_600_000), 11);
  assert.equal((await (await pull()).done).code, 0);
  await sleep(1000);
  await night(FILES + 5);
  const { lines } = await (await pull()).done;
  const last = lines.at(-1)!;
  assert.equal(last.result, "ok", JSON.stringify(last));
  assert.ok(Number(last.copied) < Number(last.objects), JSON.stringify(last));
  const [, newest] = await markers();
  storage.refused.add(COPIES).add(PRIMARY);
  const restored = await restoreInto(OWN, "latest");
  assert.equal(restored.code, 0, JSON.stringify(restored.lines.at(-1)));
  const id = /copy-[^.]+/.exec(newest!)![0];
  assert.ok((await s3.names(OWN)).includes(restoredPath(id)));
});

/** Brings a copy from S3 into a bucket of the standby's own. */
async function restoreInto(bucket: string, marker: string) {
  const config = jobConfig("restore-copy", {
    source: "prod",
    marker,
    markerKeys: [kms.pem],
    copiesBucket: s3Url(S3),
    bucket: s3Url(bucket),
    accessSeconds: 0,
  });
  return (await startJob("restore-copy", config, env())).done;
}

test("another copy is refused where one was brought in, and the bucket of the next activation takes it", async () => {
  await night(FILES, new Date(Date.now() - 10 * 3_600_000), 11);
  assert.equal((await (await pull()).done).code, 0);
  await sleep(1000);
  await night(FILES + 5);
  assert.equal((await (await pull()).done).code, 0);
  const [older] = (await markers()).map((path) => /copy-[^.]+/.exec(path)![0]);
  assert.equal((await restoreInto(OWN, "latest")).code, 0);
  const before = await s3.names(OWN);
  const refused = await restoreInto(OWN, older!);
  assert.equal(refused.code, FINAL_EXIT_CODE);
  const said = JSON.stringify(refused.lines.at(-1));
  assert.match(said, new RegExp(`s3://${OWN} is being restored from another copy already`));
  assert.doesNotMatch(said, /gs:|fresh site/);
  assert.match(said, /raise iconik-dr:activation of the standby by one.*d4-google-lost\.md/);
  await s3.createBucket(`${OWN}-2`);
  assert.equal((await restoreInto(`${OWN}-2`, older!)).code, 0);
  assert.ok((await s3.names(`${OWN}-2`)).includes(restoredPath(older!)));
  assert.deepEqual(await s3.names(OWN), before);
});

test("a run that is killed names nothing, and the next one ends it", async () => {
  await night(15);
  const { child, done } = await pull({ transfers: 1 });
  while ((await s3.names(S3)).length < 6 && child.exitCode === null) await sleep(10);
  child.kill("SIGKILL");
  const ended = await done;
  assert.equal(ended.code, null, JSON.stringify(ended.lines.at(-1)));
  assert.deepEqual(await markers(), []);
  const { code, lines } = await (await pull()).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  assert.deepEqual(await s3.names(S3), await storage.names(COPIES));
  assert.ok(Number(lines.at(-1)!.copied) < Number(lines.at(-1)!.objects));
});

test("what was changed in S3 is not overwritten, and no marker names it", async () => {
  await night();
  const [, victim] = (await storage.names(COPIES)).filter((name) => name.endsWith("-Data.db"));
  await s3.put(S3, victim!, "something else of another size");
  const { code, lines } = await (await pull()).done;
  assert.equal(code, 3);
  assert.match(JSON.stringify(lines.at(-1)), /holds other content than the vault's copy.*standby-copier/);
  assert.deepEqual(await markers(), []);
});

test("a forged marker in the vault is passed over; without any that is signed there is nothing to pull", async () => {
  await night();
  const forged = markerPath("prod", markerId(new Date(Date.now() + 60_000)));
  await storage.put(COPIES, forged, JSON.stringify({ payload: "e30=", signatures: [] }));
  const { code, lines } = await (await pull()).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  assert.ok(lines.some(({ event }) => event === events.markerRefused));
  assert.equal((await markers()).length, 1);
  assert.ok(!(await s3.names(S3)).includes(forged));
  const other = await (await pull({ markerKeys: [testKey().pem] })).done;
  assert.notEqual(other.code, 0);
  assert.match(String(other.lines.at(-1)!.error), /there is no copy "latest"/);
});

test("a copy that the standby could not take is copied all the same, and told", async () => {
  await night();
  const { code, lines } = await (await pull({ topology: { datacenter: "emea", nodes: 3, racks: ["rack1"] } })).done;
  assert.equal(code, 3);
  assert.ok(lines.some(({ event }) => event === events.standbyContractBroken));
  assert.match(JSON.stringify(lines.at(-1)), /cassandra.nodesPerRegion is 3: copy .* has 1 nodes in emea; set 1/);
  assert.equal((await markers()).length, 1);
});

test("a copy of another night is told, too", async () => {
  await night();
  const { code, lines } = await (await pull({ maxAgeHours: 0.000001 })).done;
  assert.equal(code, 1);
  assert.match(
    String(lines.at(-1)!.error),
    /the vault's newest copy of prod is old: cassandra-emea, elasticsearch-emea/,
  );
  assert.equal((await markers()).length, 1);
});

test("a marker of tonight that carries on a repository's old copy is told, too", async () => {
  await night();
  const key = testKey();
  const [path] = (await storage.names(COPIES)).filter((name) => name.startsWith("markers/"));
  const marker = openMarker((await storage.get(COPIES, path!))!, "prod", /copy-[^.]+/.exec(path!)![0], [kms.pem]);
  marker.id = markerId(new Date(Date.now() + 2000));
  marker.repositories["cassandra-emea"]!.copy = markerId(new Date(Date.now() - 48 * 3_600_000));
  await storage.put(COPIES, markerPath("prod", marker.id), await seal(markerType, JSON.stringify(marker), key));
  const { code, lines } = await (await pull({ markerKeys: [kms.pem, key.pem] })).done;
  assert.equal(code, 1);
  const said = JSON.stringify(lines.at(-1));
  assert.match(said, /the vault's newest copy of prod is old: cassandra-emea".*cassandra-emea: copy-\S+ is 48.0 h old/);
  assert.equal((await markers()).length, 1, "copied all the same");
});

test("an empty vault and one that refuses say so", async () => {
  assert.match(String((await (await pull()).done).lines.at(-1)!.error), /there is no copy "latest" of site "prod"/);
  storage.refused.add(COPIES);
  const { code, lines } = await (await pull()).done;
  assert.notEqual(code, 0);
  assert.match(String(lines.at(-1)!.error), /403|does not have/);
});

test("what the contract wants: datacenter, nodes, racks, both stores' major versions", async () => {
  await night();
  const [path] = (await storage.names(COPIES)).filter((name) => name.startsWith("markers/"));
  const id = /copy-[^.]+/.exec(path!)![0];
  const marker = openMarker((await storage.get(COPIES, path!))!, "prod", id, [kms.pem]);
  assert.deepEqual(contractProblems(marker, topology), []);
  assert.match(
    contractProblems(marker, { ...topology, datacenter: "apac" })[0]!,
    /datacenter is "apac".*it has cassandra-emea/,
  );
  assert.match(contractProblems(marker, { ...topology, racks: ["rack1", "rack2"] })[0]!, /racks is 2 \(rack1, rack2\)/);
  const entry = structuredClone(marker);
  const { manifest } = entry.repositories["cassandra-emea"]!;
  if (manifest.kind === "cassandra") manifest.versions.cassandra = "4.1.9";
  assert.match(contractProblems(entry, topology)[0]!, /was written by 4\.1\.9/);
  const documents = structuredClone(marker);
  const search = documents.repositories["elasticsearch-emea"]!.manifest;
  if (search.kind === "elasticsearch") search.versions.elasticsearch = "99.0.0";
  assert.match(contractProblems(documents, topology)[0]!, /Elasticsearch .* was written by 99\.0\.0 in emea/);
  if (search.kind === "elasticsearch") search.versions.elasticsearch = "1.0.0";
  assert.deepEqual(contractProblems(documents, topology), [], "an older one is read");
});

const pullMedia = (overrides: Partial<JobInput<"copy-media-to-s3">> = {}) =>
  startJob(
    "copy-media-to-s3",
    jobConfig("copy-media-to-s3", {
      name: "iconik-files",
      secondary: SECONDARY,
      bucket: s3Url(MEDIA),
      breaker: { share: 0, floor: 2 },
      ...overrides,
    }),
    env(),
  );

test("media come to S3, removals and overwrites too, below the breaker", async () => {
  for (const name of ["a/1", "a/2", "b/3", "c/4"]) await storage.put(SECONDARY, name, `content of ${name}`);
  const first = await (await pullMedia()).done;
  assert.equal(first.code, 0, JSON.stringify(first.lines.at(-1)));
  assert.ok(first.lines.some(({ event, bucket }) => event === events.mediaPulled && bucket === "iconik-files"));
  assert.deepEqual(await s3.names(MEDIA), ["a/1", "a/2", "b/3", "c/4"]);
  await storage.remove(SECONDARY, "a/1");
  await storage.put(SECONDARY, "b/3", "other content");
  assert.equal((await (await pullMedia()).done).code, 0);
  assert.deepEqual(await s3.names(MEDIA), ["a/2", "b/3", "c/4"]);
  assert.equal(await s3.get(MEDIA, "b/3"), "other content");
  for (const name of ["a/2", "b/3", "c/4"]) await storage.remove(SECONDARY, name);
  const open = await (await pullMedia()).done;
  assert.equal(open.code, 3);
  assert.match(
    JSON.stringify(open.lines.at(-1)),
    /breaker .* is open.*media\.approvals of the standby for iconik-files/,
  );
  assert.deepEqual(await s3.names(MEDIA), ["a/2", "b/3", "c/4"]);
  const date = new Date().toISOString().slice(0, 10);
  assert.equal((await (await pullMedia({ approvals: [{ date, objects: 3 }] })).done).code, 0);
  assert.deepEqual(await s3.names(MEDIA), []);
});

test("states come as they lie, each bucket into a folder; what is gone at Google stays", async () => {
  await storage.put(PRIMARY, ".pulumi/stacks/prod.json", "state 1");
  const copy = () =>
    startJob("copy-states-to-s3", jobConfig("copy-states-to-s3", { buckets: [PRIMARY], bucket: s3Url(OWN) }), env());
  assert.equal((await (await copy()).done).code, 0);
  await storage.put(PRIMARY, ".pulumi/stacks/prod.json", "state 2");
  await storage.put(PRIMARY, ".pulumi/stacks/other.json", "other");
  assert.equal((await (await copy()).done).code, 0);
  assert.equal(await s3.get(OWN, `${PRIMARY}/.pulumi/stacks/prod.json`), "state 2");
  await storage.remove(PRIMARY, ".pulumi/stacks/other.json");
  assert.equal((await (await copy()).done).code, 0);
  assert.equal(await s3.get(OWN, `${PRIMARY}/.pulumi/stacks/other.json`), "other");
});
