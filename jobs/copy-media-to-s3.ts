/**
 * Pulls the secondary of a media bucket into S3 (S7), as replicate-media makes secondaries: what is new is copied, removals and
 * overwrites pass a breaker. In S3 a removal is a marker and an overwrite a version: what was there stays for its lock's days.
 * Bounds of memory, and what becomes of a run that is killed, are replicate-media's.
 */
import { events } from "../plan/events";
import type { JobConfig } from "./config";
import { type Fields, JobError, log } from "./lib/log";
import { replicateMedia } from "./replicate-media";

type Config = JobConfig<"copy-media-to-s3">;

/** Runs the job. @throws JobError when the breaker is open (new objects are copied all the same), or objects did not arrive */
export async function copyMediaToS3({ name, secondary, bucket, ...config }: Config): Promise<Fields> {
  try {
    const result = await replicateMedia({ ...config, bucket: secondary, secondary: bucket });
    log("copied", { event: events.mediaPulled, ...result, bucket: name });
    return { ...result, bucket: name };
  } catch (error) {
    if (!(error instanceof JobError) || !error.details.final) throw error;
    const fix = `find out who removed or changed them in ${secondary}: ${bucket} still has them. If it was meant, set iconik-dr:media.approvals of the standby for ${name} and today, run pulumi up, and start this job again today (UTC)`;
    throw new JobError(error.message, { ...error.details, fix });
  }
}
