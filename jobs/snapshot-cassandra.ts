/**
 * The nightly snapshot of one Cassandra datacenter: asks the operator for a Medusa backup, waits, checks that it is
 * complete and writes its manifest. An incomplete backup gets none, so it is never copied as tonight's.
 */
import { backupName, backupOfManifest, manifestsPrefix, repositoryFolder } from "../plan/layout";
import { minimumReplicas } from "../plan/repair";
import type { JobConfig } from "./config";
import { dropped, droppedError, expiringTables, partsOf, previousManifest } from "./lib/dropped";
import { kinds, Resources } from "./lib/kube";
import { removeManifest, writeManifest } from "./lib/lists";
import { type Fields, JobError, log, some } from "./lib/log";
import type { CassandraManifest, Manifest } from "./lib/manifest";
import { gate, hostsOf, metaPath, type NodeMeta } from "./lib/medusa";
import { listUnder, readObjects, type StoredFile } from "./lib/rclone";
import { keyspacesOf, replicationProblems, unread } from "./lib/replication";

type Config = JobConfig<"snapshot-cassandra">;

interface BackupSpec {
  cassandraDatacenter: string;
  backupType: "differential" | "full";
}

interface BackupStatus {
  startTime?: string;
  finishTime?: string;
  finished?: string[];
  failed?: string[];
  inProgress?: string[];
}

/** Runs the job. @throws JobError when the backup is not complete. */
export async function snapshotCassandra(config: Config): Promise<Fields> {
  const resources = new Resources(config.namespace);
  const backup = await startOrAdopt(resources, config);
  const status = await resources.finished<BackupStatus>(kinds.backupJob, backup, {
    ...config,
    onTimeout: (last) =>
      new JobError(`Medusa did not finish backup ${backup} in time`, {
        value: { inProgress: last?.inProgress, finished: last?.finished, failed: last?.failed },
        allowed: `${config.timeoutSeconds} s`,
        fix: "see the medusa containers' logs on the nodes in progress; a later run waits for the same backup",
      }),
  });
  log("Medusa finished", { backup, finished: status.finished, failed: status.failed });
  const failed = [...(status.failed ?? []), ...(status.inProgress ?? [])];
  if (failed.length > 0 || (status.finished ?? []).length < config.nodes) {
    throw incomplete(backup, [
      ...failed.map((node) => `node ${node} failed`),
      `${(status.finished ?? []).length} of ${config.nodes} nodes finished`,
    ]);
  }
  const before = await previousManifest(config.bucket, config.repository, backup);
  const listing = await listUnder(config.bucket, repositoryFolder(config.repository));
  const { manifest, files, replicas } = await manifestOf(config, backup, status, before, listing);
  await writeManifest(config.bucket, manifest, files);
  await removePurged(config, listing);
  if (manifest.dropped.length > 0) throw droppedError("tables", manifest.dropped);
  if (replicas.length > 0) {
    throw new JobError("the backup is complete, but keyspaces have too few replicas", {
      value: some(replicas, 20),
      allowed: `${minimumReplicas} or more in each of ${config.datacenters.join(", ")}`,
      fix: "ALTER KEYSPACE … WITH replication, then repair it (docs/runbooks/regions.md)",
      // Another attempt would be another backup, and as good as this one.
      final: true,
    });
  }
  return { backup, nodes: manifest.nodes.length, tables: manifest.tables.length, objects: files.length };
}

function incomplete(backup: string, problems: string[]): JobError {
  return new JobError(`backup ${backup} is not complete; no manifest was written`, {
    value: some(problems, 20),
    allowed: "every node finished, every object and table in the bucket",
    fix: "see the medusa containers' logs of the named nodes, then start the snapshot CronJob again",
  });
}

/** A run that was killed leaves its backup running, and a node makes one at a time: the next run waits for that one. */
async function startOrAdopt(resources: Resources, config: Config): Promise<string> {
  const jobs = await resources.list<BackupSpec, BackupStatus>(kinds.backupJob);
  const since = Date.now() - config.timeoutSeconds * 1000;
  const running = jobs
    .filter((job) => job.spec.cassandraDatacenter === config.datacenter && job.metadata.name.startsWith("night-"))
    .filter((job) => job.status?.finishTime === undefined)
    .filter((job) => Date.parse(job.metadata.creationTimestamp ?? "") > since)
    .map((job) => job.metadata.name)
    .sort()
    .at(-1);
  if (running !== undefined) {
    log("backup is running already", { backup: running });
    return running;
  }
  const backup = backupName(new Date(), config.datacenter);
  const spec: BackupSpec = { cassandraDatacenter: config.datacenter, backupType: config.backupType };
  await resources.create(kinds.backupJob, backup, spec);
  log("backup started", { backup, ...spec });
  return backup;
}

/** The manifest and its files, and what is wrong with keyspaces' replicas: that makes the backup no worse. */
async function manifestOf(
  config: Config,
  backup: string,
  status: BackupStatus,
  before: Manifest | undefined,
  listing: ReadonlyMap<string, StoredFile>,
): Promise<{ manifest: Omit<CassandraManifest, "files">; files: StoredFile[]; replicas: string[] }> {
  const prefix = repositoryFolder(config.repository);
  const metas = await readMetas(config, backup, listing);
  const verdict = gate(prefix, backup, { nodes: config.nodes, racks: config.racks }, listing, metas);
  if (verdict.versions.length > 1) {
    verdict.problems.push(`nodes run different versions: ${verdict.versions.join(", ")}`);
  }
  if (verdict.problems.length > 0) {
    throw incomplete(backup, verdict.problems);
  }
  const manifest: Omit<CassandraManifest, "files"> = {
    version: 2,
    kind: "cassandra",
    repository: config.repository,
    backup,
    startedAt: new Date(status.startTime ?? Date.now()).toISOString(),
    finishedAt: new Date(status.finishTime!).toISOString(),
    dropped: [],
    datacenter: config.datacenter,
    nodes: verdict.nodes,
    racks: [...config.racks],
    schemaDigest: verdict.schemaDigest,
    tables: verdict.tables,
    versions: { cassandra: verdict.versions[0] ?? "unknown" },
  };
  const mayEmpty = expiringTables(metas[0]?.schema ?? "");
  manifest.dropped = dropped(before, partsOf(manifest), { approved: config.approvedDrops, mayEmpty });
  const keyspaces = keyspacesOf(metas[0]?.schema ?? "");
  const replicas = [
    ...replicationProblems(keyspaces, config.datacenters, minimumReplicas),
    ...unread(verdict.tables, keyspaces),
  ];
  return { manifest, files: verdict.files, replicas };
}

/** Manifests of backups that Medusa has purged: nothing can be restored from them, and whoever looks by time must not find them. */
async function removePurged({ bucket, repository }: Config, listing: ReadonlyMap<string, StoredFile>): Promise<void> {
  const index = `${repositoryFolder(repository)}/index/backup_index/`;
  const kept = new Set(
    [...listing.keys()].filter((name) => name.startsWith(index)).map((name) => name.slice(index.length).split("/")[0]),
  );
  const manifests = await listUnder(bucket, manifestsPrefix(repository));
  for (const path of manifests.keys()) {
    const name = backupOfManifest(repository, path);
    if (name === undefined || kept.has(name)) continue;
    await removeManifest(bucket, repository, name);
    log("manifest of a purged backup removed", { backup: name });
  }
}

async function readMetas(
  config: Config,
  backup: string,
  listing: ReadonlyMap<string, StoredFile>,
): Promise<NodeMeta[]> {
  const prefix = repositoryFolder(config.repository);
  const hosts = hostsOf(prefix, backup, listing);
  const path = (host: string, file: string) => metaPath(prefix, host, backup, file);
  const files = ["manifest.json", "schema.cql", "tokenmap.json", "server_version.json"];
  const names = hosts.flatMap((host) => files.map((file) => path(host, file)));
  const absent = names.filter((name) => !listing.has(name) && !name.endsWith("server_version.json"));
  if (absent.length > 0) {
    throw incomplete(
      backup,
      absent.map((name) => `${name} is missing`),
    );
  }
  const texts = await readObjects(
    config.bucket,
    names.filter((name) => listing.has(name)),
  );
  return hosts.map((host) => ({
    host,
    manifest: texts.get(path(host, "manifest.json"))!,
    schema: texts.get(path(host, "schema.cql"))!,
    tokenmap: texts.get(path(host, "tokenmap.json"))!,
    version: texts.get(path(host, "server_version.json")) ?? "",
  }));
}
