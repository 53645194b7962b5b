import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { events } from "../plan/events";
import { runsMetric } from "../plan/freshness";

/** Arguments of {@link JobRuns}. */
export interface JobRunsArgs {
  project: string;
}

/** Counts how runs of jobs ended, from the last lines of their logs. */
export class JobRuns extends ComponentResource {
  constructor(name: string, args: JobRunsArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:JobRuns", name, {}, opts);
    new gcp.logging.Metric(
      `${name}-metric`,
      {
        project: args.project,
        name: runsMetric,
        description: "Runs of dr-jobs by command and how they ended",
        filter: `resource.type="k8s_container" AND jsonPayload.event=("${events.jobSucceeded}" OR "${events.jobFailed}")`,
        metricDescriptor: {
          metricKind: "DELTA",
          valueType: "INT64",
          unit: "1",
          labels: ["command", "event"].map((key) => ({ key, valueType: "STRING" })),
        },
        labelExtractors: { command: "EXTRACT(jsonPayload.command)", event: "EXTRACT(jsonPayload.event)" },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
