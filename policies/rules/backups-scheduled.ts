import { repository } from "../../plan/layout";
import { isRestoring, nightly } from "../lib/jobs";
import { judge } from "../lib/judge";
import { passing } from "../lib/passing";
import type { Declared, StackRule } from "../lib/rule";
import { bucketsOf } from "../lib/stores";
import { types } from "../lib/types";
import { at, objects, shown } from "../lib/values";

/** What is stored is backed up and what is backed up is copied, every night but while a site is restored. */
export const backupsScheduled: StackRule = {
  name: "backups-scheduled",
  description:
    "Every datacenter that has joined has its snapshots, the copies their replication; only a restore suspends snapshots",
  plan: ["S1", "S2", "S3"],
  checkStack: (resources) => [
    ...judge(resources.filter(({ type }) => type === types.cassandra).flatMap(datacenters), (datacenter) =>
      passing("joining", resources).some((each) => each.datacenter === datacenter.datacenter)
        ? []
        : snapshotProblems(datacenter, resources),
    ),
    ...judge(bucketsOf("secondCopy", resources), () =>
      nightly(resources).some(({ command }) => command === "replicate")
        ? []
        : ["second copies have no replication CronJob; name the sites to copy in iconik-dr:sites"],
    ),
    ...judge(
      resources.filter(({ type }) => type === types.cronJob),
      (cronJob) => suspensionProblems(cronJob, resources),
    ),
  ],
};

interface Datacenter {
  datacenter: string;
  /** Bucket of its backups. */
  bucket: unknown;
}

/** Datacenters that a K8ssandraCluster declares. Nothing while it is not known. */
function datacenters(cluster: Declared): Datacenter[] {
  let found: Datacenter[] = [];
  judge([cluster], ({ props }) => {
    const bucket = at(props, "spec", "medusa", "storageProperties", "bucketName");
    found = objects(at(props, "spec", "cassandra", "datacenters")).map((each) => ({
      datacenter: String(at(each, "metadata", "name")),
      bucket,
    }));
    return [];
  });
  return found;
}

function snapshotProblems({ datacenter, bucket }: Datacenter, resources: Declared[]): string[] {
  return (["cassandra", "elasticsearch"] as const).flatMap((kind) => {
    const name = repository(kind, datacenter);
    const snapshots = nightly(resources).filter(
      ({ command, config }) => command === `snapshot-${kind}` && config.repository === name,
    );
    return [
      ...(snapshots.length === 1 ? [] : [`${name} has ${snapshots.length} snapshot CronJobs; declare one`]),
      ...snapshots
        .filter(({ config }) => String(config.bucket).replace(/^s3:\/\//, "") !== bucket)
        .map(
          ({ config }) =>
            `the snapshots of ${name} go to bucket ${shown(config.bucket)}; its Medusa writes to ${shown(bucket)}`,
        ),
    ];
  });
}

function suspensionProblems(cronJob: Declared, resources: Declared[]): string[] {
  const restoring = isRestoring(resources);
  const serving = resources.some(({ type }) => type === types.cassandra);
  return nightly([cronJob]).flatMap(({ name, command, suspended }) => {
    // Media are restored one bucket at a time: that is media-replicated's.
    if (command === "replicate-media") return [];
    // What the standby does until it serves.
    const idle = /^copy-.*to-s3$/.test(command) ? "pulls" : command === "check-customers" ? "tries" : undefined;
    // By people alone, when nobody writes any more.
    if (command.startsWith("return-"))
      return suspended === true ? [] : [`CronJob ${name} has suspend ${suspended}; set true: people start it`];
    const expected = idle ? serving : restoring && command.startsWith("snapshot-");
    const why = idle
      ? whyIdle[idle][serving ? "active" : "idle"]
      : expected
        ? "an empty site must not become the latest"
        : "only snapshots of a site being restored wait";
    return suspended === expected ? [] : [`CronJob ${name} has suspend ${suspended}; set ${expected}: ${why}`];
  });
}

const whyIdle = {
  pulls: { active: "an active standby has what is newer", idle: "an idle standby pulls every night" },
  tries: {
    active: "the API of an active standby says what it cannot use",
    idle: "an idle standby tries customers' buckets every morning",
  },
};
