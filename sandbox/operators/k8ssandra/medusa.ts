/** Medusa's backup jobs and tasks: its own command line, run in each node's pod. */
import type { OperatorContext } from "../../lib/types";
import { ownedBy } from "../lib";
import type { CustomObject, Objects } from "../objects";
import { podsOf } from "./datacenter";
import { type CassandraDatacenter, kinds, type MedusaBackupJob, type MedusaTask } from "./types";

/** A backup as `medusa list-backups` and its index know it. */
interface StoredBackup {
  name: string;
  started: number;
  finished?: number;
  nodes: { fqdn: string }[];
}

export const now = (): string => new Date().toISOString().replace(/\.\d{3}Z$/, "Z");

/** Runs Medusa in a pod. @throws with its last words when it fails */
export async function medusa(
  context: OperatorContext,
  namespace: string,
  pod: string,
  args: string[],
): Promise<string> {
  const result = await context.agent.exec(namespace, pod, "medusa", ["/medusa/medusa.sh", "cli", ...args]);
  if (result.code !== 0) throw new Error(`medusa ${args.join(" ")} in ${pod}: ${result.stderr.slice(-1000)}`);
  return result.stdout;
}

/** The datacenter of a resource that names one. @throws when there is none */
export async function datacenterNamed(objects: Objects, namespace: string, name: string): Promise<CassandraDatacenter> {
  const found = await objects.get<CassandraDatacenter>(kinds.datacenter, namespace, name);
  if (!found) throw new Error(`there is no CassandraDatacenter ${namespace}/${name}`);
  return { ...found, ...kinds.datacenter };
}

/** A backup of every node at once. Runs once; its end is in the status. */
export async function runBackup(objects: Objects, context: OperatorContext, job: MedusaBackupJob): Promise<void> {
  if (job.status?.finishTime) return;
  const namespace = job.metadata?.namespace ?? "";
  const name = job.metadata?.name ?? "";
  const datacenter = await datacenterNamed(objects, namespace, job.spec?.cassandraDatacenter ?? "");
  const pods = (await podsOf(objects, datacenter)).map((pod) => pod.metadata?.name ?? "");
  const startTime = job.status?.startTime ?? now();
  await objects.status(job, "medusabackupjobs", { startTime, inProgress: pods });
  const mode = job.spec?.backupType ?? "differential";
  const results = await Promise.all(
    pods.map((pod) =>
      medusa(context, namespace, pod, ["backup-node", `--backup-name=${name}`, `--mode=${mode}`]).then(
        () => ({ pod, error: undefined }),
        (error: Error) => ({ pod, error }),
      ),
    ),
  );
  for (const { error } of results) if (error) context.log(error.message);
  const failed = results.filter(({ error }) => error).map(({ pod }) => pod);
  const finished = results.filter(({ error }) => !error).map(({ pod }) => pod);
  if (failed.length === 0) await syncBackups(objects, context, datacenter);
  await objects.status(job, "medusabackupjobs", {
    startTime,
    finishTime: now(),
    inProgress: [],
    ...(finished.length ? { finished } : {}),
    ...(failed.length ? { failed } : {}),
  });
}

/** sync and purge. Runs once; its end is in the status. */
export async function runTask(objects: Objects, context: OperatorContext, task: MedusaTask): Promise<void> {
  if (task.status?.finishTime) return;
  const namespace = task.metadata?.namespace ?? "";
  const startTime = task.status?.startTime ?? now();
  await objects.status(task, "medusatasks", { startTime });
  let failed: string[] = [];
  let finished: string[] = [];
  try {
    const datacenter = await datacenterNamed(objects, namespace, task.spec?.cassandraDatacenter ?? "");
    const pods = (await podsOf(objects, datacenter)).map((pod) => pod.metadata?.name ?? "");
    if (task.spec?.operation === "purge") {
      for (const pod of pods) await medusa(context, namespace, pod, ["purge"]);
      finished = pods;
    }
    await syncBackups(objects, context, datacenter);
    if (finished.length === 0) finished = pods.slice(0, 1);
  } catch (error) {
    context.log((error as Error).message);
    failed = [task.metadata?.name ?? ""];
  }
  await objects.status(task, "medusatasks", {
    startTime,
    finishTime: now(),
    ...(failed.length ? { failed } : { finished: finished.map((podName) => ({ podName })) }),
  });
}

/** Makes the MedusaBackup resources agree with what lies in the bucket. */
async function syncBackups(objects: Objects, context: OperatorContext, datacenter: CassandraDatacenter): Promise<void> {
  const namespace = datacenter.metadata?.namespace ?? "";
  const pods = await podsOf(objects, datacenter);
  const listed = await medusa(context, namespace, pods[0]?.metadata?.name ?? "", [
    "list-backups",
    "--show-all",
    "--output=json",
  ]);
  const stored = JSON.parse(listed.slice(listed.indexOf("["))) as StoredBackup[];
  const known = await objects.list<CustomObject>(kinds.backup, namespace);
  const mine = known.filter(
    ({ metadata }) => metadata?.labels?.["cassandra.datastax.com/datacenter"] === datacenter.metadata?.name,
  );
  for (const { name, started, finished, nodes } of stored) {
    const complete = finished !== undefined && nodes.length >= (datacenter.spec?.size ?? 0);
    await objects.create({
      ...kinds.backup,
      metadata: {
        name,
        namespace,
        labels: { "cassandra.datastax.com/datacenter": datacenter.metadata?.name ?? "" },
        ownerReferences: ownedBy(datacenter),
      },
      spec: { cassandraDatacenter: datacenter.metadata?.name, backupType: "differential" },
    } as never);
    await objects.status({ ...kinds.backup, metadata: { name, namespace } }, "medusabackups", {
      startTime: moment(started),
      ...(finished === undefined ? {} : { finishTime: moment(finished) }),
      totalNodes: datacenter.spec?.size,
      finishedNodes: nodes.length,
      status: complete ? "SUCCESS" : "IN_PROGRESS",
    });
  }
  const names = new Set(stored.map(({ name }) => name));
  for (const gone of mine.filter(({ metadata }) => !names.has(metadata?.name ?? ""))) await objects.delete(gone);
}

const moment = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d{3}Z$/, "Z");
