import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { type Alert, type Condition, documentation, repetition } from "../plan/alerts";

/** Arguments of {@link Alerts}. */
export interface AlertsArgs<S> {
  project: string;
  /** Alerts of the plan that this stack owns. */
  alerts: readonly Alert<S>[];
  /** What their conditions have to know of the stack. */
  scope: S;
  /** Notification channels by name. */
  channels: Input<string>[];
  /** A restore is under way: what it suspends is not watched. Default: false. */
  restoring?: boolean;
}

const { log, metric } = repetition;

/** A policy of Cloud Monitoring for each alert of the plan that a stack owns. */
export class Alerts<S> extends ComponentResource {
  constructor(name: string, args: AlertsArgs<S>, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:Alerts", name, {}, opts);
    for (const alert of args.alerts) {
      const condition = alert.condition(args.scope);
      new gcp.monitoring.AlertPolicy(
        `${name}-${alert.id}`,
        {
          project: args.project,
          displayName: alert.title,
          severity: alert.severity,
          enabled: !(args.restoring && alert.pausedByRestore),
          combiner: "OR",
          conditions: [{ displayName: alert.id, ...conditionOf(alert.id, condition) }],
          notificationChannels: args.channels,
          alertStrategy: strategy(alert, condition, args.channels),
          documentation: {
            subject: `${alert.severity}: ${alert.title}`,
            content: documentation(alert as Alert),
            mimeType: "text/markdown",
          },
          userLabels: { alert: alert.id, rows: alert.rows.join("-").toLowerCase() },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

/** A condition as the API takes it. */
function conditionOf(id: string, condition: Condition) {
  switch (condition.kind) {
    case "promql":
      return {
        conditionPrometheusQueryLanguage: {
          query: condition.query,
          duration: `${condition.seconds}s`,
          evaluationInterval: "60s",
          alertRule: id,
          // On a fresh project nothing has been measured yet.
          disableMetricValidation: true,
        },
      };
    case "threshold":
      return {
        conditionThreshold: {
          filter: condition.filter,
          comparison: "COMPARISON_GT",
          thresholdValue: condition.above,
          duration: `${condition.seconds}s`,
          aggregations: [
            {
              alignmentPeriod: `${condition.alignmentSeconds}s`,
              perSeriesAligner: condition.aligner,
              ...(condition.reducer && { crossSeriesReducer: condition.reducer }),
              ...(condition.groupBy && { groupByFields: condition.groupBy }),
            },
          ],
          trigger: { count: 1 },
        },
      };
    case "absent":
      return {
        conditionAbsent: {
          filter: condition.filter,
          duration: `${condition.seconds}s`,
          aggregations: [
            {
              alignmentPeriod: "60s",
              perSeriesAligner: "ALIGN_MEAN",
              crossSeriesReducer: "REDUCE_SUM",
              groupByFields: condition.groupBy,
            },
          ],
          trigger: { count: 1 },
        },
      };
    case "log":
      return { conditionMatchedLog: { filter: condition.filter } };
  }
}

/** How often an incident is told, and when it ends by itself. */
function strategy({ severity }: Pick<Alert, "severity">, { kind }: Condition, channels: Input<string>[]) {
  if (kind === "log") {
    return { autoClose: `${log.closesSeconds}s`, notificationRateLimit: { period: `${log.atMostEverySeconds}s` } };
  }
  const repeats = severity === "CRITICAL" && channels.length > 0;
  return {
    autoClose: `${metric.closesSeconds}s`,
    notificationPrompts: ["OPENED", "CLOSED"],
    ...(repeats && {
      notificationChannelStrategies: [
        { notificationChannelNames: channels, renotifyInterval: `${metric.againSeconds}s` },
      ],
    }),
  };
}
