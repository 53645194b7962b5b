/** One Elasticsearch snapshot in the second copy, restored into a throwaway node and read in full. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobConfig } from "../config";
import { bring } from "./bring";
import type { Limits } from "./cql";
import { CALL_SECONDS, type Elasticsearch, ElasticsearchError, elasticsearchOf, NoAnswerError } from "./elastic";
import type { Counted } from "./evidence";
import { type ManifestIndex, sameMappings } from "./indices";
import { log } from "./log";
import type { ElasticsearchManifest } from "./manifest";
import { scanIndex } from "./scan";
import type { Copy } from "./verify-cassandra";
import { type Found, TimeOver, type Verifying } from "./verifying";
import { waitFor } from "./wait";

type Config = JobConfig<"verify-copy">;

/** Name of the copy in the throwaway node. */
const COPY = "copy";

/**
 * Brings the copy onto the shared disk, where its layers become one repository again, registers it read-only, lets the server
 * check it, restores the snapshot and reads every document. The server reaches no storage. In memory lies a batch of names and
 * a page of documents.
 *
 * Whatever the server says about the copy or does not say in time is a finding and ends nothing before its evidence is written.
 * @throws TimeOver when the server does not answer at all
 */
export async function verifyElasticsearch(
  config: Config,
  { list }: Copy,
  head: ElasticsearchManifest,
  host: string,
  verifying: Verifying,
): Promise<void> {
  const { found, left } = verifying;
  const call = within(elasticsearchOf({ url: `http://${host}:9200` }), left);
  verifying.doing = "the throwaway Elasticsearch is awaited";
  found.server = await version(call, { pollSeconds: config.pollSeconds, timeoutSeconds: left() });
  const { copiesBucket, site, transfers } = config;
  const folder = join(config.work, "repository");
  await rm(folder, { recursive: true, force: true });
  verifying.doing = "the copy is brought";
  const brought = await bring({ copiesBucket, site, list, folder, transfers }, () => true);
  Object.assign(found, { objects: brought.objects, bytes: brought.bytes });
  found.problems.push(...(brought.findings.count > 0 ? brought.findings.shown() : []));
  log("copy brought", { objects: found.objects, bytes: found.bytes });
  const location = join(folder, head.repository);
  verifying.doing = "the repository is checked and restored";
  const told = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      found.problems.push(`${what}: ${(error as Error).message.slice(0, 500)}`);
    }
  };
  await told("the repository cannot be registered", () =>
    call("PUT", `/_snapshot/${COPY}`, { type: "fs", settings: { location, readonly: true } }),
  );
  await told("the repository cannot be checked", () => checkIntegrity(call, found, left()));
  await told("the snapshot cannot be restored", async () => {
    await restore(call, head, left());
    const whole = await wholeOnes(call, head, found, { pollSeconds: config.pollSeconds, timeoutSeconds: left() });
    found.nodes.push({ host: head.repository, parts: await readAll(call, whole, found) });
  });
}

/** A client each of whose calls ends when no time is left: then it is time to report. */
function within(call: Elasticsearch, left: () => number): Elasticsearch {
  return async (method, path, body, silence = CALL_SECONDS) => {
    if (left() === 0) throw new NoAnswerError(`${method} ${path}`, 0);
    return call(method, path, body, Math.min(silence, left()));
  };
}

async function restore(call: Elasticsearch, head: ElasticsearchManifest, seconds: number): Promise<void> {
  // An earlier attempt's. By name: a server deletes nothing by wildcards (action.destructive_requires_name).
  for (const { name } of head.indices) await call("DELETE", `/${encodeURIComponent(name)}?ignore_unavailable=true`);
  const body = {
    indices: "*",
    include_global_state: false,
    include_aliases: false,
    // One node holds no replicas. Neither setting may be left out of a restore; both may be others.
    index_settings: { "index.number_of_replicas": 0, "index.auto_expand_replicas": false },
  };
  // Accepted when a file of each index was read.
  await call("POST", `/_snapshot/${COPY}/${head.backup}/_restore?wait_for_completion=false`, body, seconds);
}

/** Reads indices in full and compares them with the manifest. @returns what was read, by index */
async function readAll(call: Elasticsearch, indices: readonly ManifestIndex[], found: Found): Promise<Counted[]> {
  const parts: Counted[] = [];
  for (const index of indices) {
    const { name, shards } = index;
    const url = `/${encodeURIComponent(name)}`;
    try {
      const digest = await scanIndex(call, name);
      const counted = await call<{ count: number; _shards: { successful: number } }>("GET", `${url}/_count`);
      if (counted.count !== digest.count) {
        found.problems.push(`${name}: ${digest.count} documents were read, ${counted.count} are counted`);
      }
      if (counted._shards.successful !== shards) {
        found.problems.push(`${name}: ${counted._shards.successful} shards, expected ${shards}`);
      }
      if (!(await sameMappings(call, index))) {
        // Read beside the snapshot, not in it: a field that came in that moment is no damage.
        found.notes.push(`${name}: its mappings are not those of the manifest, which were read after the snapshot`);
      }
      parts.push({ name, rows: digest.count, digest: String(digest) });
    } catch (error) {
      found.problems.push(`${name} cannot be read: ${(error as Error).message.slice(0, 300)}`);
      if (error instanceof NoAnswerError && error.seconds === 0) break;
    }
  }
  log("indices read", { indices: parts.length, documents: parts.reduce((sum, part) => sum + part.rows, 0) });
  return parts;
}

function version(call: Elasticsearch, limits: Limits): Promise<string> {
  return waitFor<string, string>(
    async () => {
      try {
        // Of any colour: what an earlier attempt in this pod has restored of a damaged copy is red until it is removed.
        await call("GET", "/_cluster/health?timeout=5s");
        return { done: (await call<{ version: { number: string } }>("GET", "/")).version.number };
      } catch (error) {
        return { seen: (error as Error).message };
      }
    },
    { ...limits, onTimeout: (seen) => new TimeOver(`the throwaway Elasticsearch did not answer in time: ${seen}`) },
  );
}

/** The repository's own check: every file of every snapshot against its checksums (Elasticsearch since 8.16). */
async function checkIntegrity(call: Elasticsearch, found: Found, seconds: number): Promise<void> {
  try {
    // Streamed, a piece when an index is read: that may be terabytes, and 40 MB a second if nobody says otherwise.
    const { results, exception } = await call<{
      results?: { result: string; total_anomalies: number };
      exception?: { type?: string; reason?: string };
    }>(
      "POST",
      `/_snapshot/${COPY}/_verify_integrity?verify_blob_contents=true&max_bytes_per_sec=1gb`,
      undefined,
      seconds,
    );
    if (results?.result === "pass") return;
    found.problems.push(
      results
        ? `_verify_integrity: ${results.total_anomalies} anomalies`
        : `_verify_integrity ended early: ${exception?.reason ?? exception?.type ?? "no result"}`,
    );
  } catch (error) {
    if (!(error instanceof ElasticsearchError) || ![400, 404, 405].includes(error.status)) throw error;
    found.notes.push(`the server has no _verify_integrity: it answered ${error.status}`);
  }
}

/** Looks in a row at which nothing moves, after which nothing will. */
const LOOKS = 3;

/**
 * Waits until every index is whole, or nothing moves any more: a shard whose files are damaged or missing is tried a few times,
 * then stays red for good. What is not whole becomes a problem, with the server's reason.
 * @returns the indices that are whole
 */
async function wholeOnes(
  call: Elasticsearch,
  head: ElasticsearchManifest,
  found: Found,
  limits: Limits,
): Promise<ManifestIndex[]> {
  interface Health {
    initializing_shards: number;
    number_of_pending_tasks: number;
    indices: Record<string, { status: string }>;
  }
  let still = 0;
  let status = (_name: string): string => "not seen";
  await waitFor<true, string>(async (left) => {
    try {
      const health = await call<Health>("GET", "/_cluster/health?level=indices&timeout=5s");
      status = (name) => health.indices[name]?.status ?? "absent";
      still = health.initializing_shards + health.number_of_pending_tasks > 0 ? 0 : still + 1;
    } catch (error) {
      // It may be busy, or start again after its memory was not enough.
      log("the server does not answer", { error: (error as Error).message });
    }
    const done = head.indices.every(({ name }) => status(name) === "green") || still >= LOOKS || left <= 0;
    return done ? { done } : { seen: "shards are restored" };
  }, limits);
  const lacking = head.indices.filter(({ name }) => status(name) !== "green");
  const how = still >= LOOKS ? "was not restored whole" : "was not restored whole in time";
  for (const [place, { name }] of lacking.entries()) {
    const reason = place < REASONS ? await reasonOf(call, name) : "";
    found.problems.push(`${name} ${how}, it is ${status(name)}${reason}`);
  }
  return head.indices.filter((index) => !lacking.includes(index));
}

/** Indices that are asked why they are not whole. */
const REASONS = 20;

/** Why the first of an index's shards that is not there is not; empty when the server does not say. */
async function reasonOf(call: Elasticsearch, name: string): Promise<string> {
  interface Shard {
    shard: string;
    state: string;
    "unassigned.details"?: string | null;
  }
  const url = `/_cat/shards/${encodeURIComponent(name)}?format=json&h=shard,state,unassigned.details`;
  const shards = await call<Shard[]>("GET", url).catch(() => []);
  const lacking = shards.find(({ state }) => state !== "STARTED");
  // The cause is the last of a nest of exceptions.
  const details = lacking?.["unassigned.details"]?.slice(-500);
  return lacking === undefined ? "" : `: shard ${lacking.shard} is ${lacking.state}${details ? `, ${details}` : ""}`;
}
