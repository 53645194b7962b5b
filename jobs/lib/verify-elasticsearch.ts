/** One Elasticsearch snapshot in the second copy, restored into a throwaway node and read in full. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobConfig } from "../config";
import { bring } from "./bring";
import { type Elasticsearch, ElasticsearchError, elasticsearchOf, find } from "./elastic";
import { JobError, log } from "./log";
import type { ElasticsearchManifest } from "./manifest";
import { scanIndex } from "./scan";
import type { Copy, Found } from "./verify-cassandra";
import { waitFor } from "./wait";

type Config = JobConfig<"verify-copy">;

/** Name of the copy in the throwaway node. */
const COPY = "copy";

/**
 * Brings the copy onto the shared disk, where its layers become one repository again, registers it read-only, lets the server
 * check it, restores the snapshot and reads every document. The server reaches no storage. In memory lies a batch of names and
 * a page of documents.
 */
export async function verifyElasticsearch(
  config: Config,
  { list }: Copy,
  head: ElasticsearchManifest,
  host: string,
): Promise<Found> {
  const found: Found = { problems: [], notes: [], server: "unknown", objects: 0, bytes: 0, nodes: [] };
  const call = elasticsearchOf({ url: `http://${host}:9200` });
  found.server = await version(call, config);
  const { copiesBucket, site, transfers } = config;
  const folder = join(config.work, "repository");
  await rm(folder, { recursive: true, force: true });
  const brought = await bring({ copiesBucket, site, list, folder, transfers }, () => true);
  Object.assign(found, { objects: brought.objects, bytes: brought.bytes });
  found.problems.push(...(brought.findings.count > 0 ? brought.findings.shown() : []));
  log("copy brought", { objects: found.objects, bytes: found.bytes });
  const location = join(folder, head.repository);
  await call("PUT", `/_snapshot/${COPY}`, { type: "fs", settings: { location, readonly: true } });
  await checkIntegrity(call, found, config);
  // An earlier attempt's. By name: a server deletes nothing by wildcards (action.destructive_requires_name).
  for (const { name } of head.indices) await call("DELETE", `/${encodeURIComponent(name)}?ignore_unavailable=true`);
  await call("POST", `/_snapshot/${COPY}/${head.backup}/_restore?wait_for_completion=false`, {
    indices: "*",
    include_global_state: false,
    include_aliases: false,
    // One node holds no replicas. Neither setting may be left out of a restore; both may be others.
    index_settings: { "index.number_of_replicas": 0, "index.auto_expand_replicas": false },
  });
  await whole(call, head, config);
  const parts: Found["nodes"][number]["parts"] = [];
  for (const { name, shards } of head.indices) {
    try {
      const digest = await scanIndex(call, name);
      const counted = await call<{ count: number; _shards: { successful: number } }>(
        "GET",
        `/${encodeURIComponent(name)}/_count`,
      );
      if (counted.count !== digest.count) {
        found.problems.push(`${name}: ${digest.count} documents were read, ${counted.count} are counted`);
      }
      if (counted._shards.successful !== shards) {
        found.problems.push(`${name}: ${counted._shards.successful} shards, expected ${shards}`);
      }
      parts.push({ name, rows: digest.count, digest: String(digest) });
    } catch (error) {
      found.problems.push(`${name} cannot be read: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  found.nodes.push({ host: head.repository, parts });
  log("indices read", { indices: parts.length, documents: parts.reduce((sum, part) => sum + part.rows, 0) });
  return found;
}

function version(call: Elasticsearch, config: Config): Promise<string> {
  return waitFor<string, string>(
    async () => {
      try {
        await call("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s");
        return { done: (await call<{ version: { number: string } }>("GET", "/")).version.number };
      } catch (error) {
        return { seen: (error as Error).message };
      }
    },
    { ...config, onTimeout: (seen) => new JobError("the throwaway Elasticsearch does not answer", { value: seen }) },
  );
}

/** The repository's own check: every file of every snapshot against its checksums (Elasticsearch since 8.16). */
async function checkIntegrity(call: Elasticsearch, found: Found, { timeoutSeconds }: Config): Promise<void> {
  try {
    // Streamed, a piece when an index is read: that may be terabytes, and 40 MB a second if nobody says otherwise.
    const { results, exception } = await call<{
      results?: { result: string; total_anomalies: number };
      exception?: { type?: string; reason?: string };
    }>(
      "POST",
      `/_snapshot/${COPY}/_verify_integrity?verify_blob_contents=true&max_bytes_per_sec=1gb`,
      undefined,
      timeoutSeconds,
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

async function whole(call: Elasticsearch, head: ElasticsearchManifest, config: Config): Promise<void> {
  await waitFor<true, string[]>(
    async () => {
      const waiting: string[] = [];
      for (const { name } of head.indices) {
        const health = await find<{ status: string }>(
          call,
          `/_cluster/health/${encodeURIComponent(name)}?timeout=1s`,
        ).catch((error: Error) => ({ status: error.message }));
        if (health?.status !== "green") waiting.push(`${name}: ${health?.status ?? "absent"}`);
      }
      return waiting.length === 0 ? { done: true } : { seen: waiting };
    },
    {
      ...config,
      onTimeout: (waiting) => new JobError("the snapshot was not restored whole in time", { value: waiting }),
    },
  );
}
