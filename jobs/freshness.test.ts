/** The exporter as its own process against a storage, with the real rclone: fresh, empty, forged, refused. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { metrics } from "../plan/freshness";
import { backupName, evidencePath, listingPath, manifestPath, markerId, markerPath } from "../plan/layout";
import { freePort } from "../sandbox/lib/process";
import { jobConfig } from "./config";
import { lateAfter, newestBackup, newestCopy, newestEvidence } from "./lib/newest";
import { type RunningJob, startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const [PRIMARY, COPIES] = ["iconik-prod-backups", "iconik-vault-backup-copies"];
const REPOSITORIES = ["cassandra-emea", "elasticsearch-emea"];
let storage: TestStorage;
let job: RunningJob | undefined;

before(async () => {
  storage = await startStorage();
});
after(() => storage.stop());
beforeEach(async () => {
  storage.refused.clear();
  storage.listOnly.clear();
  storage.refusals = 0;
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
});
afterEach(end);

async function end(): Promise<void> {
  job?.child.kill("SIGTERM");
  await job?.done;
  job = undefined;
}

/** Values by `metric{labels}`. */
function values(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** Starts the exporter and returns how to scrape it; `until` waits for a scrape that satisfies. */
async function exporter() {
  const port = await freePort();
  const config = jobConfig("freshness", {
    sites: [{ name: "prod", bucket: PRIMARY, repositories: REPOSITORIES }],
    copiesBucket: COPIES,
    port,
    lookSeconds: 0.2,
  });
  job = await startJob("freshness", config, { ...storage.env, POD_IP: "127.0.0.1" });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const until = async (wanted: (found: Map<string, number>) => boolean | Promise<boolean>) => {
    let seen = new Map<string, number>();
    for (let tries = 0; tries < 600; tries++) {
      seen = await get("/metrics")
        .then(async (response) => values(await response.text()))
        .catch(() => new Map());
      if (await wanted(seen)) return seen;
      await sleep(100);
    }
    throw new Error(`not seen: ${JSON.stringify([...seen])}`);
  };
  return { get, until };
}

const backupOf = (repository: string) => `${metrics.backup}{site="prod",repository="${repository}"}`;
const copyOf = (repository: string) => `${metrics.copy}{site="prod",repository="${repository}"}`;
const COPY = copyOf("cassandra-emea");
const LOOKED = `${metrics.looked}{site="prod"}`;
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

test("the newest backups and copies are served, none as 0, and new ones are noticed", async () => {
  const now = new Date();
  const [old, fresh] = [new Date(now.getTime() - 50 * 3600_000), new Date(now.getTime() - 3600_000)];
  for (const at of [fresh, old]) {
    await storage.put(PRIMARY, manifestPath("cassandra-emea", backupName(at, "emea")), "{}");
    await storage.put(COPIES, markerPath("prod", markerId(at)), "{}");
    await storage.put(COPIES, listingPath("prod", markerId(at), "cassandra-emea"), "{}");
  }
  await storage.put(COPIES, markerPath("other", markerId(now)), "{}");
  // The newer of the two runs carried on what the older one had copied.
  await storage.put(COPIES, listingPath("prod", markerId(old), "elasticsearch-emea"), "{}");
  await storage.put(PRIMARY, "cassandra/node-1/data/media/files/nb-1-big-Data.db", "rows");
  // What it may do is list: anything else would be refused, and an alert.
  storage.listOnly.add(PRIMARY).add(COPIES);
  const { get, until } = await exporter();
  const seen = await until((found) => found.has(COPY));
  assert.equal(seen.get(backupOf("cassandra-emea")), seconds(fresh));
  assert.equal(seen.get(backupOf("elasticsearch-emea")), 0);
  assert.equal(seen.get(COPY), seconds(fresh));
  assert.equal(seen.get(copyOf("elasticsearch-emea")), seconds(old), "one repository's copy says nothing of another's");
  assert.equal(storage.refusals, 0);
  // It is well for as long as the looks go on: a look may be slow here.
  await until(async () => (await get("/healthz")).status === 200);
  assert.equal((await get("/")).status, 404);

  await storage.put(PRIMARY, manifestPath("elasticsearch-emea", backupName(now)), "{}");
  const later = await until((found) => found.get(backupOf("elasticsearch-emea")) === seconds(now));
  assert.equal(later.get(backupOf("cassandra-emea")), seconds(fresh));
});

test("refused, it says so, serves on, and the last look grows old", async () => {
  const { get, until } = await exporter();
  await until((found) => found.has(COPY));
  storage.refused.add(PRIMARY);
  // Looks follow each other: the ones before the first that is refused have ended.
  await until(() => storage.refusals > 0);
  const before = values(await (await get("/metrics")).text());
  const refusals = storage.refusals;
  await until(() => storage.refusals > refusals + 10);
  const during = values(await (await get("/metrics")).text());
  assert.equal(during.get(COPY), 0, "what it knew stays");
  assert.equal(during.get(LOOKED), before.get(LOOKED));
  storage.refused.clear();
  await until((found) => found.get(LOOKED)! > during.get(LOOKED)!);
  job?.child.kill("SIGTERM");
  const { lines } = await job!.done;
  assert.ok(lines.some(({ severity, what }) => severity === "ERROR" && what === "prod"));
});

test("names without a moment and moments of the future are nobody's freshness", () => {
  const now = new Date("2026-01-15T12:00:00Z");
  const path = (name: string) => `manifests/cassandra-emea/${name}.json`;
  const good = path("night-emea-20260115t010000z");
  assert.equal(
    newestBackup("cassandra-emea", [good, path("zzz"), path("night-emea-20990101t000000z")], now),
    1768438800,
  );
  assert.equal(newestBackup("cassandra-emea", [], now), 0);
  assert.equal(newestBackup("cassandra-amer", [good], now), 0);
});

test("a repository's copy counts by its list beside a marker: what was carried on or cut off does not", () => {
  const now = new Date("2026-01-15T12:00:00Z");
  const [first, second, cutOff] = ["copy-20260114t020000z", "copy-20260115t020000z", "copy-20260115t040000z"] as const;
  const markers = [first, second, "copy-20990101t000000z"].map((id) => markerPath("prod", id));
  const list = (id: string, repository: string, site = "prod") => listingPath(site, id, repository);
  const lists = [
    ...REPOSITORIES.map((repository) => list(first, repository)),
    list(second, "elasticsearch-emea"),
    list(second, "cassandra-emea", "other"),
    list(cutOff, "cassandra-emea"),
    list("copy-20990101t000000z", "cassandra-emea"),
  ];
  const newest = (repository: string) =>
    newestCopy("prod", repository, [...markers, "markers/prod/x.json"], lists, now);
  assert.equal(newest("elasticsearch-emea"), Date.parse("2026-01-15T02:00:00Z") / 1000);
  assert.equal(newest("cassandra-emea"), Date.parse("2026-01-14T02:00:00Z") / 1000);
  assert.equal(newest("cassandra-amer"), 0);
});

test("evidence counts by its repository and result; a name of the future, or of another site, does not", () => {
  const now = new Date("2026-01-15T12:00:00Z");
  const [marker, repository] = ["copy-20260110t020000z", "cassandra-emea"];
  const path = (moment: string, result: "ok" | "failed", of = repository, site = "prod") =>
    evidencePath(site, marker, of, moment, result);
  const paths = [
    path("20260110t070000z", "ok"),
    path("20260103t070000z", "ok"),
    path("20260112t070000z", "failed"),
    path("20990101t000000z", "ok"),
    path("20260113t070000z", "ok", "cassandra-emea2"),
    path("20260113t070000z", "ok", repository, "other"),
    `evidence/prod/${marker}/${repository}-x-ok.json`,
    `evidence/prod/${repository}-20260114t000000z-ok.json`,
  ];
  assert.equal(newestEvidence("prod", repository, "ok", paths, now), Date.parse("2026-01-10T07:00:00Z") / 1000);
  assert.equal(newestEvidence("prod", repository, "failed", paths, now), Date.parse("2026-01-12T07:00:00Z") / 1000);
  assert.equal(newestEvidence("prod", "elasticsearch-emea", "ok", paths, now), 0);
});

test("a job is late after its longest gap and the time that a run may take", () => {
  const now = new Date("2026-01-15T12:00:00Z");
  assert.equal(lateAfter("0 2 * * *", "Etc/UTC", 3600, now), 25 * 3600);
  assert.equal(lateAfter("0 2 * * 1-5", undefined, 0, now), 72 * 3600, "over the weekend");
  assert.equal(lateAfter("0 3 * * 0", "Etc/UTC", 60, now), 7 * 24 * 3600 + 60);
});
