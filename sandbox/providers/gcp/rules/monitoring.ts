/** What Cloud Monitoring, Cloud Logging and audit configurations refuse. Sources: the REST references of v3 and v2. */
import type { Props } from "../../../lib/types";
import type { CheckFailure } from "../../provider";
import { isRecord, isUnknown } from "../../values";
import { atMost, labels, matches, oneOf, type Rule } from "../syntax";

const quote = (value: unknown) => JSON.stringify(value);
const seconds = (value: unknown) => Number(/^(\d+(?:\.\d+)?)s$/.exec(String(value))?.[1] ?? Number.NaN);

/** A duration such as `300s` between two bounds, a whole number of `step` seconds. */
function duration(low: number, high: number, step = 1): Rule {
  return (value) => {
    const given = seconds(value);
    if (given >= low && given <= high && given % step === 0) return undefined;
    const multiple = step === 1 ? "" : ` and a multiple of ${step}s`;
    return `expected a duration from ${low}s to ${high}s${multiple}, got ${quote(value)}`;
  };
}

const notEmpty: Rule = (value) => (String(value).trim() === "" ? "must not be empty" : undefined);

/** A filter of time series names one metric and the resource that it is of. */
const seriesFilter: Rule = (value) => {
  const filter = String(value);
  if (!/\bmetric\.type\s*=/.test(filter)) return `${quote(filter)} must specify a restriction on "metric.type"`;
  return /\bresource\.type\s*=/.test(filter)
    ? undefined
    : `${quote(filter)} must specify a restriction on "resource.type"`;
};

const day = 86_400;
const comparison = oneOf("COMPARISON_GT", "COMPARISON_LT");
const aggregation = (path: string): Record<string, Rule> => ({
  [`${path}[].alignmentPeriod`]: duration(60, 90_000),
  [`${path}[].perSeriesAligner`]: matches(/^ALIGN_[A-Z0-9_]+$/, "e.g. ALIGN_DELTA"),
  [`${path}[].crossSeriesReducer`]: matches(/^REDUCE_[A-Z0-9_]+$/, "e.g. REDUCE_SUM"),
});
const threshold = "conditions[].conditionThreshold";
const absent = "conditions[].conditionAbsent";
const promql = "conditions[].conditionPrometheusQueryLanguage";

/** Rules by resource type and path. */
export const monitoringRules: Record<string, Record<string, Rule>> = {
  "monitoring/alertPolicy:AlertPolicy": {
    displayName: atMost(512),
    combiner: oneOf("AND", "OR", "AND_WITH_MATCHING_RESOURCE"),
    severity: oneOf("CRITICAL", "ERROR", "WARNING"),
    userLabels: labels,
    "alertStrategy.autoClose": duration(1800, 7 * day),
    "alertStrategy.notificationRateLimit.period": duration(300, 2 * day),
    "alertStrategy.notificationPrompts[]": oneOf("OPENED", "CLOSED"),
    "alertStrategy.notificationChannelStrategies[].renotifyInterval": duration(1800, day, 60),
    "notificationChannels[]": matches(
      /^projects\/[^/]+\/notificationChannels\/[^/]+$/,
      "write projects/PROJECT/notificationChannels/ID, the name of the channel",
    ),
    "documentation.content": atMost(8192),
    "documentation.mimeType": oneOf("text/markdown"),
    "documentation.subject": atMost(255),
    [`${threshold}.filter`]: seriesFilter,
    [`${threshold}.comparison`]: comparison,
    [`${threshold}.duration`]: duration(0, 23.5 * 3600, 60),
    [`${threshold}.evaluationMissingData`]: matches(/^EVALUATION_MISSING_DATA_[A-Z_]+$/, "e.g. …_INACTIVE"),
    ...aggregation(`${threshold}.aggregations`),
    [`${absent}.filter`]: seriesFilter,
    [`${absent}.duration`]: duration(120, 23.5 * 3600, 60),
    ...aggregation(`${absent}.aggregations`),
    [`${promql}.query`]: notEmpty,
    [`${promql}.duration`]: duration(0, 7 * day, 60),
    [`${promql}.evaluationInterval`]: duration(30, day, 30),
    "conditions[].conditionMatchedLog.filter": notEmpty,
  },
  "monitoring/notificationChannel:NotificationChannel": {
    type: oneOf(
      ...["email", "pagerduty", "pubsub", "slack", "sms", "webhook_basicauth", "webhook_tokenauth", "google_chat"],
    ),
    displayName: atMost(512),
    // Of the channel, such as its address: none of the labels by which resources are sorted.
    labels: () => undefined,
    userLabels: labels,
  },
  "monitoring/uptimeCheckConfig:UptimeCheckConfig": {
    displayName: notEmpty,
    period: oneOf("60s", "300s", "600s", "900s"),
    timeout: duration(1, 60),
    checkerType: oneOf("STATIC_IP_CHECKERS", "VPC_CHECKERS"),
    "selectedRegions[]": oneOf(
      ...["USA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "USA_OREGON", "USA_IOWA", "USA_VIRGINIA"],
    ),
    "httpCheck.requestMethod": oneOf("GET", "POST"),
    "httpCheck.acceptedResponseStatusCodes[].statusClass": matches(/^STATUS_CLASS_(?:[1-5]XX|ANY)$/, "e.g. …_2XX"),
    userLabels: labels,
  },
  "logging/metric:Metric": {
    name: matches(/^[\w\-.,+!*',()%/]{1,100}$/, "up to 100 letters, digits and _-.,+!*',()%/"),
    filter: notEmpty,
    description: atMost(8000),
    "metricDescriptor.metricKind": oneOf("DELTA", "GAUGE", "CUMULATIVE"),
    "metricDescriptor.valueType": oneOf("BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"),
    "metricDescriptor.labels[].key": matches(/^[a-z][a-z0-9_]{0,99}$/, "a label has lower-case letters, digits and _"),
    "metricDescriptor.labels[].valueType": oneOf("STRING", "BOOL", "INT64"),
  },
  "logging/projectBucketConfig:ProjectBucketConfig": {
    bucketId: matches(/^[A-Za-z0-9_][\w.-]{0,99}$/, "up to 100 letters, digits, underscores, hyphens and periods"),
    retentionDays: (value) =>
      Number(value) >= 1 && Number(value) <= 3650 ? undefined : `expected 1 to 3650 days, got ${quote(value)}`,
  },
  "projects/iAMAuditConfig:IAMAuditConfig": {
    service: matches(/^(?:allServices|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.googleapis\.com)$/, "e.g. storage.googleapis.com"),
    "auditLogConfigs[].logType": oneOf("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
  },
};

/** Labels that a channel of a type needs. */
const channelLabels: Record<string, string> = {
  email: "email_address",
  pubsub: "topic",
  sms: "number",
  slack: "channel_name",
  google_chat: "space",
  webhook_basicauth: "url",
  webhook_tokenauth: "url",
};

/** Relations between properties by resource type. */
export const monitoringRelations: Record<string, (inputs: Props) => (CheckFailure | undefined)[]> = {
  "monitoring/alertPolicy:AlertPolicy": alertPolicy,
  "monitoring/notificationChannel:NotificationChannel": ({ type, labels: given, sensitiveLabels }) => {
    const needed = channelLabels[String(type)];
    return [
      failIf(
        needed !== undefined && !present(isRecord(given) ? given[needed] : undefined),
        "labels",
        `a channel of type ${type} needs the label ${needed}`,
      ),
      failIf(
        type === "pagerduty" && !isRecord(sensitiveLabels) && !present(isRecord(given) ? given.service_key : undefined),
        "sensitiveLabels.serviceKey",
        "a channel of type pagerduty needs a serviceKey",
      ),
    ];
  },
  "monitoring/uptimeCheckConfig:UptimeCheckConfig": uptimeCheck,
  "logging/metric:Metric": ({ metricDescriptor, labelExtractors, valueExtractor, bucketOptions }) => {
    const descriptor = isRecord(metricDescriptor) ? metricDescriptor : {};
    const keys = records(descriptor.labels).map(({ key }) => key);
    const extra = Object.keys(isRecord(labelExtractors) ? labelExtractors : {}).find((key) => !keys.includes(key));
    const distribution = descriptor.valueType === "DISTRIBUTION";
    return [
      failIf(extra !== undefined, "labelExtractors", `label ${extra} is none of metricDescriptor.labels`),
      failIf(
        isRecord(metricDescriptor) && !distribution && present(valueExtractor),
        "valueExtractor",
        "only a metric of valueType DISTRIBUTION extracts values",
      ),
      failIf(!distribution && isRecord(bucketOptions), "bucketOptions", "only a DISTRIBUTION has buckets"),
    ];
  },
  "projects/iAMAuditConfig:IAMAuditConfig": ({ auditLogConfigs }) => {
    const types = records(auditLogConfigs).map(({ logType }) => logType);
    const twice = types.find((type, index) => types.indexOf(type) !== index);
    return [
      failIf(types.length === 0, "auditLogConfigs", "name one log type or more"),
      failIf(twice !== undefined, "auditLogConfigs", `${twice} is given twice`),
    ];
  },
};

function alertPolicy({ conditions, alertStrategy }: Props): (CheckFailure | undefined)[] {
  const all = records(conditions);
  const kinds = all.map((condition) => Object.keys(condition).filter((key) => key.startsWith("condition")));
  const wrong = kinds.findIndex((of) => of.length !== 1);
  const byLog = kinds.flat().includes("conditionMatchedLog");
  const alone = kinds.flat().find((kind) => /^condition(MatchedLog|MonitoringQueryLanguage|Sql)$/.test(kind));
  const strategy = isRecord(alertStrategy) ? alertStrategy : {};
  return [
    failIf(all.length < 1 || all.length > 6, "conditions", `a policy has 1 to 6 conditions, got ${all.length}`),
    failIf(
      wrong >= 0,
      `conditions[${wrong}]`,
      `a condition is of exactly one kind, got ${kinds[wrong]?.join(", ") || "none"}`,
    ),
    failIf(alone !== undefined && all.length > 1, "conditions", `${alone} must be the policy's only condition`),
    failIf(
      byLog && !isRecord(strategy.notificationRateLimit),
      "alertStrategy.notificationRateLimit",
      "a policy on log entries needs a notificationRateLimit",
    ),
    failIf(
      all.length > 0 && !byLog && isRecord(strategy.notificationRateLimit),
      "alertStrategy.notificationRateLimit",
      "only a policy on log entries takes a notificationRateLimit",
    ),
  ];
}

function uptimeCheck(inputs: Props): (CheckFailure | undefined)[] {
  const checks = ["httpCheck", "tcpCheck", "syntheticMonitor"].filter((key) => isRecord(inputs[key]));
  const targets = ["monitoredResource", "resourceGroup", "syntheticMonitor"].filter((key) => isRecord(inputs[key]));
  const chosen = Array.isArray(inputs.selectedRegions) ? inputs.selectedRegions : [];
  // USA stands for three locations.
  const locations = new Set(
    chosen.flatMap((name) => (name === "USA" ? ["USA_OREGON", "USA_IOWA", "USA_VIRGINIA"] : [name])),
  );
  const http = isRecord(inputs.httpCheck) ? inputs.httpCheck : {};
  return [
    failIf(checks.length !== 1, "httpCheck", "exactly one of httpCheck, tcpCheck and syntheticMonitor must be set"),
    failIf(targets.length !== 1, "monitoredResource", "exactly one of monitoredResource and resourceGroup must be set"),
    failIf(
      chosen.length > 0 && !chosen.some(isUnknown) && locations.size < 3,
      "selectedRegions",
      `a check runs from 3 locations or more, got ${locations.size}`,
    ),
    failIf(http.validateSsl === true && http.useSsl !== true, "httpCheck.validateSsl", "validateSsl needs useSsl"),
    failIf(
      seconds(inputs.timeout) > seconds(inputs.period ?? "300s"),
      "timeout",
      "a check ends before the next one begins",
    ),
  ];
}

const present = (value: unknown) => isUnknown(value) || (typeof value === "string" && value !== "");

function failIf(condition: boolean, property: string, reason: string): CheckFailure | undefined {
  return condition ? { property, reason } : undefined;
}

function records(value: unknown): Props[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
