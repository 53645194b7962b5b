import { types } from "../lib/types";
import { clusterIn, resource, specify } from "../testing";
import { operatorsProtected } from "./operators-protected";

const open = { protect: false };
const namespace = (name: string, more = {}) => resource(types.namespace, { metadata: { name } }, more);
const release = (chart: string, more = {}) => resource(types.release, { name: "operator", chart }, more);
const ring = (project: string) => `projects/${project}/locations/europe-west1/keyRings/r`;

const eks = "arn:aws:eks:eu-central-1:123456789012:cluster/standby";
const standby = (bucket: string) => [
  namespace("cassandra", { ...open, cluster: eks }),
  resource("aws:s3/bucket:Bucket", { bucket }, open),
];

specify(operatorsProtected, {
  holds: [
    namespace("cassandra"),
    namespace("dr", open),
    namespace("cassandra", { ...open, cluster: clusterIn("europe-west1", "iconik-drill-prod") }),
    release("oci://r/charts/k8ssandra-operator"),
    release("oci://r/charts/cert-manager", open),
    standby("iconik-drill-standby-backups"),
    resource(types.namespace, {}, open),
    resource(types.release, {}, open),
    resource(types.key, { name: "k", keyRing: ring("iconik-drill-prod") }, open),
  ],
  violated: [
    [namespace("cassandra", open), /S1, S3, S5, D3: namespace cassandra is not protected/],
    [namespace("elasticsearch", { ...open, cluster: clusterIn("europe-west1") }), /namespace elasticsearch is/],
    [release("oci://r/charts/k8ssandra-operator", open), /release operator is not protected/],
    [standby("iconik-standby-backups"), /namespace cassandra is not protected/],
    [release("eck-operator", open), /release operator is not protected/],
    [resource(types.key, { name: "k", keyRing: ring("p") }, open), /key k is not protected/],
    [resource(types.key, {}, open), /is not protected/],
  ],
});
