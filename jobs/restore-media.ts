/**
 * Brings media back into a primary bucket as they were at a moment: one object, a prefix or the bucket (S6, D3, D5).
 *
 * Each name comes from the primary's own version of that moment where it is still there: exact, and nobody can change a
 * version. Else from the secondary's version of that moment, which is the primary's of the night before. Nothing is deleted,
 * and what is in the primary by now with other content stays, unless `overwrite` says otherwise; then it becomes noncurrent.
 *
 * Both buckets' versions are read as ordered streams, copies are made by the storage: a page of each and `transfers` names are
 * in memory, whatever the number of objects. Each copy names the generation it may replace, so that what arrives meanwhile is
 * never lost. Killed and run again, it finds what is there and goes on.
 */
import type { JobConfig } from "./config";
import { merge } from "./lib/listing";
import { type Fields, JobError, log } from "./lib/log";
import { ApiError, isSame, makeLive, type NameAt, namesAt, type ObjectVersion, permissionsOn } from "./lib/versions";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-media">;

/** Names shown in messages. */
const SHOWN = 10;
/** Lines that tell how far it is. */
const PROGRESS_EVERY = 10_000;

/** What was found and done. */
interface Outcome {
  /** Names that had a version at the moment. */
  objects: number;
  restored: number;
  restoredBytes: number;
  /** Of the restored: from the primary's own versions. */
  fromPrimary: number;
  /** Live in the primary with the same content. */
  there: number;
  /** Live in the primary with other content: left alone. */
  kept: number;
  keptExamples: string[];
  /** Could not be copied. */
  failed: number;
  failures: string[];
}

/**
 * Runs the job.
 * @throws JobError when the grant does not come, nothing was there at the moment, or objects could not be copied
 */
export async function restoreMedia(config: Config): Promise<Fields> {
  await awaitAccess(config);
  const outcome = await restore(config);
  const { bucket, at, dryRun } = config;
  const { failures, keptExamples, ...counts } = outcome;
  const result = { bucket, at, dryRun, ...counts, ...(keptExamples.length > 0 && { keptExamples }) };
  if (outcome.objects === 0) {
    throw new JobError(`nothing in gs://${bucket} or its secondary was there at ${at}`, {
      value: config.object ?? config.prefix ?? "the whole bucket",
      allowed: "names, and a moment at which they were there, of which versions are still kept",
      fix: "check name and moment; see docs/runbooks/media-restore.md for what is only soft-deleted by now",
      final: true,
    });
  }
  if (outcome.failed > 0) {
    throw new JobError(`${outcome.failed} objects could not be brought back into gs://${bucket}`, {
      value: failures,
      allowed: result,
      fix: "start this job again: what came is not copied again",
    });
  }
  return result;
}

/** Goes through both buckets and copies what is missing. */
async function restore(config: Config): Promise<Outcome> {
  const { bucket, secondary, transfers, prefix, object } = config;
  const moment = new Date(config.at);
  const selection = { ...(prefix !== undefined && { prefix }), ...(object !== undefined && { object }) };
  const outcome: Outcome = {
    objects: 0,
    restored: 0,
    restoredBytes: 0,
    fromPrimary: 0,
    there: 0,
    kept: 0,
    keptExamples: [],
    failed: 0,
    failures: [],
  };
  const running = new Set<Promise<void>>();
  for await (const pair of merge(namesAt(bucket, selection, moment), namesAt(secondary, selection, moment))) {
    const found = wanted(pair.source, pair.secondary);
    if (!found) continue;
    if (++outcome.objects % PROGRESS_EVERY === 0) log("goes on", { bucket, objects: outcome.objects });
    const live = pair.source?.live;
    if (live && isSame(live, found.version)) {
      outcome.there++;
      continue;
    }
    if (live && !config.overwrite) {
      outcome.kept++;
      if (outcome.keptExamples.length < SHOWN) outcome.keptExamples.push(live.name);
      continue;
    }
    const copying = bringBack(config, found, live, outcome).finally(() => running.delete(copying));
    running.add(copying);
    if (running.size >= transfers) await Promise.race(running);
  }
  await Promise.all(running);
  return outcome;
}

/** The version to bring back. */
function wanted(primary: NameAt | undefined, secondary: NameAt | undefined) {
  if (primary?.former) return { version: primary.former, own: true };
  return secondary?.former && { version: secondary.former, own: false };
}

async function bringBack(
  { bucket, secondary, dryRun }: Config,
  { version, own }: { version: ObjectVersion; own: boolean },
  live: ObjectVersion | undefined,
  outcome: Outcome,
): Promise<void> {
  try {
    if (!dryRun) await makeLive(own ? bucket : secondary, version, bucket, live?.generation);
    outcome.restored++;
    outcome.restoredBytes += Number(version.size);
    if (own) outcome.fromPrimary++;
  } catch (error) {
    if (error instanceof ApiError && error.status === 412) {
      // Something newer came meanwhile: it is not ours to replace.
      outcome.kept++;
      if (outcome.keptExamples.length < SHOWN) outcome.keptExamples.push(version.name);
      return;
    }
    outcome.failed++;
    if (outcome.failures.length < SHOWN) outcome.failures.push(`${version.name}: ${(error as Error).message}`);
  }
}

/** Waits until both grants have taken effect: the one on the primary comes with the foundation's next update. */
async function awaitAccess({ bucket, secondary, overwrite, accessSeconds, pollSeconds }: Config): Promise<void> {
  const read = ["storage.objects.get", "storage.objects.list"];
  const needed = [
    { bucket, permissions: [...read, "storage.objects.create", ...(overwrite ? ["storage.objects.delete"] : [])] },
    { bucket: secondary, permissions: read },
  ];
  let told = false;
  await waitFor(
    async () => {
      const missing: string[] = [];
      for (const { bucket: each, permissions } of needed) {
        const held = await permissionsOn(each, permissions);
        missing.push(...permissions.filter((one) => !held.includes(one)).map((one) => `${one} on gs://${each}`));
      }
      if (missing.length === 0) return { done: true };
      if (!told) log("waits for access", { missing });
      told = true;
      return { seen: missing };
    },
    {
      timeoutSeconds: accessSeconds,
      pollSeconds,
      onTimeout: (missing) =>
        new JobError(`access was not given within ${accessSeconds} s`, {
          value: missing,
          allowed:
            "the grants of an entry of iconik-dr:media.restores, in the vault and in the foundation, until it expires",
          fix: `give iconik-dr:media.restores of the foundation the entry that the vault has for ${bucket}, run pulumi up there, and start this job again`,
        }),
    },
  );
}
