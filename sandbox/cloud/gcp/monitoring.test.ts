/** Alerts and what they refer to. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.end());

const TYPES = {
  alert: "gcp:monitoring/alertPolicy:AlertPolicy",
  channel: "gcp:monitoring/notificationChannel:NotificationChannel",
  uptime: "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
  metric: "gcp:logging/metric:Metric",
  bucket: "gcp:logging/projectBucketConfig:ProjectBucketConfig",
  audit: "gcp:projects/iAMAuditConfig:IAMAuditConfig",
};
type Kind = keyof typeof TYPES;
const make = (kind: Kind, inputs: Props) =>
  cloud.control.create(TYPES[kind], "it", { project: "p", ...inputs }, "me@x");
const remove = (kind: Kind, id: string) => cloud.control.delete(TYPES[kind], id, "me@x");

test("a channel is named after its project and stays while an alert uses it", async () => {
  const { id } = await make("channel", { type: "email" });
  assert.match(id, /^projects\/p\/notificationChannels\/\d+$/);
  const alert = await make("alert", { displayName: "stale", notificationChannels: [id], conditions: [] });
  await refused(remove("channel", id), 400, /used by alert policy stale/);
  await remove("alert", alert.id);
  await remove("channel", id);
});

test("a channel that may go by force goes", async () => {
  const { id } = await make("channel", { type: "email", forceDelete: true });
  await make("alert", { displayName: "stale", notificationChannels: [id], conditions: [] });
  await remove("channel", id);
});

test("an alert cannot call a channel of another project", async () => {
  const { id } = await make("channel", { project: "q", type: "email" });
  await refused(make("alert", { notificationChannels: [id] }), 404, /Notification channel projects\/q/);
});

test("an uptime check stays while an alert looks at it", async () => {
  const { id, outputs } = await make("uptime", { displayName: "app.iconik.io" });
  assert.match(String(outputs.uptimeCheckId), /^app-iconik-io-\d+$/);
  const conditions = [{ conditionThreshold: { filter: `metric.labels.check_id="${outputs.uptimeCheckId}"` } }];
  const alert = await make("alert", { displayName: "down", conditions });
  await refused(remove("uptime", id), 400, /One or more alerting policies is using it: down/);
  await remove("alert", alert.id);
  await remove("uptime", id);
});

test("a metric's name and a service's audit configuration exist once in a project", async () => {
  await make("metric", { name: "runs" });
  await refused(make("metric", { name: "runs" }), 409, /runs already exists/);
  await make("metric", { name: "runs", project: "q" });
  await make("audit", { service: "storage.googleapis.com" });
  await refused(make("audit", { service: "storage.googleapis.com" }), 409, /already exists/);
});

test("a project's own log bucket is taken over", async () => {
  const { id } = await make("bucket", { location: "global", bucketId: "_Default", retentionDays: 400 });
  assert.equal(id, "projects/p/locations/global/buckets/_Default");
  await make("bucket", { location: "global", bucketId: "_Default", retentionDays: 30 });
  await make("bucket", { location: "global", bucketId: "own" });
  await refused(make("bucket", { location: "global", bucketId: "own" }), 409, /already exists/);
});
