/** Names that the provider makes when the program leaves them out. Source: the package's `auto_naming`, by resource type. */
import type { AutoName } from "../shape/defaults";

const named = (maxLength: number, property = "name", also = "_.-"): AutoName => ({
  property,
  maxLength,
  separator: "-",
  also,
  capitals: true,
});

/** By resource type, without `aws:` in front. */
export const autoNames: Record<string, AutoName> = {
  "cloudwatch/compositeAlarm:CompositeAlarm": named(255, "alarmName"),
  "cloudwatch/eventRule:EventRule": named(64),
  "cloudwatch/logGroup:LogGroup": named(512),
  "cloudwatch/logMetricFilter:LogMetricFilter": named(512),
  "cloudwatch/metricAlarm:MetricAlarm": named(255),
  "ec2/launchTemplate:LaunchTemplate": named(128),
  "ec2/securityGroup:SecurityGroup": named(255),
  "ecr/repository:Repository": { property: "name", maxLength: 256, separator: "-", also: "_./-" },
  "eks/cluster:Cluster": named(100),
  "eks/nodeGroup:NodeGroup": named(63, "nodeGroupName"),
  "iam/policy:Policy": named(128),
  "iam/role:Role": named(64),
  "iam/rolePolicy:RolePolicy": named(128),
  "kms/alias:Alias": {
    property: "name",
    maxLength: 256,
    separator: "-",
    also: "_/-",
    capitals: true,
    prefix: "alias/",
  },
  "lb/loadBalancer:LoadBalancer": named(32, "name", "-"),
  "lb/targetGroup:TargetGroup": named(32, "name", "-"),
  "s3/bucket:Bucket": { property: "bucket", maxLength: 63, separator: "-", also: ".-" },
  "sns/topic:Topic": named(256, "name", "_-"),
  "sqs/queue:Queue": named(80, "name", "_-"),
  "wafv2/webAcl:WebAcl": named(128, "name", "_-"),
};
