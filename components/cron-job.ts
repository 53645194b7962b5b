import type { types } from "@pulumi/kubernetes";
import { FINAL_EXIT_CODE } from "../jobs/config";
import { type Schedule, timeZone } from "../plan/schedules";

/** Times that a job is tried in a night unless it says otherwise. */
export const attempts = 3;

/** Arguments of {@link cronJob}. */
export interface CronJobArgs {
  name: string;
  namespace: string;
  schedule: Schedule;
  /** A site that is being restored must not become "the latest". */
  suspend: boolean;
  pod: types.input.core.v1.PodTemplateSpec;
  /** Times that it is tried. Default: {@link attempts}. */
  tries?: number;
}

/**
 * A nightly job: never two at once, caught up when it was missed, ended when it takes too long, not
 * tried again when that is of no use.
 */
export function cronJob({ name, namespace, schedule, suspend, pod, tries = attempts }: CronJobArgs) {
  return {
    metadata: { name, namespace },
    spec: {
      schedule: schedule.cron,
      timeZone,
      suspend,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: schedule.startingDeadlineSeconds,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 5,
      jobTemplate: {
        spec: {
          backoffLimit: tries - 1,
          podFailurePolicy: {
            rules: [
              { action: "FailJob", onExitCodes: { operator: "In", values: [FINAL_EXIT_CODE] } },
              // A node that is drained or upgraded takes a pod with it: that is no attempt.
              { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
            ],
          },
          activeDeadlineSeconds: schedule.activeDeadlineSeconds,
          template: pod,
        },
      },
    },
  };
}
