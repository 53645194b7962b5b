/**
 * The nightly snapshot of one Elasticsearch cluster: registers the repository, takes the snapshot, checks that it is
 * complete and writes its manifest. A snapshot that is not complete gets none, so it is never copied as tonight's.
 * The repository is listed once, as a stream into a list on disk: memory does not grow with it.
 */
import { join } from "node:path";
import { backupName } from "../plan/layout";
import type { JobConfig } from "./config";
import { dropped, droppedError, partsOf, previousManifest, withAliases } from "./lib/dropped";
import { connect, type Elasticsearch, find, repositoryBody, snapshotRepository } from "./lib/elastic";
import { mappingsDigest } from "./lib/indices";
import { listFolders } from "./lib/listing";
import { ListWriter, type LocalList, readList, withScratch, writeManifest } from "./lib/lists";
import { type Fields, JobError, log, some } from "./lib/log";
import type { ElasticsearchManifest } from "./lib/manifest";
import { pruneSnapshots } from "./lib/prune-snapshots";
import { readObject } from "./lib/rclone";
import { repositoryProblems } from "./lib/repository-listing";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"snapshot-elasticsearch">;

/** A snapshot as `GET _snapshot/<repository>/<name>` tells it. */
export interface Snapshot {
  snapshot: string;
  uuid: string;
  state: "IN_PROGRESS" | "SUCCESS" | "PARTIAL" | "FAILED" | "INCOMPATIBLE";
  indices: string[];
  start_time: string;
  end_time: string;
  shards: { total: number; failed: number; successful: number };
  failures: { index: string; shard_id: number; reason: string }[];
}

interface Status {
  snapshots: {
    indices: Record<
      string,
      { shards_stats: { total: number; done: number }; stats: { total: { file_count: number; size_in_bytes: number } } }
    >;
  }[];
}

const snapshotUrl = (path: string) => `/_snapshot/${snapshotRepository}/${path}`;

/** Runs the job. @throws JobError when the snapshot is not complete. */
export async function snapshotElasticsearch(config: Config): Promise<Fields> {
  const call = await connect(config.elasticsearch);
  const { version } = await call<{ version: { number: string } }>("GET", "/");
  await call("PUT", `/_snapshot/${snapshotRepository}`, repositoryBody(config.bucket, config.repository, false));
  const current = await running(call);
  const unpruned = current === undefined ? await prune(call, config) : undefined;
  const backup = current ?? (await start(call));
  const snapshot = await finished(call, backup, config);
  const problems = gate(snapshot);
  if (problems.length > 0) {
    throw new JobError(`snapshot ${backup} of ${config.repository} is not complete; no manifest was written`, {
      value: some(problems),
      allowed: "state SUCCESS, every shard of at least one index",
      fix: "look at the cluster's health and the named shards, then start the snapshot CronJob again",
    });
  }
  const manifest = await withScratch(async (folder) => {
    const judged = await manifestOf(call, config, snapshot, version.number, folder);
    return writeManifest<ElasticsearchManifest>(config.bucket, judged.manifest, judged.list);
  });
  if (manifest.dropped.length > 0) throw droppedError("indices", manifest.dropped);
  if (unpruned) throw unpruned;
  return { backup, indices: manifest.indices.length, objects: manifest.files.objects };
}

/** A run that was killed leaves its snapshot running: the next run waits for that one instead of starting another. */
async function running(call: Elasticsearch): Promise<string | undefined> {
  const current = await call<{ snapshots: Snapshot[] }>("GET", snapshotUrl("_current"));
  const backup = current.snapshots.map(({ snapshot }) => snapshot).find((name) => name.startsWith("night-"));
  if (backup !== undefined) log("snapshot is running already", { backup });
  return backup;
}

/** Old snapshots that stay are no reason to have no new one: what went wrong is told when that is taken. */
async function prune(call: Elasticsearch, config: Config): Promise<JobError | undefined> {
  try {
    await pruneSnapshots(call, config);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    log("old snapshots were not removed", { severity: "ERROR", error: message });
    return new JobError("the snapshot is complete, but old ones could not be removed", {
      value: message,
      allowed: `${config.keep} snapshots`,
      fix: "the next night tries again; until then the repository grows",
      final: true,
    });
  }
}

async function start(call: Elasticsearch): Promise<string> {
  const backup = backupName(new Date());
  await call("PUT", `${snapshotUrl(backup)}?wait_for_completion=false`, {
    indices: "*,-.*",
    // Pipelines, policies and templates, which a person may bring back: docs/adr/0041. Users and roles are ECK's, not the backup's.
    include_global_state: true,
    feature_states: ["none"],
  });
  log("snapshot started", { backup });
  return backup;
}

async function finished(call: Elasticsearch, backup: string, config: Config): Promise<Snapshot> {
  return waitFor<Snapshot, string | undefined>(
    async () => {
      const answer = await find<{ snapshots: Snapshot[] }>(call, snapshotUrl(backup));
      const snapshot = answer?.snapshots[0];
      return snapshot === undefined || snapshot.state === "IN_PROGRESS"
        ? { seen: snapshot?.state }
        : { done: snapshot };
    },
    {
      ...config,
      onTimeout: (state) =>
        new JobError(`snapshot ${backup} did not finish in time`, {
          value: state ?? "not listed",
          allowed: `${config.timeoutSeconds} s`,
          fix: "a larger timeout, or see what slows the cluster; a later run waits for the same snapshot",
        }),
    },
  );
}

/** Why a snapshot is not complete; empty when it is. */
export function gate(snapshot: Snapshot): string[] {
  const problems = snapshot.failures.map((f) => `shard ${f.shard_id} of ${f.index}: ${f.reason}`);
  if (snapshot.state !== "SUCCESS") {
    problems.push(`state is ${snapshot.state}`);
  }
  if (snapshot.indices.length === 0) {
    problems.push("no index is in it");
  }
  if (snapshot.shards.failed > 0 || snapshot.shards.successful !== snapshot.shards.total) {
    problems.push(`${snapshot.shards.successful} of ${snapshot.shards.total} shards are in it`);
  }
  return problems;
}

/** The manifest, and the list of its objects in a folder. @throws JobError when the snapshot is not whole in the bucket */
async function manifestOf(call: Elasticsearch, config: Config, snapshot: Snapshot, version: string, folder: string) {
  const backup = snapshot.snapshot;
  // Answered when a file of each shard was read from the storage: minutes in a large repository.
  const statusUrl = `${snapshotUrl(backup)}/_status`;
  const status = (await call<Status>("GET", statusUrl, undefined, config.timeoutSeconds)).snapshots[0];
  const indices = [];
  for (const name of [...snapshot.indices].sort()) {
    const index = status?.indices[name];
    if (index === undefined) {
      throw new JobError(`snapshot ${backup} has no status of index ${name}`, { fix: "start the CronJob again" });
    }
    // An index may be gone since: its snapshot counts all the same.
    const mappings = await find<Record<string, unknown>>(call, `/${encodeURIComponent(name)}/_mapping`);
    indices.push({
      name,
      shards: index.shards_stats.total,
      files: index.stats.total.file_count,
      bytes: index.stats.total.size_in_bytes,
      mappingsDigest: mappingsDigest(mappings?.[name]),
    });
  }
  const list = await listed(config, join(folder, "files.jsonl"));
  const problems = await repositoryProblems(
    config.repository,
    snapshot,
    new Map(indices.map(({ name, shards }) => [name, shards])),
    () => readList(list.file, `the listing of ${config.repository}`),
    (name) => readObject(config.bucket, name),
  );
  if (problems.length > 0) {
    throw new JobError(
      `snapshot ${backup} is not whole in gs://${config.bucket}/${config.repository}; no manifest was written`,
      {
        value: some(problems),
        allowed: "the repository's own listing with the snapshot in it, and every object that it names",
        fix: "compare bucket and base_path of the snapshot repository with this job's configuration; objects that are gone come back from soft delete",
      },
    );
  }
  const manifest: Omit<ElasticsearchManifest, "files"> = {
    version: 2,
    kind: "elasticsearch",
    repository: config.repository,
    backup,
    startedAt: new Date(snapshot.start_time).toISOString(),
    finishedAt: new Date(snapshot.end_time).toISOString(),
    dropped: [],
    indices,
    versions: { elasticsearch: version },
  };
  const before = await previousManifest(config.bucket, config.repository, backup);
  const parts = withAliases(partsOf(manifest), await call("GET", "/_alias"));
  manifest.dropped = dropped(before, parts, { approved: config.approvedDrops });
  return { manifest, list };
}

/** Lists the repository into a local file, without what Elasticsearch's verification of it left. */
async function listed({ bucket, repository }: Config, file: string): Promise<LocalList> {
  const writer = new ListWriter(file);
  for await (const object of listFolders(bucket, "", [`${repository}/`])) {
    if (!object.name.startsWith(`${repository}/tests-`)) await writer.add(object);
  }
  return { file, written: await writer.end() };
}
