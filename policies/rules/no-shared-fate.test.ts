import { awsTypes } from "../lib/aws";
import { types } from "../lib/types";
import { type Props, resource, runs, specify } from "../testing";
import { noSharedFate } from "./no-shared-fate";

const standby = resource(awsTypes.bucket, { bucket: "b", tags: { "iconik-role": "standby" } });
const release = (props: Props) => resource(types.release, props, { name: "release" });
const record = (props: Props) => resource(awsTypes.record, props, { name: "record" });
const copier = (image: string) =>
  resource(types.cronJob, {
    metadata: { name: "copy" },
    spec: {
      jobTemplate: {
        spec: {
          template: {
            spec: {
              containers: [
                { args: ["copy-to-s3"], image, env: [{ name: "DR_CONFIG", value: '{"copiesBucket":"gs://x"}' }] },
              ],
              volumes: [{ name: "google", projected: { sources: [{ audience: "https://iam.googleapis.com/p" }] } }],
            },
          },
        },
      },
    },
  });
const wayIn = (name: string) =>
  resource(types.configMap, { metadata: { name }, data: { c: "https://sts.googleapis.com/v1/token" } });

const customers = (namespace: string) =>
  resource(types.configMap, {
    metadata: { name: "customer-buckets", namespace },
    data: { "buckets.json": '[{"bucket":"gs://globex"}]' },
  });

specify(noSharedFate, {
  holds: [
    [standby, copier("1.dkr.ecr/x"), wayIn("google-copies"), wayIn("google-states")],
    // A customer's own bucket, wherever it is.
    [standby, customers("services")],
    [standby, record({ type: "A", records: ["192.0.2.2"] }), record({ type: "CAA", records: ['0 issue "pki.goog"'] })],
    [standby, record({ type: "CNAME", name: "_acme-challenge.x", records: ["x.authorize.certificatemanager.goog."] })],
    [standby, resource(awsTypes.alarm, { alarmDescription: "see https://console.cloud.google.com and gs://x" })],
    // No standby: a site lives in Google.
    [resource(types.bucket, { name: "b" }), wayIn("x")],
  ],
  violated: [
    [[standby, resource("gcp:dns/managedZone:ManagedZone")], /S7, D4: it is a resource of Google Cloud/],
    [[standby, resource("pulumi:providers:gcp")], /is a resource of Google Cloud/],
    [
      [standby, release({ chart: "oci://europe-west6-docker.pkg.dev/iconik-vault/charts/x" })],
      /release needs Google Cloud \(pkg\.dev\)/,
    ],
    [[standby, release({ values: { image: { registry: "gcr.io/x" } } })], /gcr\.io/],
    [[standby, copier("europe-west6-docker.pkg.dev/iconik-vault/dr/jobs@sha256:0")], /pkg\.dev/],
    [[standby, wayIn("google-more")], /googleapis\.com/],
    [[standby, wayIn("customer-buckets")], /googleapis\.com/],
    [[standby, customers("dr")], /gs:\/\//],
    [[standby, runs("restore-copy", { bucket: "gs://x" })], /gs:\/\//],
    [
      [
        standby,
        resource(types.cassandra, { spec: { medusa: { storageProperties: { storageProvider: "google_storage" } } } }),
      ],
      /google_storage/,
    ],
    [
      [standby, resource(awsTypes.role, { assumeRolePolicy: '{"aud":"x.gserviceaccount.com"}' })],
      /gserviceaccount\.com/,
    ],
    [[standby, record({ type: "CNAME", name: "www", records: ["c.storage.googleapis.com."] })], /googleapis/],
    ...["accounts.google.com", "ns-cloud-a1.googledomains.com", "x.googlehosted.com", "lh3.googleusercontent.com"].map(
      (host): [ReturnType<typeof resource>[], RegExp] => [
        [standby, resource("aws:iam/openIdConnectProvider:OpenIdConnectProvider", { url: `https://${host}` })],
        new RegExp(host.split(".").slice(-2).join("\\.")),
      ],
    ),
  ],
});
