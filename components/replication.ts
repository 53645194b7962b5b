import * as k8s from "@pulumi/kubernetes";
import { all, ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { namespaces } from "../plan/names";
import type { Schedule } from "../plan/schedules";
import type { Cluster } from "./cluster";
import { cronJob } from "./cron-job";
import { jobAccess } from "./job-access";
import { jobPod, reportSeconds } from "./job-pod";
import type { MarkerKey } from "./marker-key";

/** A site whose backups are copied. */
export interface ReplicatedSite {
  name: string;
  /** Its primary backup bucket. */
  bucket: string;
  /** Repositories that make a copy, e.g. `cassandra-emea`. */
  repositories: string[];
}

/** Arguments of {@link Replication}. */
export interface ReplicationArgs {
  cluster: Cluster;
  copiesBucket: string;
  sites: ReplicatedSite[];
  image: string;
  schedule: Schedule;
  /** Signs the markers. */
  markerKey: MarkerKey;
  /** Crons of the sites' snapshots, in UTC. */
  snapshots: { cassandra: string; elasticsearch: string };
  /** What each copy may ask of the storage. */
  limits: { transactionsPerSecond: number; bandwidth?: string | undefined };
}

const account = "backup-replicator";

/** Time for the copy itself; what is left of the run's deadline is spent waiting for the night's manifests. */
const copySeconds = 3600;

/** The nightly second copies (S2): one job per site, run in the vault by the identity that can only read primaries. */
export class Replication extends ComponentResource {
  constructor(name: string, args: ReplicationArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Replication", name, {}, opts);
    const inside = args.cluster.inside(this);
    const access = jobAccess(`${name}-access`, "replicate", namespaces.dr, account, inside);
    for (const site of args.sites) {
      new k8s.batch.v1.CronJob(
        `${name}-${site.name}`,
        cronJob({
          name: `replicate-${site.name}`,
          namespace: namespaces.dr,
          schedule: args.schedule,
          suspend: false,
          pod: jobPod({
            command: "replicate",
            image: args.image,
            serviceAccount: account,
            config: all([args.markerKey.signingKey, args.markerKey.publicKeys]).apply(([signingKey, markerKeys]) => ({
              site: site.name,
              bucket: site.bucket,
              copiesBucket: args.copiesBucket,
              repositories: site.repositories,
              signingKey,
              markerKeys,
              leaseIn: namespaces.dr,
              snapshots: args.snapshots,
              ...args.limits,
              waitSeconds: args.schedule.activeDeadlineSeconds - copySeconds - reportSeconds,
            })),
          }),
        }),
        { ...inside, dependsOn: [access] },
      );
    }
    this.registerOutputs({});
  }
}
