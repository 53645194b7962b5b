import type { Declared } from "../lib/rule";
import { types } from "../lib/types";
import { bucket, datacenter, passingCluster, resource, running, runs, specify } from "../testing";
import { backupsScheduled } from "./backups-scheduled";

const cassandra = resource(types.cassandra, {
  spec: {
    cassandra: { datacenters: [datacenter(2, 2)] },
    medusa: { storageProperties: { bucketName: "b" } },
  },
});
const snapshots = (suspend = false, to = "b"): [Declared, Declared] => [
  runs("snapshot-cassandra", { repository: "cassandra-apac", bucket: to }, { suspend }),
  runs("snapshot-elasticsearch", { repository: "elasticsearch-apac", bucket: to }, { suspend }),
];
const restoreCopy = resource(types.job, running("restore-copy"));
const copies = bucket("second-copy");

specify(backupsScheduled, {
  holds: [
    [runs("copy-to-s3"), runs("check-customers")],
    [cassandra, ...snapshots(), runs("check-customers", {}, { suspend: true })],
    [cassandra, ...snapshots(false, "s3://b"), runs("copy-to-s3", {}, { suspend: true })],
    [cassandra, ...snapshots()],
    [cassandra, ...snapshots(true), restoreCopy],
    [cassandra, passingCluster("joining", {}, "asia-southeast1", "apac")],
    [copies, runs("replicate")],
    // A store without datacenters has nothing to lose; that it has none is another rule's.
    [resource(types.cassandra, { spec: { cassandra: { datacenters: [] } } })],
    [resource(types.cassandra)],
  ],
  violated: [
    [[cassandra, passingCluster("joining")], /cassandra-apac has 0 snapshot CronJobs/],
    [[cassandra], /S1, S2, S3: cassandra-apac has 0 snapshot CronJobs/],
    [[cassandra, snapshots()[0]], /elasticsearch-apac has 0 snapshot CronJobs/],
    [[cassandra, ...snapshots(), ...snapshots()], /cassandra-apac has 2 snapshot CronJobs/],
    [[cassandra, ...snapshots(false, "c")], /go to bucket "c"; its Medusa writes to "b"/],
    [[cassandra, ...snapshots(true)], /has suspend true; set false/],
    [[cassandra, ...snapshots(), restoreCopy], /has suspend false; set true/],
    [[copies], /no replication CronJob/],
    [[copies, resource(types.cronJob)], /no replication CronJob/],
    [runs("copy-to-s3", {}, { suspend: true }), /has suspend true; set false: an idle standby/],
    [[cassandra, ...snapshots(), runs("copy-media-to-s3")], /has suspend false; set true: an active standby/],
    [runs("check-customers", {}, { suspend: true }), /has suspend true; set false: an idle standby tries/],
    [[cassandra, ...snapshots(), runs("check-customers")], /has suspend false; set true: the API of an active standby/],
    [[copies, runs("replicate", {}, { suspend: true })], /has suspend true; set false/],
    [
      resource(types.cronJob, {
        spec: {
          jobTemplate: { spec: { template: { spec: { containers: [{ env: [{ name: "DR_CONFIG", value: "{" }] }] } } } },
        },
      }),
      /DR_CONFIG of it is no JSON object/,
    ],
  ],
});
