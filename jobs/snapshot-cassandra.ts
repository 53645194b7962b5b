/**
 * The nightly snapshot of one Cassandra datacenter: asks the operator for a Medusa backup, waits, checks that it is
 * complete and writes its manifest. An incomplete backup gets none, so it is never copied as tonight's. Memory grows with what one
 * node's own manifest lists, not with the repository (lib/gate.ts).
 */
import { join } from "node:path";
import { backupName, backupOfManifest, manifestsPrefix, repositoryFolder } from "../plan/layout";
import { minimumReplicas } from "../plan/repair";
import type { JobConfig } from "./config";
import { dropped, droppedError, expiringTables, previousManifest } from "./lib/dropped";
import { type BackupSource, gate } from "./lib/gate";
import { kinds, Resources } from "./lib/kube";
import { listFolders } from "./lib/listing";
import { ListWriter, type LocalList, removeManifest, withScratch, writeManifest } from "./lib/lists";
import { type Fields, JobError, log, some } from "./lib/log";
import { heldByNodes, withNodes } from "./lib/lost-on-node";
import type { CassandraManifest, Manifest } from "./lib/manifest";
import { hostsOf, metaPath } from "./lib/medusa";
import { listUnder, namesMatching, readObjects } from "./lib/rclone";
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
  const { manifest, replicas, indexed } = await withScratch(async (folder) => {
    const judged = await manifestOf(config, backup, status, before, folder);
    return { ...judged, manifest: await writeManifest<CassandraManifest>(config.bucket, judged.manifest, judged.list) };
  });
  await removePurged(config, indexed);
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
  return { backup, nodes: manifest.nodes.length, tables: manifest.tables.length, objects: manifest.files.objects };
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

/**
 * The manifest and the list of its objects, and what is wrong with keyspaces' replicas: that makes the backup no worse.
 * @param folder for the list
 */
async function manifestOf(
  config: Config,
  backup: string,
  status: BackupStatus,
  before: Manifest | undefined,
  folder: string,
): Promise<{
  manifest: Omit<CassandraManifest, "files">;
  list: LocalList;
  replicas: string[];
  indexed: ReadonlySet<string>;
}> {
  const prefix = repositoryFolder(config.repository);
  const source = await sourceOf(config, backup);
  const writer = new ListWriter(join(folder, "files.jsonl"));
  const expected = { nodes: config.nodes, racks: config.racks };
  const verdict = await gate(prefix, backup, expected, source, (file) => writer.add(file));
  const list = { file: writer.file, written: await writer.end() };
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
  const mayEmpty = expiringTables(verdict.schema);
  const keyspaces = keyspacesOf(verdict.schema);
  const held = heldByNodes(before, manifest, { keyspaces, mayEmpty });
  manifest.dropped = dropped(before, withNodes(manifest), { approved: config.approvedDrops, mayEmpty, held });
  const replicas = [
    ...replicationProblems(keyspaces, config.datacenters, minimumReplicas),
    ...unread(verdict.tables, keyspaces),
  ];
  return { manifest, list, replicas, indexed: verdict.indexed };
}

/** Manifests of backups that Medusa has purged: nothing can be restored from them, and whoever looks by time must not find them. */
async function removePurged({ bucket, repository }: Config, kept: ReadonlySet<string>): Promise<void> {
  const manifests = await listUnder(bucket, manifestsPrefix(repository));
  for (const path of manifests.keys()) {
    const name = backupOfManifest(repository, path);
    if (name === undefined || kept.has(name)) continue;
    await removeManifest(bucket, repository, name);
    log("manifest of a purged backup removed", { backup: name });
  }
}

/** Where the gate reads a backup. @throws JobError when a host's backup lacks what it says of itself */
async function sourceOf({ bucket, repository }: Config, backup: string): Promise<BackupSource> {
  const prefix = repositoryFolder(repository);
  const present = new Set(await namesMatching(bucket, `${prefix}/*/${backup}/meta/**`));
  const hosts = hostsOf(prefix, backup, [...present]);
  const path = (host: string, file: string) => metaPath(prefix, host, backup, file);
  const needed = ["manifest.json", "schema.cql", "tokenmap.json"];
  const absent = hosts.flatMap((host) => needed.map((file) => path(host, file))).filter((name) => !present.has(name));
  if (absent.length > 0) {
    throw incomplete(
      backup,
      absent.map((name) => `${name} is missing`),
    );
  }
  return {
    hosts,
    listing: (folder) => listFolders(bucket, "", [folder]),
    meta: async (host) => {
      const names = [...needed, "server_version.json"].map((file) => path(host, file));
      const texts = await readObjects(
        bucket,
        names.filter((name) => present.has(name)),
      );
      const [manifest, schema, tokenmap, version] = names.map((name) => texts.get(name) ?? "");
      return { host, manifest: manifest!, schema: schema!, tokenmap: tokenmap!, version: version! };
    },
  };
}
