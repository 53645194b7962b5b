/** What the APIs of monitoring, logging and auditing refuse: each case changes valid inputs in one place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../../../lib/types";
import { UNKNOWN } from "../../values";
import { checkShape } from "../check";
import { checkRules } from "../rules";
import { resourceType } from "../table";

const series = 'metric.type="m" AND resource.type="r"';
const threshold = { filter: series, comparison: "COMPARISON_GT", duration: "60s", thresholdValue: 1 };
const condition = (of: Props) => ({ displayName: "c", ...of });
const log = { conditions: [condition({ conditionMatchedLog: { filter: "severity>=ERROR" } })] };

const valid = {
  "monitoring/alertPolicy:AlertPolicy": {
    project: "my-project",
    displayName: "a",
    combiner: "OR",
    severity: "CRITICAL",
    conditions: [condition({ conditionThreshold: threshold })],
    notificationChannels: ["projects/my-project/notificationChannels/1"],
    alertStrategy: { autoClose: "1800s" },
  },
  "monitoring/notificationChannel:NotificationChannel": { type: "email", labels: { email_address: "a@b" } },
  "monitoring/uptimeCheckConfig:UptimeCheckConfig": {
    displayName: "app",
    timeout: "10s",
    period: "60s",
    selectedRegions: ["EUROPE", "USA_IOWA", "ASIA_PACIFIC"],
    httpCheck: { useSsl: true, validateSsl: true },
    monitoredResource: { type: "uptime_url", labels: { host: "a.b" } },
  },
  "logging/metric:Metric": {
    name: "runs",
    filter: "severity>=ERROR",
    metricDescriptor: { metricKind: "DELTA", valueType: "INT64", labels: [{ key: "job" }] },
    labelExtractors: { job: "EXTRACT(jsonPayload.job)" },
  },
  "logging/projectBucketConfig:ProjectBucketConfig": {
    project: "my-project",
    location: "global",
    bucketId: "_Default",
    retentionDays: 400,
  },
  "projects/iAMAuditConfig:IAMAuditConfig": {
    project: "my-project",
    service: "storage.googleapis.com",
    auditLogConfigs: [{ logType: "DATA_READ" }, { logType: "DATA_WRITE" }],
  },
} satisfies Record<string, Props>;
type Type = keyof typeof valid;

const failures = (type: Type, change: Props = {}) => {
  const inputs = Object.fromEntries(Object.entries({ ...valid[type], ...change }).filter(([, v]) => v !== undefined));
  const shape = checkShape(resourceType(`gcp:${type}`)!, inputs);
  return (shape.length ? shape : checkRules(type, inputs)).map(({ property, reason }) => `${property}: ${reason}`);
};
const [POLICY, CHANNEL, UPTIME, METRIC, BUCKET, AUDIT] = Object.keys(valid) as [Type, Type, Type, Type, Type, Type];

for (const type of Object.keys(valid) as Type[])
  test(`valid ${type} passes`, () => assert.deepEqual(failures(type), []));

const refusals: [what: string, type: Type, change: Props, message: RegExp][] = [
  ["no combiner", POLICY, { combiner: undefined }, /combiner: Missing required/],
  ["an unknown combiner", POLICY, { combiner: "or" }, /combiner: expected one of AND, OR/],
  ["no condition", POLICY, { conditions: [] }, /1 to 6 conditions, got 0/],
  ["a condition of no kind", POLICY, { conditions: [condition({})] }, /exactly one kind, got none/],
  [
    "a condition of two kinds",
    POLICY,
    { conditions: [condition({ conditionThreshold: threshold, conditionAbsent: { duration: "300s" } })] },
    /exactly one kind, got conditionThreshold, conditionAbsent/,
  ],
  ["a log without rate limit", POLICY, log, /on log entries needs a notificationRateLimit/],
  [
    "a rate limit without log",
    POLICY,
    { alertStrategy: { notificationRateLimit: { period: "300s" } } },
    /only a policy on log entries/,
  ],
  [
    "a log beside another condition",
    POLICY,
    {
      conditions: [...log.conditions, condition({ conditionThreshold: threshold })],
      alertStrategy: { notificationRateLimit: { period: "300s" } },
    },
    /conditionMatchedLog must be the policy's only condition/,
  ],
  [
    "a duration of 90 s",
    POLICY,
    { conditions: [condition({ conditionThreshold: { ...threshold, duration: "90s" } })] },
    /conditions\[0\]\.conditionThreshold\.duration: .*multiple of 60s, got "90s"/,
  ],
  [
    "an absence of more than 23.5 h",
    POLICY,
    { conditions: [condition({ conditionAbsent: { filter: series, duration: "86400s" } })] },
    /conditionAbsent\.duration: expected a duration from 120s to 84600s/,
  ],
  [
    "a filter without a resource",
    POLICY,
    { conditions: [condition({ conditionThreshold: { ...threshold, filter: 'metric.type="m"' } })] },
    /must specify a restriction on "resource\.type"/,
  ],
  [
    "an empty query",
    POLICY,
    { conditions: [condition({ conditionPrometheusQueryLanguage: { query: " " } })] },
    /query: must not be empty/,
  ],
  ["a channel's id alone", POLICY, { notificationChannels: ["1"] }, /notificationChannels\[0\]: .*the name/],
  ["closing after a minute", POLICY, { alertStrategy: { autoClose: "60s" } }, /autoClose: .*from 1800s/],
  ["endless documentation", POLICY, { documentation: { content: "x".repeat(8193) } }, /at most 8192/],
  ["an e-mail channel without address", CHANNEL, { labels: {} }, /type email needs the label email_address/],
  ["a pager without key", CHANNEL, { type: "pagerduty", labels: {} }, /needs a serviceKey/],
  ["an unknown channel", CHANNEL, { type: "fax" }, /type: expected one of email/],
  ["a check every 30 s", UPTIME, { period: "30s" }, /period: expected one of 60s, 300s, 600s, 900s/],
  ["a check from two places", UPTIME, { selectedRegions: ["EUROPE", "USA_IOWA"] }, /3 locations or more, got 2/],
  ["a check of nothing", UPTIME, { httpCheck: undefined }, /exactly one of httpCheck, tcpCheck/],
  ["a check without target", UPTIME, { monitoredResource: undefined }, /exactly one of monitoredResource/],
  ["a certificate without TLS", UPTIME, { httpCheck: { validateSsl: true } }, /validateSsl needs useSsl/],
  ["a check that takes too long", UPTIME, { timeout: "61s" }, /timeout: expected a duration from 1s to 60s/],
  ["a metric of everything", METRIC, { filter: "" }, /filter: must not be empty/],
  ["a label without descriptor", METRIC, { labelExtractors: { x: "EXTRACT(a)" } }, /label x is none of/],
  ["a counter that extracts", METRIC, { valueExtractor: "EXTRACT(a)" }, /only a metric of valueType DISTRIBUTION/],
  ["logs of 20 years", BUCKET, { retentionDays: 7300 }, /expected 1 to 3650 days/],
  ["an audit of nothing", AUDIT, { auditLogConfigs: [] }, /one log type or more/],
  [
    "a log type twice",
    AUDIT,
    { auditLogConfigs: [{ logType: "DATA_READ" }, { logType: "DATA_READ" }] },
    /DATA_READ is given twice/,
  ],
  ["an unknown log type", AUDIT, { auditLogConfigs: [{ logType: "ALL" }] }, /expected one of ADMIN_READ/],
];
for (const [what, type, change, message] of refusals) {
  test(`${what} is refused`, () => {
    const found = failures(type, change);
    assert.ok(
      found.some((failure) => message.test(failure)),
      found.join("\n") || "nothing was refused",
    );
  });
}

test("USA counts as three places, and what is not known yet passes", () => {
  assert.deepEqual(failures(UPTIME, { selectedRegions: ["USA"] }), []);
  assert.deepEqual(failures(UPTIME, { selectedRegions: [UNKNOWN] }), []);
  assert.deepEqual(failures(POLICY, { notificationChannels: [UNKNOWN] }), []);
});
