/** What the provider refuses between properties of one resource, by resource type. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { failIf, isEmpty, type Relation, records } from "../shape/relation";
import { isRecord, isUnknown } from "../values";

/** Failures between properties. `type` has no `aws:` in front. Values that are not known yet pass. */
export function relations(type: string, inputs: Props): CheckFailure[] {
  return (byType[type]?.(inputs) ?? []).filter((failure) => failure !== undefined);
}

/** At most, or exactly, one of some properties is set. */
const oneOfThese = (inputs: Props, names: string[], exactly: boolean): CheckFailure | undefined => {
  const set = names.filter((name) => !isEmpty(inputs[name]));
  if (set.length === 1 || (set.length === 0 && !exactly)) return undefined;
  const wanted = exactly ? "exactly one" : "at most one";
  return {
    property: names[0] ?? "",
    reason: `${wanted} of ${names.join(", ")} can be set, not ${set.join(" and ") || "none"}`,
  };
};

const rule: Relation = (inputs) => [
  oneOfThese(inputs, ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"], true),
  failIf(
    inputs.ipProtocol !== "-1" && !isUnknown(inputs.ipProtocol) && isEmpty(inputs.fromPort),
    "fromPort",
    "a protocol other than -1 needs fromPort and toPort",
  ),
];

const byType: Record<string, Relation> = {
  "vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule,
  "vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule,
  "cloudwatch/metricAlarm:MetricAlarm": (inputs) => [
    failIf(
      isEmpty(inputs.metricQueries) && isEmpty(inputs.metricName),
      "metricName",
      "one of metricName, metricQueries must be specified",
    ),
    failIf(
      !isEmpty(inputs.metricName) &&
        isEmpty(inputs.metricQueries) &&
        isEmpty(inputs.statistic) &&
        isEmpty(inputs.extendedStatistic),
      "statistic",
      "One of `statistic` or `extendedStatistic` must be set for a cloudwatch metric alarm",
    ),
  ],
  "eks/nodeGroup:NodeGroup": ({ scalingConfig }) => {
    if (!isRecord(scalingConfig)) return [];
    const { minSize, maxSize, desiredSize } = scalingConfig;
    return [
      failIf(
        Number(desiredSize) < Number(minSize),
        "scalingConfig.desiredSize",
        `${desiredSize} is less than minSize ${minSize}`,
      ),
      failIf(
        Number(desiredSize) > Number(maxSize),
        "scalingConfig.desiredSize",
        `${desiredSize} is more than maxSize ${maxSize}`,
      ),
    ];
  },
  "route53/record:Record": (inputs) => [
    oneOfThese(inputs, ["aliases", "records"], true),
    failIf(!isEmpty(inputs.records) && isEmpty(inputs.ttl), "ttl", "records need a ttl"),
    failIf(!isEmpty(inputs.aliases) && !isEmpty(inputs.ttl), "ttl", "an alias takes its target's ttl"),
    failIf(
      isEmpty(inputs.setIdentifier) &&
        [
          "failoverRoutingPolicies",
          "weightedRoutingPolicies",
          "latencyRoutingPolicies",
          "geolocationRoutingPolicies",
        ].some((name) => !isEmpty(inputs[name])),
      "setIdentifier",
      "a routing policy needs setIdentifier",
    ),
  ],
  "route53/healthCheck:HealthCheck": (inputs) => [
    failIf(
      inputs.type === "CALCULATED" && isEmpty(inputs.childHealthchecks),
      "childHealthchecks",
      "CALCULATED needs childHealthchecks",
    ),
    failIf(
      inputs.type === "CLOUDWATCH_METRIC" && isEmpty(inputs.cloudwatchAlarmName),
      "cloudwatchAlarmName",
      "CLOUDWATCH_METRIC needs cloudwatchAlarmName and cloudwatchAlarmRegion",
    ),
    failIf(
      ["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"].includes(String(inputs.type)) &&
        isEmpty(inputs.ipAddress) &&
        isEmpty(inputs.fqdn),
      "fqdn",
      "an endpoint needs fqdn or ipAddress",
    ),
    failIf(
      /STR_MATCH/.test(String(inputs.type)) !== !isEmpty(inputs.searchString),
      "searchString",
      "goes with HTTP_STR_MATCH and HTTPS_STR_MATCH, and only with them",
    ),
  ],
  "lb/listener:Listener": (inputs) => [
    failIf(
      inputs.protocol === "HTTPS" && isEmpty(inputs.certificateArn),
      "certificateArn",
      "HTTPS needs a certificate",
    ),
    ...records(inputs.defaultActions).map((action, index) =>
      failIf(
        action.type === "forward" && isEmpty(action.targetGroupArn) && isEmpty(action.forward),
        `defaultActions[${index}]`,
        "forward needs targetGroupArn or forward",
      ),
    ),
  ],
  "s3/bucket:Bucket": (inputs) => [oneOfThese(inputs, ["bucket", "bucketPrefix"], false)],
  "iam/role:Role": (inputs) => [oneOfThese(inputs, ["name", "namePrefix"], false)],
  "s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": ({ rule: wanted }) => {
    const retention = isRecord(wanted) && isRecord(wanted.defaultRetention) ? wanted.defaultRetention : undefined;
    return retention ? [oneOfThese(retention, ["days", "years"], true)] : [];
  },
};
