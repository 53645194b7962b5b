/**
 * Restores one Elasticsearch cluster from the site's own bucket: registers the repository read-only, restores the indices
 * of the manifest, waits until they are whole, compares them with the manifest, then opens the repository for the new
 * site's own snapshots. May be repeated: what came from this snapshot is recognised, nothing with documents is deleted.
 */
import { createHash } from "node:crypto";
import { elasticsearchVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { newestDocument } from "./lib/canaries";
import { canonical } from "./lib/canonical";
import {
  connect,
  type Elasticsearch,
  ElasticsearchError,
  find,
  repositoryBody,
  snapshotRepository,
} from "./lib/elastic";
import { type Fields, JobError, log, some } from "./lib/log";
import type { ElasticsearchManifest } from "./lib/manifest";
import { notNewer } from "./lib/recovery";
import { broughtIn } from "./lib/restored";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-elasticsearch">;

/** A shard's recovery as `GET /<index>/_recovery` tells it. */
export interface ShardRecovery {
  type: string;
  stage: string;
  primary: boolean;
  source: { repository?: string; snapshot?: string };
}

/** What is to be done about an index: `restore` when it is absent or empty, `present` when it came from the snapshot. */
export type IndexState = "absent" | "empty" | "present" | "foreign";

/** Judges an index by its primaries' recoveries and its number of documents; undefined: it doesn't exist. */
export function judge(recoveries: ShardRecovery[] | undefined, documents: number, snapshot: string): IndexState {
  if (recoveries === undefined) {
    return "absent";
  }
  const primaries = recoveries.filter((recovery) => recovery.primary);
  if (primaries.length > 0 && primaries.every((r) => r.type === "SNAPSHOT" && r.source.snapshot === snapshot)) {
    return "present";
  }
  return documents === 0 ? "empty" : "foreign";
}

/** Runs the job. @throws JobError when an index is in the way, or what was restored is not what the manifest lists. */
export async function restoreElasticsearch(config: Config): Promise<Fields> {
  const { backup, manifest, marker } = await broughtIn("elasticsearch", config);
  notNewer("Elasticsearch", manifest.versions.elasticsearch, elasticsearchVersion);
  const call = await connect(config.elasticsearch);
  await reachable(call, config);
  const repository = `/_snapshot/${snapshotRepository}`;
  await call("PUT", repository, repositoryBody(config.bucket, config.repository, true));
  await hasSnapshot(call, backup, manifest);
  const wanted = await toRestore(call, manifest, backup);
  if (wanted.length > 0) {
    const body = { indices: wanted.join(","), include_global_state: false, include_aliases: true };
    await call("POST", `${repository}/${backup}/_restore?wait_for_completion=false`, body);
  }
  log("restoring", { backup, marker, indices: wanted.length, present: manifest.indices.length - wanted.length });
  await whole(call, manifest, backup, config);
  const documents = await check(call, manifest);
  await call("PUT", repository, repositoryBody(config.bucket, config.repository, false));
  const newestCanary = await newestDocument(call);
  return { backup, marker, indices: manifest.indices.length, restored: wanted.length, documents, newestCanary };
}

async function reachable(call: Elasticsearch, config: Config): Promise<void> {
  await waitFor<true, string>(
    async () => {
      try {
        await call("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s");
        return { done: true };
      } catch (error) {
        if (error instanceof ElasticsearchError && (error.status === 401 || error.status === 403)) {
          throw error;
        }
        return { seen: (error as Error).message };
      }
    },
    {
      ...config,
      onTimeout: (seen) =>
        new JobError("Elasticsearch did not become ready", { value: seen, fix: "look at the Elasticsearch resource" }),
    },
  );
}

async function hasSnapshot(call: Elasticsearch, backup: string, manifest: ElasticsearchManifest): Promise<void> {
  const path = `/_snapshot/${snapshotRepository}/${backup}`;
  const snapshot = (await find<{ snapshots: { state: string; indices: string[] }[] }>(call, path))?.snapshots[0];
  const lacking = manifest.indices.map(({ name }) => name).filter((name) => !snapshot?.indices.includes(name));
  if (snapshot?.state !== "SUCCESS" || lacking.length > 0) {
    throw new JobError(`the repository that was brought in holds no whole snapshot ${backup}`, {
      value: { state: snapshot?.state ?? "absent", lacking: some(lacking) },
      allowed: "state SUCCESS with every index of the manifest",
      fix: "restore an older marker",
    });
  }
}

/** Names of the indices still to be restored. Empty ones of the same name are deleted first. */
async function toRestore(call: Elasticsearch, manifest: ElasticsearchManifest, backup: string): Promise<string[]> {
  const states = new Map<string, IndexState>();
  for (const { name } of manifest.indices) {
    const url = `/${encodeURIComponent(name)}`;
    const recovery = await find<Record<string, { shards: ShardRecovery[] }>>(call, `${url}/_recovery`);
    const shards = recovery === undefined ? undefined : (recovery[name]?.shards ?? []);
    const known = judge(shards, 0, backup);
    const count = known === "empty" ? (await call<{ count: number }>("GET", `${url}/_count`)).count : 0;
    states.set(name, judge(shards, count, backup));
  }
  const named = (state: IndexState) => [...states].filter(([, is]) => is === state).map(([name]) => name);
  const foreign = named("foreign");
  if (foreign.length > 0) {
    throw new JobError("indices with documents are in the way of the restore", {
      value: some(foreign),
      allowed: "an empty cluster, or indices restored from the same snapshot",
      fix: "delete or rename them if nobody needs them, then start this job again",
    });
  }
  for (const name of named("empty")) {
    await call("DELETE", `/${encodeURIComponent(name)}`);
    log("deleted an empty index in the way", { index: name });
  }
  return [...named("absent"), ...named("empty")];
}

/** Waits until every shard is recovered and assigned; one data node alone cannot hold replicas, there primaries do. */
async function whole(
  call: Elasticsearch,
  manifest: ElasticsearchManifest,
  backup: string,
  config: Config,
): Promise<void> {
  interface Health {
    status: string;
    number_of_data_nodes: number;
    indices: Record<string, { status: string; active_primary_shards: number; number_of_shards: number }>;
  }
  await waitFor<true, string[]>(
    async () => {
      const health = await call<Health>("GET", "/_cluster/health?level=indices&timeout=5s");
      const waiting = manifest.indices
        .map(({ name }) => ({ name, index: health.indices[name] }))
        .filter(({ index }) => {
          const alone = health.number_of_data_nodes === 1 && index?.active_primary_shards === index?.number_of_shards;
          return index === undefined || !(index.status === "green" || (index.status === "yellow" && alone));
        })
        .map(({ name, index }) => `${name}: ${index?.status ?? "absent"}`);
      return waiting.length === 0 ? { done: true } : { seen: waiting };
    },
    {
      ...config,
      onTimeout: (waiting) =>
        new JobError(`the restore of ${backup} did not finish in time`, {
          value: some(waiting ?? []),
          allowed: `${config.timeoutSeconds} s`,
          fix: "a larger timeout, or see _cluster/allocation/explain; a later run goes on where this one stopped",
        }),
    },
  );
}

/** Compares shards and reports mappings that differ. @returns number of documents by index */
async function check(call: Elasticsearch, manifest: ElasticsearchManifest): Promise<Record<string, number>> {
  const documents: Record<string, number> = {};
  const problems: string[] = [];
  for (const index of manifest.indices) {
    const url = `/${encodeURIComponent(index.name)}`;
    await call("POST", `${url}/_refresh`);
    const { count, _shards } = await call<{ count: number; _shards: { total: number; successful: number } }>(
      "GET",
      `${url}/_count`,
    );
    documents[index.name] = count;
    if (_shards.total !== index.shards || _shards.successful !== index.shards) {
      problems.push(`${index.name}: ${_shards.successful} of ${_shards.total} shards, expected ${index.shards}`);
    }
    const mappings = await call<Record<string, unknown>>("GET", `${url}/_mapping`);
    const digest = createHash("sha256")
      .update(canonical(mappings[index.name] ?? null))
      .digest("hex");
    if (digest !== index.mappingsDigest) {
      // Mappings are read beside the snapshot, not in it: a field that came in that moment is no damage.
      log("mappings differ from the manifest", { index: index.name });
    }
  }
  if (problems.length > 0) {
    throw new JobError("what was restored is not what the manifest lists", { value: some(problems) });
  }
  return documents;
}
