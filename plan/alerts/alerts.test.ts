/** The plan's alerts: complete, readable, and with conditions that Cloud Monitoring takes. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parser } from "@prometheus-io/lezer-promql";
import { CronExpressionParser } from "cron-parser";
import { canaryMetric } from "../canary";
import { lateAfterSeconds, metrics, runsMetric } from "../freshness";
import { objectives } from "../objectives";
import { schedules } from "../schedules";
import { systems } from "../systems";
import {
  type Alert,
  alerts,
  alertsPage,
  type Condition,
  documentation,
  foundationAlerts,
  page,
  siteAlerts,
  standbyAlerts,
  vaultAlerts,
} from ".";

const ROOT = join(__dirname, "..", "..");
const conditions: [Pick<Alert, "id">, Condition][] = [
  ...vaultAlerts.map(
    (alert) =>
      [
        alert,
        alert.condition({ copiesBucket: "copies", repositories: [{ site: "prod", repository: "cassandra-emea" }] }),
      ] as [Alert, Condition],
  ),
  ...siteAlerts.map(
    (alert) =>
      [alert, alert.condition({ clusters: ["a", "b"], regions: 2, canaries: 2, backupBucket: "backups" })] as [
        Alert,
        Condition,
      ],
  ),
  ...foundationAlerts.map(
    (alert) => [alert, alert.condition({ mediaBuckets: ["m", "n"], host: "app.example" })] as [Alert, Condition],
  ),
];

/** Names of the metrics in a PromQL expression. @throws when it is none */
function metricsOf(query: string): string[] {
  const names: string[] = [];
  parser.parse(query).iterate({
    enter: (node) => {
      assert.ok(!node.type.isError, `not PromQL at ${node.from}: ${query.slice(node.from, node.from + 30)}`);
      if (node.name === "VectorSelector") names.push(/^[\w:]+/.exec(query.slice(node.from, node.to))?.[0] ?? "");
    },
  });
  return names;
}

test("ids are unique and name resources", () => {
  const ids = alerts.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[a-z][a-z-]{2,40}[a-z]$/);
});

test("what has to be noticed has an alert, of the stack that outlives it", () => {
  const rows = new Set(alerts.flatMap((alert) => alert.rows));
  for (const row of ["S1", "S2", "S3", "S4", "S5", "S6", "S8", "D1", "D2", "D3", "D5"] as const)
    assert.ok(rows.has(row), row);
  const owner = (id: string) => alerts.find((alert) => alert.id === id)?.owner;
  for (const id of ["cassandra-backup-stale", "copy-stale", "media-copy-stale", "restore-granted", "copies-denied"])
    assert.equal(owner(id), "vault", id);
  for (const id of ["app-unreachable", "media-mass-deletion"]) assert.equal(owner(id), "foundation", id);
});

test("an incident says what, why and what to do, within Cloud Monitoring's bounds", () => {
  for (const alert of alerts) {
    assert.ok(alert.steps.length > 0, alert.id);
    assert.ok(alert.rows.every((row) => row in objectives || systems.some(({ id }) => id === row)));
    const text = documentation(alert);
    assert.ok(text.length < 8192, alert.id);
    const path = /^Runbook: ([^#\n]+)(#(.+))?$/m.exec(text)!;
    assert.ok(existsSync(join(ROOT, path[1]!)), `${alert.id}: ${path[1]}`);
    const headings = [...readFileSync(join(ROOT, path[1]!), "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .replace(/\s/g, "-"),
    );
    assert.ok(path[3] === undefined || headings.includes(path[3]), `${alert.id}: ${path[1]} has no ${path[3]}`);
  }
});

test("PromQL is PromQL, of metrics that something of ours or Google's exports", () => {
  const exported =
    /^(kube_statefulset_\w+|certmanager_\w+|io_cassandrareaper_\w+|(logging|loadbalancing|monitoring)_googleapis_com:\w+)$/;
  let count = 0;
  for (const [{ id }, condition] of conditions) {
    if (condition.kind !== "promql") continue;
    for (const name of metricsOf(condition.query)) {
      assert.ok(
        exported.test(name) || [...Object.values<string>(metrics), canaryMetric].includes(name),
        `${id}: ${name}`,
      );
      count += 1;
    }
  }
  assert.ok(count > 15);
  assert.throws(() => metricsOf("time() - > 3"), /not PromQL/);
});

test("a copy's age is its repository's own, and no repository's age may be absent", () => {
  const query = (id: string) => {
    const [, condition] = conditions.find(([alert]) => alert.id === id)!;
    assert.ok(condition.kind === "promql");
    return condition.query;
  };
  for (const [id, metric] of [
    ["cassandra-backup-stale", metrics.backup],
    ["copy-stale", metrics.copy],
  ] as const)
    assert.ok(query(id).includes(`max by (site, repository) (${metric}`), id);
  for (const metric of [metrics.backup, metrics.copy])
    assert.ok(query("freshness-blind").includes(`absent(${metric}{site="prod",repository="cassandra-emea"})`), metric);
});

test("a log-based metric in a query is the one that is declared", () => {
  const [, silent] = conditions.find(([{ id }]) => id === "snapshots-silent")!;
  assert.ok(silent.kind === "promql");
  assert.equal(silent.query.split(`user_${runsMetric}{`).length, 3);
  // In a range: seconds as Prometheus writes them.
  assert.match(silent.query, /\[97200s\]/);
});

test("durations are whole minutes, an absence at most 23.5 hours", () => {
  for (const [{ id }, condition] of conditions) {
    if (condition.kind === "log") continue;
    assert.equal(condition.seconds % 60, 0, id);
    if (condition.kind === "absent") assert.ok(condition.seconds >= 120 && condition.seconds <= 84_600, id);
    if (condition.kind === "threshold") assert.ok(condition.alignmentSeconds >= 60, id);
  }
});

test("filters close what they open", () => {
  for (const [{ id }, condition] of conditions) {
    if (condition.kind === "promql") continue;
    const bare = condition.filter.replace(/"(?:[^"\\]|\\.)*"/g, "");
    assert.ok(!bare.includes('"'), `${id}: ${condition.filter}`);
    assert.equal(bare.split("(").length, bare.split(")").length, id);
    assert.ok(!/undefined|\$\{/.test(condition.filter), id);
  }
});

/** Seconds from one schedule's start to the next one's of another schedule. */
function gap(from: string, to: string): number {
  const first = CronExpressionParser.parse(from, { tz: "UTC", currentDate: "2026-01-01T00:00:00Z" }).next();
  const next = CronExpressionParser.parse(to, { tz: "UTC", currentDate: first.toDate() }).next();
  return (next.getTime() - first.getTime()) / 1000;
}

test("a late copy is noticed before D2's and D5's bounds are passed", () => {
  // The oldest data that the newest copy can have: its backup began that much before it.
  const before = gap(schedules.cassandraSnapshot.cron, schedules.replication.cron);
  for (const id of ["D2", "D5", "D3"] as const)
    assert.ok(lateAfterSeconds("replication") + before <= objectives[id].rpoSeconds, id);
  assert.equal(lateAfterSeconds("cassandraSnapshot"), 27 * 3600);
});

test(`${alertsPage} is what the plan says`, () => {
  const path = join(ROOT, alertsPage);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, page());
  assert.equal(readFileSync(path, "utf8"), page(), "if it is meant, run `make golden` and review the difference");
  for (const { id } of [...alerts, ...standbyAlerts]) assert.ok(page().includes(`\n### ${id}\n`), id);
});

const standbyScope = {
  copies: "c",
  markersFilter: "markers",
  media: [{ name: "files", copies: "files-copies" }],
  wholeFilter: "all",
  jobMetrics: "n",
  watched: ["c", "traffic"],
};

test("the standby's alerts say what, why and what to do, and CloudWatch takes their conditions", () => {
  const ids = [...alerts, ...standbyAlerts].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const alert of standbyAlerts) {
    assert.ok(alert.steps.length > 0 && /^[a-z][a-z-]+[a-z]$/.test(alert.id), alert.id);
    const conditions = [true, false].flatMap((active) => alert.conditions({ ...standbyScope, active }));
    assert.ok(conditions.length > 0, alert.id);
    for (const { condition } of conditions) {
      assert.doesNotMatch(JSON.stringify(condition), /undefined|null/);
      if (condition.kind === "event") continue;
      const { periodSeconds, periods } = condition;
      assert.ok(periodSeconds % 60 === 0 && Number.isInteger(periods), alert.id);
      // Up to a day, or a week with periods of an hour and more.
      assert.ok(periodSeconds * periods <= (periodSeconds >= 3600 ? 7 : 1) * 86_400, alert.id);
    }
  }
});

type Event = Record<string, unknown>;
const isObject = (value: unknown): value is Event =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Does EventBridge hand an event to a rule? As far as the plan's patterns go. */
function matches(pattern: Event, event: Event): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === "$or") return (wanted as Event[]).some((each) => matches(each, event));
    const value = event[key];
    if (isObject(wanted)) return isObject(value) && matches(wanted, value);
    return (wanted as unknown[]).some((each) =>
      isObject(each) ? each.exists === (value !== undefined) : each === value,
    );
  });
}

/** Alerts that a call to a service gives rise to, as the trail has it. */
function heard(service: string, eventName: string, requestParameters: Event, more: Event = {}): string[] {
  const event = {
    source: `aws.${service}`,
    "detail-type": "AWS API Call via CloudTrail",
    detail: { eventSource: `${service}.amazonaws.com`, eventName, requestParameters, ...more },
  };
  return standbyAlerts.flatMap((alert) =>
    alert
      .conditions({ ...standbyScope, active: false })
      .flatMap(({ condition }) => (condition.kind === "event" && matches(condition.pattern, event) ? [alert.id] : [])),
  );
}

test("what loosens a lock or ends a version of the copies is heard, by whichever name the trail has for it", () => {
  const tampered = ["standby-copies-tampered"];
  for (const name of ["PutObjectLockConfiguration", "PutBucketObjectLockConfiguration", "PutBucketPolicy"])
    assert.deepEqual(heard("s3", name, { bucketName: "c" }), tampered, name);
  for (const name of ["DeleteObject", "PutObjectRetention", "PutObjectLegalHold"])
    for (const version of ["versionId", "x-amz-version-id"])
      assert.deepEqual(
        heard("s3", name, { bucketName: "c", key: "k", [version]: "v" }),
        tampered,
        `${name} ${version}`,
      );
  assert.deepEqual(heard("s3", "DeleteObjects", { bucketName: "c", delete: "" }), tampered);
  assert.deepEqual(heard("s3", "PutObject", { bucketName: "c" }, { errorCode: "AccessDenied" }), tampered);
  // What the copier does: a marker, and no version.
  assert.deepEqual(heard("s3", "DeleteObject", { bucketName: "c", key: "k" }), []);
  assert.deepEqual(heard("s3", "DeleteObjects", { bucketName: "another", delete: "" }), []);
  assert.deepEqual(heard("s3", "PutObject", { bucketName: "traffic", key: "traffic.json" }), ["traffic-switched"]);
});

test("who ends or disables one of the account's keys is heard", () => {
  for (const name of ["DisableKey", "ScheduleKeyDeletion"])
    assert.deepEqual(heard("kms", name, { keyId: "k" }), ["standby-key-ended"], name);
  assert.deepEqual(heard("kms", "Decrypt", {}), []);
});

test("the health checks by which the name turns are watched, in both states, and the certificate's renewal", () => {
  const dimensions = (active: boolean) =>
    standbyAlerts.flatMap(({ conditions }) =>
      conditions({ ...standbyScope, active }).flatMap(({ condition }) =>
        condition.kind === "metric"
          ? Object.values(condition.dimensions).flatMap((value) => (typeof value === "string" ? [] : [value.of]))
          : [],
      ),
    );
  assert.deepEqual(dimensions(false), ["reachable-check", "named-check", "primary-check", "certificate"]);
  assert.deepEqual(dimensions(true), [
    "reachable-check",
    "named-check",
    "load-balancer",
    "target-group",
    "certificate",
  ]);
});

test("active, the standby watches what it serves; else what it pulls", () => {
  const watched = (active: boolean) =>
    standbyAlerts.filter((alert) => alert.conditions({ ...standbyScope, active }).length > 0).map(({ id }) => id);
  const only = (one: string[], other: string[]) => one.filter((id) => !other.includes(id));
  assert.deepEqual(only(watched(true), watched(false)), ["standby-unhealthy", "standby-clock-ahead"]);
  assert.deepEqual(only(watched(false), watched(true)), [
    "standby-copy-late",
    "standby-media-late",
    "customer-bucket-refused",
  ]);
});
