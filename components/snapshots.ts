import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { repository } from "../plan/layout";
import { namespaces, rackNames } from "../plan/names";
import { retention } from "../plan/retention";
import type { Schedule } from "../plan/schedules";
import type { Cluster } from "./cluster";
import { cronJob } from "./cron-job";
import { jobAccess } from "./job-access";
import { elasticsearchUrl, jobPod, mounts, reportSeconds } from "./job-pod";

/** Arguments of {@link Snapshots}. */
export interface SnapshotsArgs {
  cluster: Cluster;
  datacenter: string;
  bucket: string;
  image: string;
  /** Nodes and racks that a complete Cassandra backup holds. */
  nodes: number;
  racks: number;
  /** Datacenters that hold each row of every keyspace. */
  datacenters: string[];
  schedules: { cassandraSnapshot: Schedule; elasticsearchSnapshot: Schedule };
  /** Tables and indices that people dropped on purpose. */
  approvedDrops: string[];
  /** True while the site is being restored. */
  suspend: boolean;
}

/** The nightly snapshots of one region (S1, S3), each writing a manifest when it is complete. */
export class Snapshots extends ComponentResource {
  constructor(name: string, args: SnapshotsArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Snapshots", name, {}, opts);
    const { datacenter, bucket, image, suspend } = args;
    const inside = args.cluster.inside(this);
    const access = jobAccess(`${name}-access`, "snapshot-cassandra", namespaces.cassandra, "snapshot-runner", inside);
    new k8s.batch.v1.CronJob(
      `${name}-cassandra`,
      cronJob({
        name: "snapshot-cassandra",
        namespace: namespaces.cassandra,
        schedule: args.schedules.cassandraSnapshot,
        suspend,
        pod: jobPod({
          command: "snapshot-cassandra",
          image,
          serviceAccount: "snapshot-runner",
          config: {
            namespace: namespaces.cassandra,
            datacenter,
            repository: repository("cassandra", datacenter),
            bucket,
            nodes: args.nodes,
            racks: rackNames(args.racks),
            datacenters: args.datacenters,
            approvedDrops: args.approvedDrops,
            timeoutSeconds: args.schedules.cassandraSnapshot.activeDeadlineSeconds - reportSeconds,
          },
        }),
      }),
      { ...inside, dependsOn: [access] },
    );
    new k8s.batch.v1.CronJob(
      `${name}-elasticsearch`,
      cronJob({
        name: "snapshot-elasticsearch",
        namespace: namespaces.elasticsearch,
        schedule: args.schedules.elasticsearchSnapshot,
        suspend,
        pod: jobPod({
          command: "snapshot-elasticsearch",
          image,
          serviceAccount: "elasticsearch-backup",
          mounts: mounts.elasticsearch,
          config: {
            elasticsearch: { url: elasticsearchUrl },
            repository: repository("elasticsearch", datacenter),
            bucket,
            keep: retention.primaryBackupDays,
            approvedDrops: args.approvedDrops,
            timeoutSeconds: args.schedules.elasticsearchSnapshot.activeDeadlineSeconds - reportSeconds,
          },
        }),
      }),
      inside,
    );
    this.registerOutputs({});
  }
}
