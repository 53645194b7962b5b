/**
 * Restores one Elasticsearch cluster from the site's own bucket: registers the repository read-only, restores the indices
 * of the manifest, waits until they are whole, compares them with the manifest, then opens the repository for the new
 * site's own snapshots. May be repeated: what came from this snapshot is recognised, by the uuids that are recorded in the
 * site's bucket, and nothing with documents is deleted.
 */
import { elasticsearchVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { newestDocument } from "./lib/canaries";
import { lackingDefinitions } from "./lib/definitions";
import { connect, type Elasticsearch, ElasticsearchError, repositoryBody, snapshotRepository } from "./lib/elastic";
import { checkIndices, hasSnapshot, type IndexState, judge, recoveriesOf, wholeIndices } from "./lib/indices";
import { type Fields, JobError, log, some } from "./lib/log";
import type { ElasticsearchManifest } from "./lib/manifest";
import { notNewer } from "./lib/recovery";
import { broughtIn } from "./lib/restored";
import { RestoredIndices, uuidsOf } from "./lib/restored-indices";
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
  const ours = await RestoredIndices.open(config.bucket, marker, config.repository, backup);
  const { wanted, present } = await toRestore(call, manifest, backup, ours);
  if (wanted.length > 0) {
    const body = { indices: wanted.join(","), include_global_state: false, include_aliases: true };
    // Accepted when a file of each index was read.
    const url = `${repository}/${backup}/_restore?wait_for_completion=false`;
    await call("POST", url, body, config.timeoutSeconds);
  }
  await ours.add([...present, ...wanted], await uuidsOf(call));
  log("restoring", { backup, marker, indices: wanted.length, present: present.length });
  await wholeIndices(call, manifest.indices, backup, config);
  const documents = await checkIndices(call, manifest.indices);
  await call("PUT", repository, repositoryBody(config.bucket, config.repository, false));
  const newestCanary = await newestDocument(call);
  const lacking = await definitions(call, manifest);
  const indices = manifest.indices.length;
  return { backup, marker, indices, restored: wanted.length, documents, newestCanary, ...(lacking && { lacking }) };
}

/** Says what the restored indices name and nobody has made yet. That holds nobody up: a deployment may be about to make it. */
async function definitions(call: Elasticsearch, manifest: ElasticsearchManifest): Promise<string[] | undefined> {
  const lacking = some(await lackingDefinitions(call, manifest.indices));
  if (lacking.length === 0) return undefined;
  log("indices name what the cluster does not have", {
    severity: "ERROR",
    value: lacking,
    allowed: "every pipeline and policy that an index names; without its pipeline an index takes no document",
    fix: "let the service that owns them make them, or take them from the snapshot: docs/adr/0041-definitions-of-a-search-cluster.md",
  });
  return lacking;
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

/**
 * Names of the indices still to be restored, and of those that are there. Empty ones of the same name are deleted first.
 * @throws JobError when an index of the same name holds something else
 */
async function toRestore(
  call: Elasticsearch,
  manifest: ElasticsearchManifest,
  backup: string,
  ours: RestoredIndices,
): Promise<{ wanted: string[]; present: string[] }> {
  const states = new Map<string, IndexState>();
  const uuids = await uuidsOf(call);
  for (const { name } of manifest.indices) {
    const shards = await recoveriesOf(call, name);
    const recorded = ours.has(name, uuids.get(name));
    const known = judge(shards, 0, backup, recorded);
    states.set(name, known === "empty" ? judge(shards, await documentsOf(call, name), backup) : known);
  }
  const named = (state: IndexState) => [...states].filter(([, is]) => is === state).map(([name]) => name);
  const foreign = named("foreign");
  if (foreign.length > 0) {
    throw new JobError("indices with documents are in the way of the restore", {
      value: some(foreign),
      allowed: "an empty cluster, or indices restored from the same snapshot",
      fix: "see where they come from first (GET INDEX/_settings: index.creation_date): what this restore made stands with its index.uuid in restores/MARKER/REPOSITORY.json of the bucket. Delete or rename only what nobody needs, then start this job again",
    });
  }
  for (const name of named("empty")) {
    await call("DELETE", `/${encodeURIComponent(name)}`);
    log("deleted an empty index in the way", { index: name });
  }
  return { wanted: [...named("absent"), ...named("empty")], present: named("present") };
}

/** Documents of an index. One with shards that do not answer is not taken for empty: it would be deleted. */
async function documentsOf(call: Elasticsearch, name: string): Promise<number> {
  const url = `/${encodeURIComponent(name)}/_count`;
  const { count, _shards } = await call<{ count: number; _shards: { total: number; successful: number } }>("GET", url);
  return _shards.successful === _shards.total ? count : Math.max(count, 1);
}
