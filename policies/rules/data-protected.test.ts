import { types } from "../lib/types";
import { bucket, clusterIn, passingCluster, resource, specify } from "../testing";
import { dataProtected } from "./data-protected";

const open = { protect: false };
const inDrill = { ...open, cluster: clusterIn("europe-west1", "iconik-drill-prod") };

const standby = (bucket: string) => [
  resource(types.cassandra, {}, { ...open, cluster: "arn:aws:eks:eu-central-1:123456789012:cluster/standby" }),
  resource("aws:s3/bucket:Bucket", { bucket }, open),
];

specify(dataProtected, {
  holds: [
    resource(types.cluster, { project: "p", deletionProtection: true }),
    resource(types.cluster, { project: "iconik-drill-prod" }, open),
    passingCluster("retired", { deletionProtection: false }),
    resource(types.cassandra, {}),
    resource(types.cassandra, {}, inDrill),
    resource(types.elasticsearch, {}, inDrill),
    standby("iconik-drill-standby-backups"),
    // No store: another rule asks for its label.
    resource(types.bucket, { project: "p" }, open),
  ],
  violated: [
    [resource(types.cluster, { project: "p", deletionProtection: true }, open), /S1, .* protect is not set/],
    [resource(types.cluster, { project: "p" }), /deletionProtection is off/],
    [passingCluster("joining", { deletionProtection: false }), /deletionProtection is off/],
    [{ ...passingCluster("retired"), protect: false }, /protect is not set/],
    [resource(types.cluster, {}, open), /protect is not set/],
    [{ ...bucket("media"), protect: false }, /protect is not set/],
    [resource(types.repository, { project: "p" }, open), /protect is not set/],
    [resource(types.address, { project: "p" }, open), /protect is not set/],
    [standby("iconik-standby-backups"), /protect is not set/],
    [resource(types.cassandra, {}, open), /protect is not set/],
    [resource(types.elasticsearch, {}, { ...open, cluster: clusterIn("europe-west1") }), /protect is not set/],
  ],
});
