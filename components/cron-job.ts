import { type Schedule, timeZone } from "../plan/schedules";
import type { jobPod } from "./job-pod";

/** Arguments of {@link cronJob}. */
export interface CronJobArgs {
  name: string;
  namespace: string;
  schedule: Schedule;
  /** A site that is being restored must not become "the latest". */
  suspend: boolean;
  pod: ReturnType<typeof jobPod>;
}

/** A nightly job: never two at once, caught up when it was missed, ended when it takes too long. */
export function cronJob({ name, namespace, schedule, suspend, pod }: CronJobArgs) {
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
        spec: { backoffLimit: 2, activeDeadlineSeconds: schedule.activeDeadlineSeconds, template: pod },
      },
    },
  };
}
