/**
 * Copies a media bucket into its secondary, and propagates removals and overwrites: that begins the days for which the
 * secondary's noncurrent versions stay (S6). An attacker's wipe would be propagated too, so a breaker comes first.
 *
 * Two passes over both buckets' listings, read as ordered streams: the first copies what is new and counts what would be
 * removed or overwritten; the second does that when the count is below the breaker's limit, never more than the limit, and
 * verifies that what was new has arrived. Memory does not grow with the buckets: some pages of listings and two batches of
 * names of at most 1 KiB. May be killed at any point and run again: what is done is not done twice.
 */
import { events } from "../plan/events";
import { mediaJobName } from "../plan/media";
import type { JobConfig } from "./config";
import { batches, Findings, listOrdered, merge } from "./lib/listing";
import { type Fields, JobError, log } from "./lib/log";
import { differs, isReachable, removeObjects, replaceObjects } from "./lib/media";
import { bucketUrl, copy, StorageError } from "./lib/rclone";

type Config = JobConfig<"replicate-media">;

/** Names shown in messages. */
const SHOWN = 10;

/** What the first pass found and did. */
interface Survey {
  /** Objects of the source, and of the secondary before this run. */
  sourceObjects: number;
  secondaryObjects: number;
  /** Objects of the source alone. */
  added: number;
  addedBytes: number;
  /** Objects of the secondary that the source has no longer, or has other content of. */
  removals: number;
  overwrites: number;
  /** Some of their names. */
  examples: string[];
  /** Batches of new objects that could not be copied whole, by their first name; the others were. */
  failures: Findings;
  /** What the storage said of the first of them. */
  failure?: StorageError;
}

/** What the second pass did, and found not done. */
interface Outcome {
  removed: number;
  overwritten: number;
  /** Objects older than the run that are not in the secondary, and some of their names. */
  missing: number;
  missingExamples: string[];
}

/**
 * Runs the job.
 * @throws JobError when the breaker is open (new objects are copied all the same), or objects did not arrive
 * @throws StorageError when the storage refuses or a listing ends early
 */
export async function replicateMedia(config: Config): Promise<Fields> {
  const startedAt = new Date();
  const survey = await copyNew(config);
  const { examples: _, failures, failure, ...counts } = survey;
  log("surveyed", { bucket: config.bucket, ...counts });
  const touched = survey.removals + survey.overwrites;
  const limit = limitOf(config, survey, startedAt);
  const open = touched > limit;
  const outcome =
    touched + survey.added === 0 ? nothing() : await propagateAndVerify(config, open ? undefined : limit, startedAt);
  const { removed, overwritten, missing, missingExamples } = outcome;
  if (open) throw breakerOpen(config, survey, limit, startedAt);
  if (missing > 0) {
    const said = failure ? `: ${failure.message}` : "";
    const places = `${bucketUrl(config.bucket)} are not in ${bucketUrl(config.secondary)}`;
    throw new JobError(`${missing} objects of ${places}${said}`, {
      value: missingExamples,
      allowed: "names that rclone takes as they are; none begins with a slash; nothing that the storage refuses",
      fix: "start this job again; what stays away has a name that has to be changed, or is refused. Everything else is copied",
    });
  }
  // All is there, but not by this run: nothing is wrong that the next would not find.
  if (failure !== undefined) log("batches failed, and yet nothing is missing", { batches: failures.shown() });
  const result = {
    bucket: config.bucket,
    objects: survey.sourceObjects,
    copied: survey.added,
    copiedBytes: survey.addedBytes,
    removed,
    overwritten,
  };
  log("copied", { event: events.mediaCopied, ...result });
  return result;
}

const nothing = (): Outcome => ({ removed: 0, overwritten: 0, missing: 0, missingExamples: [] });

/** How many objects a run may remove or overwrite, given what its first pass counted. */
export function limitOf(
  { breaker, approvals }: Pick<Config, "breaker" | "approvals">,
  { sourceObjects, secondaryObjects }: Pick<Survey, "sourceObjects" | "secondaryObjects">,
  startedAt: Date,
): number {
  const day = dayOf(startedAt);
  const approved = Math.max(0, ...approvals.filter(({ date }) => date === day).map(({ objects }) => objects));
  if (sourceObjects === 0) return approved;
  return Math.max(approved, breaker.floor, Math.floor(breaker.share * secondaryObjects));
}

/** Day in UTC, `YYYY-MM-DD`. */
const dayOf = (moment: Date): string => moment.toISOString().slice(0, 10);

/**
 * First pass: copies new objects batch by batch, counts the rest.
 * @throws StorageError when a listing ends early
 */
async function copyNew({ bucket, secondary, batch, transfers }: Config): Promise<Survey> {
  const survey: Survey = {
    sourceObjects: 0,
    secondaryObjects: 0,
    added: 0,
    addedBytes: 0,
    removals: 0,
    overwrites: 0,
    examples: [],
    failures: new Findings(SHOWN),
  };
  const places = [
    { bucket, prefix: "" },
    { bucket: secondary, prefix: "" },
  ] as const;
  // One object that is refused must not keep those behind it away: what is missing is named at the end.
  const added = batches<string>(batch, async (names) => {
    try {
      await copy(...places, names, transfers);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      log("a batch could not be copied whole; the next are", { first: names[0], error: error.message });
      survey.failures.add(names[0]!);
      survey.failure ??= error;
    }
  });
  for await (const { source, secondary: copied } of merge(listOrdered(bucket), listOrdered(secondary))) {
    if (source) survey.sourceObjects++;
    if (copied) survey.secondaryObjects++;
    if (source && !copied) {
      survey.added++;
      survey.addedBytes += source.size;
      if (isReachable(source)) await added.add(source.name);
    } else if (copied && isReachable(copied) && (!source || differs(source, copied))) {
      if (source) survey.overwrites++;
      else survey.removals++;
      if (survey.examples.length < SHOWN) survey.examples.push(copied.key);
    }
  }
  await added.end();
  return survey;
}

/**
 * Second pass: removes and overwrites up to `limit` (undefined: nothing), and looks whether what is older than the run has
 * arrived.
 * @throws JobError before it would do more than the limit
 */
async function propagateAndVerify(config: Config, limit: number | undefined, startedAt: Date): Promise<Outcome> {
  const { bucket, secondary, batch, transfers } = config;
  const outcome = nothing();
  const gone = batches<string>(batch, (names) => removeObjects(secondary, names, transfers));
  const changed = batches<string>(batch, (names) => replaceObjects(bucket, secondary, names, transfers));
  for await (const { source, secondary: copied } of merge(listOrdered(bucket), listOrdered(secondary))) {
    if (source && !copied && source.modified < startedAt.getTime()) {
      outcome.missing++;
      if (outcome.missingExamples.length < SHOWN) outcome.missingExamples.push(source.key);
    }
    if (limit === undefined || !copied || !isReachable(copied) || (source && !differs(source, copied))) continue;
    if (outcome.removed + outcome.overwritten >= limit) {
      throw new JobError(
        `${bucketUrl(bucket)} changed while it was copied: more than ${limit} objects are gone or others`,
        {
          value: { removed: outcome.removed, overwritten: outcome.overwritten },
          allowed: `at most ${limit} objects in one run`,
          fix: "start this job again: it counts anew",
        },
      );
    }
    if (source) outcome.overwritten++;
    else outcome.removed++;
    await (source ? changed : gone).add(copied.name);
  }
  await gone.end();
  await changed.end();
  return outcome;
}

/** The error that says what, how many, which threshold and how to approve; reported as an event. */
function breakerOpen(config: Config, survey: Survey, limit: number, startedAt: Date): JobError {
  const { bucket, secondary, breaker } = config;
  const { removals, overwrites, secondaryObjects, examples, added } = survey;
  const objects = removals + overwrites;
  const what = `the breaker of ${bucketUrl(secondary)} is open: ${objects} of its ${secondaryObjects} objects would be removed (${removals}) or overwritten (${overwrites}); none was`;
  log(what, {
    event: events.mediaBreakerOpen,
    bucket,
    secondary,
    removals,
    overwrites,
    secondaryObjects,
    limit,
    added,
  });
  const why =
    survey.sourceObjects === 0
      ? `none without approval, as ${bucketUrl(bucket)} is empty`
      : `${limit} objects (the greater of ${breaker.share * 100} % and ${breaker.floor}, or what is approved)`;
  return new JobError(what, {
    value: examples,
    allowed: why,
    fix: `find out who removed or changed them in ${bucketUrl(bucket)}: ${bucketUrl(secondary)} still has them. If it was meant, set iconik-dr:media.approvals of the vault to [{ bucket: ${bucket}, date: "${dayOf(startedAt)}", objects: ${objects} }], run pulumi up, and start a job from CronJob ${mediaJobName(bucket)} that day (UTC)`,
    final: true,
  });
}
