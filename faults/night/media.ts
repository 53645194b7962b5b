/** Faults of the media (S6): an attacker's wipe, an attacker's encryption, and the edges of the days that versions stay. */
import { retention } from "../../plan/retention";
import type { Fault, Outcome } from "../fault";
import { aMoment, type MediaStage, NIGHT_LIMIT, restoreOf, startMediaStage, summaryOf } from "../media-stage";
import type { Group } from "../run";

/** More than a night may touch. */
const OBJECTS = 4 * NIGHT_LIMIT;
const contents = Object.fromEntries(
  Array.from({ length: OBJECTS }, (_, index) => [`assets/${index}/proxy ${index}.mp4`, `media ${index}`]),
);

/** Buckets as the night before left them: every object is in both. */
async function replicated(stage: MediaStage): Promise<void> {
  await stage.clear();
  for (const [name, content] of Object.entries(contents)) await stage.put(stage.services, stage.bucket, name, content);
  summaryOf(await stage.replicate());
  await assertHolds(stage, stage.secondary);
}

/** @throws when a bucket's live objects are not those of {@link contents} */
async function assertHolds(stage: MediaStage, bucket: string): Promise<void> {
  const found = await stage.contents(bucket);
  const wrong = Object.entries(contents).filter(([name, content]) => found[name] !== content);
  if (wrong.length > 0)
    throw new Error(`gs://${bucket}: ${wrong.length} objects are not what was written, e.g. ${wrong[0]}`);
}

/** Deletes every version of the primary, as whoever has the services' identity can. */
async function purge(stage: MediaStage): Promise<void> {
  for (const { name, generation } of await stage.list(stage.services, stage.bucket, "versions"))
    await stage.remove(stage.services, stage.bucket, name, generation);
}

/** The night's run, which has to stop, and what it says. @throws when it did not */
async function stopped(stage: MediaStage) {
  const run = await stage.replicate();
  const line = run.lines.find(({ event }) => event === "media-breaker-open");
  if (run.code === 0 || !line) throw new Error(`the breaker let it pass: ${JSON.stringify(run.lines.at(-1))}`);
  await assertHolds(stage, stage.secondary);
  return line;
}

/** The whole bucket brought back to a moment, and compared. */
async function broughtBack(stage: MediaStage, moment: Date, overwrite: boolean) {
  const restore = restoreOf(moment, { overwrite });
  await stage.open([restore]);
  const found = summaryOf(await (await stage.restore(restore)).done);
  await stage.open([]);
  await assertHolds(stage, stage.bucket);
  return found;
}

/** A wipe of the primary with all its versions. */
export const massDeletion: Fault<MediaStage> = {
  id: "media-mass-deletion",
  fault: "whoever has the services' identity deletes every object of a media bucket, and then every version of it",
  rows: ["S6", "D5"],
  alert: "media-breaker-open",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage): Promise<Outcome> {
    await replicated(stage);
    const moment = await aMoment(stage);
    for (const name of Object.keys(contents)) await stage.remove(stage.services, stage.bucket, name);
    await purge(stage);
    const line = await stopped(stage);
    const { restored } = await broughtBack(stage, moment, false);
    summaryOf(await stage.replicate());
    return {
      noticed: `the night removed nothing: ${line.removals} of ${line.secondaryObjects} objects would have gone`,
      signal: { kind: "log", command: "replicate-media", line },
      recovered: `restore-media brought ${restored} of ${OBJECTS} objects from the secondary, byte by byte what was written; the next night is green`,
      lostSeconds: 0,
    };
  },
};

/** Encryption in place: every object is overwritten. */
export const massOverwrite: Fault<MediaStage> = {
  id: "media-mass-overwrite",
  fault: "whoever has the services' identity overwrites every object of a media bucket",
  rows: ["S6", "D3", "D5"],
  alert: "media-breaker-open",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage): Promise<Outcome> {
    await replicated(stage);
    const moment = await aMoment(stage);
    for (const name of Object.keys(contents)) await stage.put(stage.services, stage.bucket, name, "encrypted");
    const line = await stopped(stage);
    const { restored, fromPrimary } = await broughtBack(stage, moment, true);
    summaryOf(await stage.replicate());
    return {
      noticed: `the night overwrote nothing: ${line.overwrites} of ${line.secondaryObjects} objects would have been`,
      signal: { kind: "log", command: "replicate-media", line },
      recovered: `restore-media with overwrite brought ${restored} objects, ${fromPrimary} of them from the primary's own versions; what was encrypted is noncurrent`,
      lostSeconds: 0,
    };
  },
};

const NAME = Object.keys(contents)[0]!;

/** A file that was removed in the primary, whose removal was propagated, and then so many days. */
async function removedFor(stage: MediaStage, days: number): Promise<Date> {
  await replicated(stage);
  const moment = await aMoment(stage);
  await stage.remove(stage.services, stage.bucket, NAME);
  const { removed } = summaryOf(await stage.replicate());
  if (removed !== 1) throw new Error(`the night removed ${removed} objects of the secondary, not 1`);
  // The secondary alone has to keep it.
  for (const { name, generation, timeDeleted } of await stage.list(stage.services, stage.bucket, "versions"))
    if (name === NAME && timeDeleted) await stage.remove(stage.services, stage.bucket, name, generation);
  await stage.moveDays(days);
  return moment;
}

const versionsOf = async (stage: MediaStage) =>
  (await stage.list(stage.replicator, stage.secondary, "versions")).filter(({ name }) => name === NAME);

/** The day before a removed file may go. */
export const dayBefore: Fault<MediaStage> = {
  id: "media-clock-day-29",
  fault: `a file was removed ${retention.mediaAfterRemovalDays - 1} days ago, and the removal was propagated`,
  rows: ["S6"],
  mayLoseSeconds: 0,
  small: true,
  async inject(stage): Promise<Outcome> {
    const days = retention.mediaAfterRemovalDays - 1;
    const moment = await removedFor(stage, days);
    const restore = restoreOf(moment, { object: NAME });
    await stage.open([restore]);
    const line = summaryOf(await (await stage.restore(restore)).done);
    const content = await stage.get(stage.services, stage.bucket, NAME);
    if (content !== contents[NAME]) throw new Error(`${NAME} came back as ${content}`);
    return {
      noticed: "a user asks for it",
      signal: { kind: "log", command: "restore-media", line },
      recovered: `restore-media brought it from the secondary's version of day ${days}`,
      lostSeconds: 0,
    };
  },
};

/** The day after it has to be gone. */
export const dayAfter: Fault<MediaStage> = {
  id: "media-clock-day-31",
  fault: `a file was removed ${retention.mediaAfterRemovalDays + 1} days ago: no version of it may be left`,
  rows: ["S6"],
  mayLoseSeconds: 0,
  small: true,
  async inject(stage): Promise<Outcome> {
    const days = retention.mediaAfterRemovalDays + 1;
    const moment = await removedFor(stage, days);
    const left = await versionsOf(stage);
    if (left.length > 0) throw new Error(`${left.length} versions of ${NAME} are left after ${days} days`);
    const kept = Object.keys(await stage.contents(stage.secondary)).length;
    if (kept !== OBJECTS - 1) throw new Error(`${kept} live objects are in the secondary, not ${OBJECTS - 1}`);
    const restore = restoreOf(moment, { object: NAME });
    await stage.open([restore]);
    const run = await (await stage.restore(restore)).done;
    const line = run.lines.at(-1)!;
    if (run.code === 0) throw new Error(`it was restored after ${days} days`);
    await stage.moveDays(retention.mediaSoftDeleteDays);
    const soft = (await stage.list(stage.replicator, stage.secondary, "softDeleted")).filter(
      ({ name }) => name === NAME,
    );
    if (soft.length > 0) throw new Error(`${NAME} is still soft-deleted ${retention.mediaSoftDeleteDays} days later`);
    return {
      noticed: `restore-media says that nothing was there: ${line.error}`,
      signal: { kind: "log", command: "restore-media", line },
      recovered: `nothing, as promised: the version went on day ${retention.mediaAfterRemovalDays}, soft delete ended ${retention.mediaSoftDeleteDays} days later; the ${kept} live objects stayed`,
      lostSeconds: 0,
    };
  },
};

/** The rows of the media, those that move the clock last. */
export const mediaGroup: Group<MediaStage> = {
  stage: "the declared media buckets on the local storage",
  open: startMediaStage,
  close: (stage) => stage.stop(),
  faults: [massDeletion, massOverwrite, dayBefore, dayAfter],
};
