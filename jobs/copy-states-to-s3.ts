/**
 * Pulls the states of Google's stacks into S3 (S7), each bucket into a folder of its name. They are copied as they lie, their
 * secrets encrypted with keys that stay in Google; versions of the bucket keep what a copy replaces. Nothing is removed: a state
 * that is gone at Google is what somebody will look for. May be killed and run again. rclone holds a folder's listing at a time.
 */
import type { JobConfig } from "./config";
import { type Fields, log } from "./lib/log";
import { remote, run } from "./lib/rclone";

type Config = JobConfig<"copy-states-to-s3">;

/** Runs the job. @throws StorageError when either side refuses; buckets before that one are copied */
export async function copyStatesToS3({ buckets, bucket, transfers }: Config): Promise<Fields> {
  for (const each of buckets) {
    const to = remote({ bucket, prefix: each });
    await run(["copy", remote({ bucket: each, prefix: "" }), to, "--checksum", "--transfers", String(transfers)]);
    log("copied", { bucket: each });
  }
  return { buckets: buckets.length };
}
