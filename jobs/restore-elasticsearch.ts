/**
 * Restores one Elasticsearch cluster from the site's own bucket: registers the repository read-only, restores the indices
 * of the manifest, waits until they are whole, compares them with the manifest, then opens the repository for the new
 * site's own snapshots. May be repeated: what came from this snapshot is recognised, nothing with documents is deleted.
 */
import { elasticsearchVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { newestDocument } from "./lib/canaries";
import { connect, type Elasticsearch, ElasticsearchError, repositoryBody, snapshotRepository } from "./lib/elastic";
import { checkIndices, hasSnapshot, type IndexState, judge, recoveriesOf, wholeIndices } from "./lib/indices";
import { type Fields, JobError, log, some } from "./lib/log";
import type { ElasticsearchManifest } from "./lib/manifest";
import { notNewer } from "./lib/recovery";
import { broughtIn } from "./lib/restored";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-elasticsearch">;

/** Runs the job. @throws JobError when an index is in the way, or what was restored is not what the manifest lists. */
export async function restoreElasticsearch(config: Config): Promise<Fields> {
  const { backup, manifest, marker } = await broughtIn("elasticsearch", config);
  notNewer("Elasticsearch", manifest.versions.elasticsearch, elasticsearchVersion);
  const call = await connect(config.elasticsearch);
  await reachable(call, config);
  const repository = `/_snapshot/${snapshotRepository}`;
  await call("PUT", repository, repositoryBody(config.bucket, config.repository, true));
  await hasSnapshot(call, backup, manifest.indices, "restore an older copy, into a fresh site");
  const wanted = await toRestore(call, manifest, backup);
  if (wanted.length > 0) {
    const body = { indices: wanted.join(","), include_global_state: false, include_aliases: true };
    await call("POST", `${repository}/${backup}/_restore?wait_for_completion=false`, body);
  }
  log("restoring", { backup, marker, indices: wanted.length, present: manifest.indices.length - wanted.length });
  await wholeIndices(call, manifest.indices, backup, config);
  const documents = await checkIndices(call, manifest.indices);
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

/** Names of the indices still to be restored. Empty ones of the same name are deleted first. */
async function toRestore(call: Elasticsearch, manifest: ElasticsearchManifest, backup: string): Promise<string[]> {
  const states = new Map<string, IndexState>();
  for (const { name } of manifest.indices) {
    const shards = await recoveriesOf(call, name);
    const known = judge(shards, 0, backup);
    const url = `/${encodeURIComponent(name)}/_count`;
    const count = known === "empty" ? (await call<{ count: number }>("GET", url)).count : 0;
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
