/** The deep verification of a copy of Cassandra leaves evidence when its server says nothing; the test has no Cassandra. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { backupName } from "../plan/layout";
import { FINAL_EXIT_CODE } from "./config";
import type { Evidence } from "./lib/evidence";
import { cassandraObjects, putBackup } from "./testing/backups";
import { startKms, type TestKms } from "./testing/kms";
import { replicated } from "./testing/replicated";
import { startStorage, type TestStorage } from "./testing/storage";
import { verified } from "./testing/verified";

const [PRIMARY, COPIES, REPOSITORY] = ["iconik-prod-backups", "iconik-vault-backup-copies", "cassandra-emea"];
/** Nobody listens at the first; the second takes connections and says nothing. */
const [ABSENT, SILENT] = ["127.78.9.6", "127.78.9.7"];

let storage: TestStorage;
let kms: TestKms;
let silent: Server;
const connected = new Set<Socket>();
let work: string;

before(async () => {
  work = mkdtempSync(join(tmpdir(), "verify-cassandra-"));
  [storage, kms] = await Promise.all([startStorage(), startKms()]);
  silent = createServer((socket) => connected.add(socket));
  await new Promise<void>((resolve) => silent.listen(9042, SILENT, resolve));
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
  const night = backupName(new Date(Date.now() - 3_600_000));
  await putBackup(storage, PRIMARY, "cassandra", night, cassandraObjects(night, 1));
  await replicated(storage, kms, { bucket: PRIMARY, copiesBucket: COPIES, repository: REPOSITORY });
});
after(async () => {
  for (const socket of connected) socket.destroy();
  await Promise.all([storage.stop(), kms.stop(), new Promise((resolve) => silent.close(resolve))]);
  rmSync(work, { recursive: true, force: true });
});

/** A verification whose time was over. @returns its evidence */
async function timedOut(address: string): Promise<Evidence> {
  const began = Date.now();
  const config = { site: "prod", repository: REPOSITORY, copiesBucket: COPIES, markerKeys: [kms.pem], work };
  const limits = { timeoutSeconds: 8, pollSeconds: 0.1 };
  const { code, last, path, evidence } = await verified(storage, { ...config, ...limits }, address);
  assert.deepEqual([code, evidence?.result], [FINAL_EXIT_CODE, "failed"], JSON.stringify(last));
  assert.ok(path?.endsWith("-failed.json"), path);
  const seconds = (Date.now() - began) / 1000;
  assert.ok(seconds < 180, `${seconds} s`);
  return evidence!;
}

test("a server that never answers leaves evidence that says so, with what was found before", async () => {
  const { problems } = await timedOut(ABSENT);
  assert.match(problems.join("\n"), /node node-1: schema\.cql has the digest/);
  assert.match(problems.join("\n"), /node node-1: the throwaway Cassandra did not answer in time: .*ECONNREFUSED/);
});

test("so does one that takes connections and says nothing", async () => {
  const { problems } = await timedOut(SILENT);
  assert.match(problems.at(-1)!, /not done in 8 s: node node-1: the throwaway Cassandra is awaited/);
});
