/** What the standby brings back, with the real rclone: from an S3 to a Cloud Storage where nothing can be replaced, and on through the vault. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { backupName, manifestPath } from "../plan/layout";
import { s3Url, standbySite } from "../plan/standby";
import { jobConfig } from "./config";
import { cassandraObjects, elasticsearchObjects, putBackup } from "./testing/backups";
import { startJob } from "./testing/job";
import { signingKey, startKms, type TestKms } from "./testing/kms";
import { startS3, type TestS3 } from "./testing/s3";
import { startStorage, type TestStorage } from "./testing/storage";

const [ARRIVAL, COPIES] = ["iconik-vault-failback", "iconik-vault-backup-copies"];
const repositories = ["cassandra-emea", "elasticsearch-emea"];
let own = "";
let tests = 0;
let storage: TestStorage;
let kms: TestKms;
let s3: TestS3;

before(async () => {
  [storage, kms, s3] = await Promise.all([startStorage(), startKms(), startS3()]);
});
after(() => Promise.all([storage.stop(), kms.stop(), s3.stop()]));
beforeEach(async () => {
  for (const bucket of [ARRIVAL, COPIES]) {
    storage.appendOnly.delete(bucket);
    await storage.emptyBucket(bucket);
    storage.appendOnly.add(bucket);
  }
  own = `backups-${++tests}`;
  await s3.createBucket(own);
});

/** Backups of both stores in S3, beside what a restore left there. */
async function backUp(at: Date, files: number): Promise<string> {
  const name = backupName(at);
  await s3.put(own, "restores/started.json", "{}");
  await putBackup(s3, own, "cassandra", name, cassandraObjects(name, files));
  await putBackup(s3, own, "elasticsearch", name, elasticsearchObjects(7));
  return name;
}

const env = () => ({ ...storage.env, ...kms.env, ...s3.env });
const bringBack = async () => {
  const config = jobConfig("return-backups", { bucket: s3Url(own), failbackBucket: ARRIVAL, repositories });
  const { code, lines } = await (await startJob("return-backups", config, env())).done;
  return { code, last: lines.at(-1)! };
};

test("the newest backups arrive whole, again without a change, and the vault copies them as a site's", async () => {
  const name = await backUp(new Date(Date.now() - 60_000), 3);
  const first = await bringBack();
  assert.equal(first.code, 0, JSON.stringify(first.last));
  const arrived = await storage.names(ARRIVAL);
  assert.ok(arrived.includes(manifestPath("cassandra-emea", name)));
  assert.ok(!arrived.some((each) => each.startsWith("restores/")), "what is no backup stays where it is");
  for (const each of arrived) assert.equal(await storage.get(ARRIVAL, each), await s3.get(own, each), each);
  const second = await bringBack();
  assert.deepEqual([second.code, second.last.copied], [0, 0]);
  const config = jobConfig("replicate", {
    site: standbySite,
    bucket: ARRIVAL,
    copiesBucket: COPIES,
    repositories,
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
  });
  const { code, lines } = await (await startJob("replicate", config, env())).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
});

test("a backup of before the window brings nothing", async () => {
  await backUp(new Date(Date.now() - 7 * 3_600_000), 3);
  const { code, last } = await bringBack();
  assert.notEqual(code, 0);
  assert.match(String(last.error), /last backups are not there/);
  assert.deepEqual(await storage.names(ARRIVAL), []);
});

test("what lies there from another backup is never replaced", async () => {
  await backUp(new Date(Date.now() - 60_000), 3);
  await storage.put(ARRIVAL, "elasticsearch-emea/index.latest", "another one");
  const { code, last } = await bringBack();
  assert.notEqual(code, 0);
  assert.match(String(last.error), /holds other content/);
});

test("an object that is damaged in S3 is noticed", async () => {
  await backUp(new Date(Date.now() - 60_000), 3);
  await s3.put(own, "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db", "sstable X");
  const { code } = await bringBack();
  assert.notEqual(code, 0);
  assert.ok(!(await storage.names(ARRIVAL)).some((each) => each.startsWith("manifests/cassandra-emea/")));
});
