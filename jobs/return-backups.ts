/**
 * Failback: brings the standby's newest backups from its bucket in S3 to the vault's door at Google, at the paths they were written
 * to. From there the vault copies them as any site's, and signs.
 *
 * Only what a complete backup's manifest lists is brought; every object is compared by size and MD5 afterwards, and the manifest
 * comes last. Nothing there is ever replaced. May be killed and repeated: what is there already is not copied again.
 */
import { join } from "node:path";
import { filesPath, manifestPath } from "../plan/layout";
import type { JobConfig } from "./config";
import { difference, foldersOf } from "./lib/compare";
import { BATCH } from "./lib/copy-repository";
import { freshManifests } from "./lib/fresh";
import { batches, Findings, listFolders, zip } from "./lib/listing";
import { fetchList, type KeyedFile, readList, readManifest, withScratch } from "./lib/lists";
import { type Fields, JobError, log } from "./lib/log";
import type { Manifest } from "./lib/manifest";
import { bucketUrl, copy, namesBelow } from "./lib/rclone";

type Config = JobConfig<"return-backups">;

const root = (bucket: string) => ({ bucket, prefix: "" });

/** Runs the job. @throws JobError when a backup is not of now, or other content is there already */
export async function returnBackups(config: Config): Promise<Fields> {
  const names = await namesBelow(config.bucket, "manifests");
  const { backups, stale } = freshManifests(config.repositories, names, { youngHours: config.maxAgeHours }, new Date());
  if (stale.length > 0) {
    throw new JobError("the standby's last backups are not there", {
      value: stale,
      allowed: `a complete backup of each repository, not older than ${config.maxAgeHours} h`,
      fix: "stop the services, start the snapshot CronJobs of the standby, then this job again (docs/runbooks/failback.md)",
      final: true,
    });
  }
  let copied = 0;
  for (const [repository, backup] of backups) {
    const manifest = await readManifest(config.bucket, repository, backup);
    copied += await withScratch((folder) => bring(config, manifest, join(folder, "files.jsonl")));
  }
  return { backups: Object.fromEntries(backups), copied };
}

/** Brings one backup. @returns how many objects were not there */
async function bring(config: Config, manifest: Manifest, list: string): Promise<number> {
  const { repository, backup, files } = manifest;
  await fetchList(config.bucket, files, list);
  let missing = 0;
  await compare(config, manifest, list, () => missing++);
  log("copying", { repository, backup, objects: files.objects, missing });
  const into = batches<string>(BATCH, (some) => send(config, some));
  await compare(config, manifest, list, ({ name }) => into.add(name));
  await into.end();
  const lacking = new Findings();
  await compare(config, manifest, list, ({ name }) => lacking.add(name));
  if (lacking.count > 0) {
    throw new JobError(
      `backup ${backup} of ${repository} did not arrive whole in ${bucketUrl(config.failbackBucket)}`,
      {
        value: lacking.shown(),
        allowed: "every object of its list with its size and MD5",
        fix: "start this job again: it copies what is missing",
      },
    );
  }
  // Who looks for backups finds them by their manifests.
  for (const path of [filesPath(repository, backup), manifestPath(repository, backup)]) await send(config, [path]);
  log("verified", { repository, backup });
  return missing;
}

const send = ({ bucket, failbackBucket, transfers }: Config, names: readonly string[]) =>
  copy(root(bucket), root(failbackBucket), names, transfers);

/**
 * Compares a backup's list with what has arrived.
 * @param lacks is told what has not
 * @throws JobError when another content is there under a name of the list
 */
async function compare(
  { failbackBucket }: Config,
  manifest: Manifest,
  list: string,
  lacks: (file: KeyedFile) => unknown,
): Promise<void> {
  const others = new Findings();
  const arrived = listFolders(failbackBucket, "", foldersOf(manifest));
  for await (const [file, found] of zip<KeyedFile>([readList(list, manifest.files.path), arrived])) {
    const problem = file && difference(file, found);
    if (problem === undefined) continue;
    if (found === undefined) await lacks(file!);
    else others.add(problem);
  }
  if (others.count === 0) return;
  throw new JobError(`${bucketUrl(failbackBucket)} holds other content than the standby's backup`, {
    value: others.shown(),
    allowed: "a bucket of its own for each failback: nothing in it can be replaced",
    fix: "name a new one in the vault's standby.failback.bucket and in vault.failbackBucket of the standby",
    final: true,
  });
}
