/**
 * Failback: brings what the standby wrote of one media bucket into the product's own bucket at Google. Names are never used twice, so
 * it adds: what is there already is left as it is, and another content under the same name is for people to decide about. What an
 * earlier activation wrote came back with its own failback: whoever removed it since does not get it again.
 *
 * Two passes over both listings, read as ordered streams; memory does not grow with the buckets. May be killed, repeated, and run
 * before the window as well: the run in the window then has little left.
 */
import { restoreStartedPath } from "../plan/layout";
import type { JobConfig } from "./config";
import { batches, Findings, listOrdered, merge } from "./lib/listing";
import { type Fields, JobError, log } from "./lib/log";
import { differs, isReachable, type MediaObject } from "./lib/media";
import { bucketUrl, copy, listUnder } from "./lib/rclone";
import { restoreStarted } from "./lib/restored";

type Config = JobConfig<"return-media">;

/** Runs the job. @throws JobError when objects did not arrive, or others are there under their names */
export async function returnMedia(config: Config): Promise<Fields> {
  const { bucket, primary } = config;
  const startedAt = Date.now();
  const since = await activatedAt(config.backups);
  let written = 0;
  let copied = 0;
  const into = batches<string>(config.batch, (names) =>
    copy({ bucket, prefix: "" }, { bucket: primary, prefix: "" }, names, config.transfers),
  );
  for await (const { source, there } of pairs(config, since)) {
    written++;
    if (there || !isReachable(source)) continue;
    copied++;
    await into.add(source.name);
  }
  await into.end();
  log("copying", { bucket, primary, since: new Date(since).toISOString(), objects: written, copied });
  const missing = new Findings();
  const others = new Findings();
  for await (const { source, there } of pairs(config, since)) {
    // What came since is the next run's.
    if (!there && source.modified < startedAt) missing.add(source.key);
    if (there && differs(source, there)) others.add(source.key);
  }
  if (missing.count > 0) {
    throw new JobError(`${missing.count} objects of ${bucketUrl(bucket)} are not in ${bucketUrl(primary)}`, {
      value: missing.shown(),
      allowed: "names that rclone takes as they are; none begins with a slash",
      fix: "start this job again; what stays away has a name that has to be changed. Everything else is copied",
    });
  }
  if (others.count > 0) {
    throw new JobError(
      `${bucketUrl(primary)} holds ${others.count} objects with other content than ${bucketUrl(bucket)}`,
      {
        value: others.shown(),
        allowed: "names that are never used twice",
        fix: "compare both and decide which one is right; nothing was replaced, and everything else is copied",
        final: true,
      },
    );
  }
  return { bucket, primary, objects: written, copied };
}

/** When this activation's restore began, in ms: nothing that it wrote is older. @throws JobError when nothing was restored */
async function activatedAt(backups: string): Promise<number> {
  const started = await restoreStarted(backups, await listUnder(backups, "restores"));
  // S3 knows whole seconds.
  if (started !== undefined) return Math.floor(Date.parse(started.startedAt) / 1000) * 1000;
  throw new JobError(`no restore has begun in ${bucketUrl(backups)}: which media this activation wrote is not known`, {
    value: restoreStartedPath,
    allowed: "the bucket of an activation that was restored",
    fix: "set iconik-dr:activation to the activation that served, and run pulumi up",
    final: true,
  });
}

/** What this activation wrote, and what is there under its name. */
async function* pairs(
  { bucket, primary }: Config,
  since: number,
): AsyncGenerator<{ source: MediaObject; there?: MediaObject }> {
  for await (const { source, secondary } of merge(listOrdered(bucket), listOrdered(primary)))
    if (source && source.modified >= since) yield { source, ...(secondary && { there: secondary }) };
}
