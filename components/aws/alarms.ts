import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import {
  type AlarmedResource,
  conditionName,
  documentation,
  type EventCondition,
  jobMetrics,
  type MetricCondition,
  type StandbyAlert,
  type StandbyScope,
} from "../../plan/alerts";
import { alertLabel } from "../../plan/labels";
import { document, type Statement } from "../../plan/s3-permissions";
import { globalRegion } from "../../plan/standby";

/** Who hears of alarms. */
export type Subscriber = { type: "email"; address: string } | { type: "queue"; arn: string };

/** Arguments of {@link Alarms}. */
export interface AlarmsArgs {
  account: string;
  alerts: readonly StandbyAlert[];
  /** What their conditions have to know of the stack. */
  scope: StandbyScope;
  /** Dimensions that resources give. */
  resources: Record<AlarmedResource, Input<string>>;
  /** Log group of the jobs' logs. */
  jobLogs: aws.cloudwatch.LogGroup;
  logsKey: aws.kms.Key;
  subscribers: readonly Subscriber[];
}

const topicName = "standby-alarms";

/**
 * An alarm of CloudWatch or a rule of EventBridge for each alert of the plan that the standby owns, and the topics by which they
 * are heard: one in the region, one where Route 53 has its metrics.
 */
export class Alarms extends ComponentResource {
  constructor(name: string, args: AlarmsArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Alarms", name, {}, opts);
    const inside = { parent: this };
    for (const [part, { metric, event, ...more }] of Object.entries(jobMetrics)) {
      new aws.cloudwatch.LogMetricFilter(
        `${name}-${part}`,
        {
          name: `standby-${metric}`,
          logGroupName: args.jobLogs.name,
          pattern: `{ $.log_processed.event = "${event}" }`,
          metricTransformation: {
            namespace: args.scope.jobMetrics,
            name: metric,
            value: "1",
            ...("dimension" in more && { dimensions: { [more.dimension]: `$.log_processed.${more.dimension}` } }),
          },
        },
        inside,
      );
    }
    const topic = this.topic(`${name}-topic`, args, args.logsKey.arn);
    // A key of this region is none there; what the alarms of health checks say is no secret.
    const global = this.topic(`${name}-global-topic`, args, undefined, globalRegion);
    for (const alert of args.alerts) {
      for (const { part, condition } of alert.conditions(args.scope)) {
        const id = conditionName(alert, part);
        if (condition.kind === "metric")
          this.alarm(`${name}-${id}`, id, alert, condition, args, condition.global ? global : topic);
        else this.rule(`${name}-${id}`, id, alert, condition, topic);
      }
    }
    this.registerOutputs({});
  }

  private topic(name: string, args: AlarmsArgs, key: Input<string> | undefined, region?: string): aws.sns.Topic {
    const topic = new aws.sns.Topic(
      name,
      { name: topicName, signatureVersion: 2, ...(key && { kmsMasterKeyId: key }), ...(region && { region }) },
      { parent: this },
    );
    new aws.sns.TopicPolicy(
      name,
      {
        arn: topic.arn,
        policy: topic.arn.apply((arn) => JSON.stringify(topicPolicy(arn, args.account))),
        ...(region && { region }),
      },
      { parent: this },
    );
    for (const subscriber of args.subscribers) {
      const [protocol, endpoint] =
        subscriber.type === "email" ? ["email", subscriber.address] : ["sqs", subscriber.arn];
      new aws.sns.TopicSubscription(
        `${name}-${endpoint}`,
        { topic: topic.arn, protocol, endpoint, ...(region && { region }) },
        { parent: this },
      );
    }
    return topic;
  }

  private alarm(
    name: string,
    id: string,
    alert: StandbyAlert,
    condition: MetricCondition,
    args: AlarmsArgs,
    topic: aws.sns.Topic,
  ): Resource {
    return new aws.cloudwatch.MetricAlarm(
      name,
      {
        name: id,
        alarmDescription: description(alert),
        namespace: condition.namespace,
        metricName: condition.metric,
        dimensions: Object.fromEntries(
          Object.entries(condition.dimensions).map(([key, value]) => [
            key,
            typeof value === "string" ? value : args.resources[value.of],
          ]),
        ),
        statistic: condition.statistic,
        period: condition.periodSeconds,
        evaluationPeriods: condition.periods,
        datapointsToAlarm: condition.periods,
        comparisonOperator: condition.comparison === "above" ? "GreaterThanThreshold" : "LessThanThreshold",
        threshold: condition.threshold,
        treatMissingData: condition.missing,
        actionsEnabled: true,
        alarmActions: [topic.arn],
        okActions: [topic.arn],
        tags: { [alertLabel]: alert.id },
        ...(condition.global && { region: globalRegion }),
      },
      { parent: this },
    );
  }

  private rule(name: string, id: string, alert: StandbyAlert, { pattern }: EventCondition, topic: aws.sns.Topic): void {
    const rule = new aws.cloudwatch.EventRule(
      name,
      {
        name: id,
        description: alert.title,
        eventPattern: JSON.stringify(pattern),
        state: "ENABLED",
        tags: { [alertLabel]: alert.id },
      },
      { parent: this },
    );
    new aws.cloudwatch.EventTarget(
      name,
      {
        rule: rule.name,
        arn: topic.arn,
        inputTransformer: {
          inputPaths: { event: "$.detail.eventName", who: "$.detail.userIdentity.arn", at: "$.time" },
          inputTemplate: JSON.stringify(`${alert.severity}: ${alert.title}. <event> by <who> at <at>`),
        },
      },
      { parent: this },
    );
  }
}

/** What the notification says; CloudWatch takes 1024 characters. */
function description(alert: StandbyAlert): string {
  return `${alert.severity}: ${alert.title}\n\n${documentation(alert)}`.slice(0, 1024);
}

/** CloudWatch of this account and EventBridge publish. */
export function topicPolicy(arn: string, account: string) {
  const publishes = (Sid: string, service: string, Condition?: Statement["Condition"]): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "sns:Publish",
    Resource: arn,
    ...(Condition && { Condition }),
  });
  return document([
    publishes("Cloudwatch", "cloudwatch.amazonaws.com", { StringEquals: { "aws:SourceAccount": account } }),
    // EventBridge supports no condition in a topic's policy: with one its events are dropped, and nobody is told.
    publishes("Events", "events.amazonaws.com"),
  ]);
}
