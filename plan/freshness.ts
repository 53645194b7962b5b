/** How old the newest backup and copy may be, and the metrics that say how old they are. */
import { type ScheduleName, schedules } from "./schedules";

const day = 24 * 3600;

/**
 * Age in seconds at which tonight's result of a nightly job is late: a day after the last one began, plus the time that a
 * run may take. Ages count from a job's start, which is the moment in its backup's or marker's name.
 */
export function lateAfterSeconds(schedule: ScheduleName): number {
  return day + schedules[schedule].activeDeadlineSeconds;
}

/** Age in seconds at which a repository's last good deep verification is old: one week missed, and the time of a run. */
export const verificationLateSeconds = 14 * day + schedules.verification.activeDeadlineSeconds;

/** Metrics of `dr-jobs freshness`; moments are Unix seconds, 0 when there is nothing yet. */
export const metrics = {
  /** Labels `site`, `repository`. */
  backup: "iconik_backup_newest_timestamp_seconds",
  /** Labels `site`, `repository`: start of the newest run that copied it and wrote its marker. */
  copy: "iconik_copy_newest_timestamp_seconds",
  /** Labels `site`, `repository`, `result` (`ok`, `failed`): start of the newest deep verification that ended so. */
  verification: "iconik_verification_newest_timestamp_seconds",
  /** Label `site`: its bucket and its copies were listed then. */
  looked: "iconik_freshness_last_success_timestamp_seconds",
  /** Label `cronjob` (`job` is the scrape's own): a CronJob's last success, or its creation when it never succeeded. */
  jobSuccess: "iconik_job_last_success_timestamp_seconds",
  /** Label `cronjob`: seconds from one success to the next at which the job is late, from its own schedule and deadline. */
  jobLateAfter: "iconik_job_late_after_seconds",
} as const;

/** Port on which `dr-jobs freshness` serves {@link metrics}. */
export const freshnessPort = 9464;

/** Seconds between two looks at the buckets, and between two scrapes. */
export const freshnessSeconds = { look: 300, scrape: 60 } as const;

/** Counter of the runs of jobs, from the last lines of their logs: labels `command` and `event`. */
export const runsMetric = "dr_job_runs";
