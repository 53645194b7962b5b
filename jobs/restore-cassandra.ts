/**
 * Restores one Cassandra datacenter from the site's own bucket: the operator learns of the backups there (sync), restores
 * the one that was brought in, and the tables are compared with its manifest. May be killed and repeated: a restore that
 * runs is waited for, one that is done is only checked, one that failed is tried anew under the next name.
 */
import { repositoryFolder } from "../plan/layout";
import { minimumReplicas } from "../plan/repair";
import { cassandraVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { forgetMembers, leaveAbsent } from "./lib/absent";
import { newestRow } from "./lib/canaries";
import { askUntilAnswered, readSchema } from "./lib/cql";
import { kinds, Resources } from "./lib/kube";
import { type Fields, JobError, log, some } from "./lib/log";
import type { CassandraManifest } from "./lib/manifest";
import { meet } from "./lib/meeting";
import { expectMembers } from "./lib/members";
import { notNewer } from "./lib/recovery";
import { replicationProblems } from "./lib/replication";
import { broughtIn } from "./lib/restored";
import { withSession } from "./lib/session";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-cassandra">;

interface TaskStatus {
  finishTime?: string;
  failed?: unknown[];
}

interface RestoreStatus {
  finishTime?: string;
  failed?: string[];
  finished?: string[];
  inProgress?: string[];
  message?: string;
}

interface RestoreSpec {
  backup: string;
  cassandraDatacenter: string;
}

/** Runs the job. @throws JobError when the topology doesn't fit, the restore fails or a table is missing. */
export async function restoreCassandra(config: Config): Promise<Fields> {
  const { backup, manifest, marker } = await broughtIn("cassandra", config);
  notNewer("Cassandra", manifest.versions.cassandra, cassandraVersion);
  const resources = new Resources(config.namespace);
  const uid = await fits(resources, config, manifest);
  const restore = await currentRestore(resources, config, backup);
  if (restore.exists) {
    log("restore exists already", { restore: restore.name });
  } else {
    if (config.leaveAbsent) {
      const hosts = manifest.nodes.map(({ host }) => host);
      await forgetMembers(config.bucket, repositoryFolder(config.repository), backup, hosts);
    }
    await sync(resources, config, backup);
    await meet({ ...config, marker, uid });
    const spec: RestoreSpec = { backup, cassandraDatacenter: config.datacenter };
    await resources.create(kinds.restoreJob, restore.name, spec);
    log("restore started", { restore: restore.name, marker, ...spec });
  }
  const failed = (status: RestoreStatus) => (status.failed ?? []).length > 0;
  const status = await resources.finished<RestoreStatus>(kinds.restoreJob, restore.name, {
    ...config,
    over: failed,
    onTimeout: (last) => failure(restore.name, `did not finish in ${config.timeoutSeconds} s`, last),
  });
  if (failed(status) || status.message) {
    throw failure(restore.name, "failed", status);
  }
  log("restore finished", { restore: restore.name });
  if (config.leaveAbsent && config.cql) {
    // It answers first: what it then refuses is no matter of waiting.
    await askUntilAnswered(config.cql, config.datacenter, config, (client) => client.connect());
    const keyspaces = await withSession(config.cql, config.datacenter, (client) =>
      leaveAbsent(client, config.datacenters),
    );
    log("other datacenters of the site have left the keyspaces", { keyspaces });
  }
  const tables = await check(config, manifest);
  if (config.cql) await expectMembers(config.cql, config.datacenter, manifest.nodes.length, config);
  const newestCanary =
    config.cql && (await newestRow(config.cql, config.datacenter, new Date(manifest.finishedAt), config));
  return { backup, marker, restore: restore.name, nodes: manifest.nodes.length, tables, newestCanary };
}

function failure(name: string, how: string, status: RestoreStatus | undefined): JobError {
  return new JobError(`MedusaRestoreJob ${name} ${how}`, {
    value: { message: status?.message, failed: status?.failed, inProgress: status?.inProgress },
    fix: "see the medusa-restore containers' logs, then start this job again: it makes a new attempt",
  });
}

/**
 * Medusa restores in place: the new datacenter needs as many nodes on the same racks.
 * @returns the uid of the CassandraDatacenter
 */
async function fits(resources: Resources, config: Config, manifest: CassandraManifest): Promise<string> {
  const datacenter = await resources.get<{ size: number; racks?: { name: string }[] }, unknown>(
    kinds.datacenter,
    config.datacenter,
  );
  const racks = datacenter?.spec.racks?.map(({ name }) => name).sort();
  const wanted = [...manifest.racks].sort();
  if (datacenter?.spec.size !== manifest.nodes.length || racks?.join() !== wanted.join()) {
    throw new JobError(`datacenter ${config.datacenter} is not like the one that was backed up`, {
      value: datacenter === undefined ? "there is none of that name" : { size: datacenter.spec.size, racks },
      allowed: { size: manifest.nodes.length, racks: wanted },
      fix: "set cassandra.nodesPerRegion and cassandra.racks of this stack to the backup's",
    });
  }
  return datacenter?.metadata.uid ?? "";
}

/** The newest attempt when it is running or done, else the name of the next one. */
async function currentRestore(
  resources: Resources,
  config: Config,
  backup: string,
): Promise<{ name: string; exists: boolean }> {
  const jobs = await resources.list<RestoreSpec, RestoreStatus>(kinds.restoreJob);
  const base = `restore-${config.datacenter}-${backup}-`;
  const attempts = jobs
    .filter((job) => job.metadata.name.startsWith(base) && job.spec.backup === backup)
    .map((job) => ({ job, number: Number(job.metadata.name.slice(base.length)) }))
    .filter(({ number }) => Number.isInteger(number))
    .sort((a, b) => a.number - b.number);
  const last = attempts.at(-1);
  if (last === undefined) {
    return { name: `${base}1`, exists: false };
  }
  const failed = (last.job.status?.failed ?? []).length > 0 || Boolean(last.job.status?.message);
  return failed ? { name: `${base}${last.number + 1}`, exists: false } : { name: last.job.metadata.name, exists: true };
}

/** Lets the operator read the bucket, until it knows the backup. */
async function sync(resources: Resources, config: Config, backup: string): Promise<void> {
  const spec = { cassandraDatacenter: config.datacenter, operation: "sync" };
  const name = await resources.createNew(kinds.task, `sync-${config.datacenter}-`, spec);
  const status = await resources.finished<TaskStatus>(kinds.task, name, {
    ...config,
    onTimeout: (last) => new JobError(`MedusaTask ${name} did not finish in time`, { value: last }),
  });
  if ((status.failed ?? []).length > 0) {
    throw new JobError(`MedusaTask ${name} failed`, { value: status.failed, fix: "see the medusa containers' logs" });
  }
  await waitFor<true, string[]>(
    async () => {
      if ((await resources.get(kinds.backup, backup)) !== undefined) {
        return { done: true };
      }
      return { seen: (await resources.list(kinds.backup)).map(({ metadata }) => metadata.name) };
    },
    {
      timeoutSeconds: Math.min(60, config.timeoutSeconds),
      pollSeconds: config.pollSeconds,
      onTimeout: (known) =>
        new JobError(`Medusa does not know backup ${backup} after the sync`, {
          value: some(known ?? []),
          allowed: `a MedusaBackup called ${backup}`,
          fix: "compare bucket and prefix of the Medusa configuration with this job's configuration",
        }),
    },
  );
  log("backups known", { backup });
}

/** Compares the tables that exist with the manifest's. @returns how many there are, or why they were not counted */
async function check(config: Config, manifest: CassandraManifest): Promise<number | string> {
  if (config.cql === undefined) {
    return "not counted: no CQL access is configured";
  }
  const { tables: found, keyspaces } = await readSchema(config.cql, config.datacenter, config);
  const lacking = manifest.tables
    .map(({ keyspace, table }) => `${keyspace}.${table}`)
    .filter((name) => !found.has(name));
  if (lacking.length > 0) {
    throw new JobError("tables of the backup are missing after the restore", {
      value: some(lacking),
      allowed: `the manifest's ${manifest.tables.length} tables`,
      fix: "restore an older marker, and keep this one for the search of the cause",
    });
  }
  const replicas = replicationProblems(keyspaces, config.datacenters, minimumReplicas, true);
  if (replicas.length > 0) {
    throw new JobError("keyspaces have other replicas than this site can hold", {
      value: some(replicas),
      allowed: `${minimumReplicas} or more in each of ${config.datacenters.join(", ")}, none elsewhere`,
      fix: "ALTER KEYSPACE … WITH replication, repair it, then start this job again (docs/runbooks/regions.md)",
    });
  }
  return found.size;
}
