/** What the deep verification finds in a damaged copy of a search cluster, and that it always leaves evidence; with an Elasticsearch of the test. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { backupName } from "../plan/layout";
import { FINAL_EXIT_CODE, type JobInput } from "./config";
import type { Evidence } from "./lib/evidence";
import { mappingsDigest } from "./lib/indices";
import { elasticsearchObjects, putBackup } from "./testing/backups";
import { type Respond, startElastic, type TestElastic } from "./testing/elastic";
import { startKms, type TestKms } from "./testing/kms";
import { replicated } from "./testing/replicated";
import { startStorage, type TestStorage } from "./testing/storage";
import { verified } from "./testing/verified";

const [PRIMARY, COPIES, REPOSITORY] = ["iconik-prod-backups", "iconik-vault-backup-copies", "elasticsearch-emea"];
/** The job finds the server beside it at its own address. */
const ADDRESS = "127.78.9.5";

let storage: TestStorage;
let kms: TestKms;
let elastic: TestElastic;
let work: string;
/** Answers that differ from those to a copy that is whole, by method and path. */
let answers: Record<string, ReturnType<Respond> | (() => ReturnType<Respond>)>;

before(async () => {
  work = mkdtempSync(join(tmpdir(), "verify-elasticsearch-"));
  [storage, kms, elastic] = await Promise.all([
    startStorage(),
    startKms(),
    startElastic((...request) => respond(...request), [ADDRESS, 9200]),
  ]);
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
  const night = backupName(new Date(Date.now() - 3_600_000));
  await putBackup(storage, PRIMARY, "elasticsearch", night, elasticsearchObjects(7));
  await replicated(storage, kms, { bucket: PRIMARY, copiesBucket: COPIES, repository: REPOSITORY });
});
after(async () => {
  await Promise.all([storage.stop(), kms.stop(), elastic.stop()]);
  rmSync(work, { recursive: true, force: true });
});
beforeEach(() => {
  answers = {};
});

const health = (status: string, busy = 0): ReturnType<Respond> => [
  200,
  { initializing_shards: busy, number_of_pending_tasks: 0, indices: { assets: { status } } },
];
const page = (hits: unknown[]): ReturnType<Respond> => [
  200,
  { _scroll_id: "s", _shards: { total: 1, successful: 1 }, hits: { hits } },
];

/** A server into which the copy comes back whole. */
const respond: Respond = (method, path) => {
  const key = `${method} ${path}`;
  if (key in answers) {
    const answer = answers[key];
    return typeof answer === "function" ? answer() : answer;
  }
  if (path === "/") return [200, { version: { number: "9.2.0" } }];
  if (path === "/_cluster/health") return health("green");
  if (path.endsWith("/_verify_integrity")) return [200, { results: { result: "pass", total_anomalies: 0 } }];
  if (path === "/assets/_search") return page([{ _id: "1", _source: {} }]);
  if (path === "/_search/scroll") return page([]);
  if (path === "/assets/_count") return [200, { count: 1, _shards: { successful: 1 } }];
  if (path === "/assets/_mapping") return [200, { assets: { mappings: {} } }];
  return [200, {}];
};

/** Runs the job. @returns its exit code, how long it took and the evidence that it left */
async function verify(
  change: Partial<JobInput<"verify-copy">> = {},
): Promise<{ code: number | null; seconds: number; evidence: Evidence }> {
  const config = { site: "prod", repository: REPOSITORY, copiesBucket: COPIES, markerKeys: [kms.pem], work };
  const began = Date.now();
  const { code, last, path, evidence } = await verified(
    storage,
    { ...config, timeoutSeconds: 300, pollSeconds: 0.1, ...change },
    ADDRESS,
  );
  const seconds = (Date.now() - began) / 1000;
  assert.ok(evidence && path?.endsWith(`-${evidence.result}.json`), `evidence: ${path}; ${JSON.stringify(last)}`);
  return { code, seconds, evidence };
}

async function failed(words: RegExp, change: Partial<JobInput<"verify-copy">> = {}): Promise<Evidence> {
  const { code, seconds, evidence } = await verify(change);
  assert.deepEqual([code, evidence.result], [FINAL_EXIT_CODE, "failed"], JSON.stringify(evidence));
  assert.ok(seconds < 180, `${seconds} s`);
  assert.match(evidence.problems.join("\n"), words);
  return evidence;
}

test("a whole copy is read, and mappings that differ from the manifest's are a note", async () => {
  const { code, evidence } = await verify();
  assert.deepEqual([code, evidence.result, evidence.nodes[0]?.parts[0]?.rows], [0, "ok", 1]);
  assert.match(evidence.notes.join(), /assets: its mappings are not those of the manifest/);
  assert.notEqual(mappingsDigest({}), mappingsDigest(undefined));
});

test("a shard that stays red ends the wait, with the server's reason; one that is restored does not", async () => {
  let looks = 0;
  // The first is of the server itself.
  answers["GET /_cluster/health"] = () => health("red", ++looks < 8 ? 1 : 0);
  answers["GET /_cat/shards/assets"] = [
    200,
    [{ shard: "0", state: "UNASSIGNED", "unassigned.details": "CorruptIndexException[checksum failed]" }],
  ];
  await failed(/assets was not restored whole, it is red: shard 0 is UNASSIGNED, CorruptIndexException/);
  assert.ok(looks > 8, `${looks} looks`);
  // A container that is started again in the same pod meets them: they are no reason to wait for the server.
  assert.ok(!elastic.requests.some((request) => request.includes("wait_for_status")), "it waits for a colour");
});

test("a restore that never ends leaves evidence when the time is over", async () => {
  answers["GET /_cluster/health"] = () => health("yellow", 1);
  const { seconds, evidence } = await verify({ timeoutSeconds: 20 });
  assert.match(evidence.problems.join(), /assets was not restored whole in time, it is yellow/);
  assert.ok(seconds < 180, `${seconds} s`);
});

test("a server that never answers leaves evidence that says so", async () => {
  answers["GET /_cluster/health"] = undefined;
  const { server, nodes } = await failed(/the throwaway Elasticsearch did not answer in time: no answer to GET/, {
    timeoutSeconds: 5,
  });
  assert.deepEqual([server, nodes], ["unknown", []]);
});

test("anomalies of the repository leave some, and the rest is read all the same", async () => {
  answers[`POST /_snapshot/copy/_verify_integrity`] = [200, { results: { result: "fail", total_anomalies: 2 } }];
  const { nodes } = await failed(/_verify_integrity: 2 anomalies/);
  assert.equal(nodes[0]?.parts[0]?.rows, 1);
});

test("a check that is refused or not answered in time leaves some", async () => {
  answers["POST /_snapshot/copy/_verify_integrity"] = [500, { error: "RepositoryException[[copy] corrupted data]" }];
  await failed(/cannot be checked: .*corrupted data/);
  answers["POST /_snapshot/copy/_verify_integrity"] = undefined;
  await failed(/cannot be checked: no answer to POST .*_verify_integrity/, { timeoutSeconds: 10 });
});

test("a restore that is refused leaves some: a damaged listing, or more shards than a node may hold", async () => {
  const { backup } = (await verify()).evidence;
  answers[`POST /_snapshot/copy/${backup}/_restore`] = [
    500,
    { error: "this cluster currently has [1000]/[1000] shards" },
  ];
  const { nodes } = await failed(/cannot be restored: .*\[1000\]\/\[1000\] shards/);
  assert.deepEqual(nodes, []);
});
