import { CONFIG_VARIABLE } from "../../jobs/config";
import { repository } from "../../plan/layout";
import type { Declared, StackRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";
import { object, objects, shown, texts } from "../lib/values";
import { containers } from "./no-plain-secrets";

/** S1 to S3: what is stored is backed up and what is backed up is copied, every night but while a site is restored. */
export const backupsScheduled: StackRule = {
  name: "backups-scheduled",
  description: "Every datacenter has its snapshots, the copies their replication; only a restore suspends snapshots",
  checkStack: (resources) => {
    const cronJobs = resources.filter(({ type }) => type === types.cronJob);
    // A preview without a cluster yet knows nothing of what is inside; the update that follows does.
    if (cronJobs.some(({ props }) => containers(props).length === 0)) return [];
    const jobs = cronJobs.flatMap(commands);
    const restoring = resources
      .filter(({ type }) => type === types.job)
      .some((job) => commands(job).some(({ command }) => command === "restore-copy"));
    const problems: string[] = [];
    for (const { datacenter, bucket } of resources.flatMap(datacenters)) {
      for (const kind of ["cassandra", "elasticsearch"] as const) {
        const name = repository(kind, datacenter);
        const snapshots = jobs.filter(
          ({ command, config }) => command === `snapshot-${kind}` && config.repository === name,
        );
        if (snapshots.length !== 1) problems.push(`${name} has ${snapshots.length} snapshot CronJobs; declare one`);
        for (const { config } of snapshots.filter(({ config }) => config.bucket !== bucket))
          problems.push(
            `the snapshots of ${name} go to bucket ${shown(config.bucket)}; its Medusa writes to ${bucket}`,
          );
      }
    }
    const copies = resources.some((resource) => resource.type === types.bucket && storeOf(resource) === "secondCopy");
    const replications = jobs.filter(({ command }) => command === "replicate");
    if (copies && replications.length === 0)
      problems.push("second copies have no replication CronJob; name the sites to copy in iconik-dr:sites");
    for (const { name, command, suspended } of jobs) {
      const expected = restoring && command.startsWith("snapshot-");
      if (suspended !== expected)
        problems.push(
          `CronJob ${name} has suspend ${suspended}; set ${expected}: ${
            expected ? "an empty site must not become the latest" : "only snapshots of a site being restored wait"
          }`,
        );
    }
    return problems;
  },
};

interface Command {
  name: string;
  command: string;
  config: Record<string, unknown>;
  suspended: boolean;
}

/** What a CronJob or Job runs. */
function commands({ name, props }: Declared): Command[] {
  return containers(props).map((container) => {
    const variable = objects(container.env).find((each) => each.name === CONFIG_VARIABLE);
    return {
      name,
      command: texts(container.args)[0] ?? "",
      config: object(JSON.parse(String(variable?.value ?? "{}"))),
      suspended: object(props.spec).suspend === true,
    };
  });
}

/** Datacenters that a K8ssandraCluster declares, and the bucket of their backups. */
function datacenters({ type, props }: Declared): { datacenter: string; bucket: string }[] {
  if (type !== types.cassandra) return [];
  const { cassandra, medusa } = object(props.spec);
  const bucket = String(object(object(medusa).storageProperties).bucketName);
  return objects(object(cassandra).datacenters).map((each) => ({
    datacenter: String(object(each.metadata).name),
    bucket,
  }));
}
