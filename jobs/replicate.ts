/**
 * Copies a site's newest backups into the vault, append-only, and names the copy by a marker written last.
 *
 * Each repository is copied on its own, as soon as its backup of tonight is there: a region that is lost or a backup that
 * failed holds up none of the others. What could not be copied stands in the marker as it was copied last, and the job
 * fails, so that somebody looks. Without its marker a copy is none, so a run may be killed at any point and be repeated:
 * what lies there already is not copied again. One that is told to end, as by its deadline, still names what is done. Memory does not grow with the repositories (lib/copy-repository.ts).
 */
import type { JobConfig } from "./config";
import { type CopiedRepository, copyRepository, totals, unusedId } from "./lib/copy-repository";
import { freshManifests, futureManifests } from "./lib/fresh";
import { kmsSigner } from "./lib/kms";
import { type Fields, JobError, log } from "./lib/log";
import type { Marker, MarkerEntry } from "./lib/manifest";
import { readMarker, writeMarker } from "./lib/markers";
import { limitEach, namesBelow } from "./lib/rclone";
import { lastAct } from "./lib/stop";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"replicate">;

/** Where the run is with each repository. */
interface Progress {
  /** In tonight's copy: copied now, or in the newest marker already. */
  done: Map<string, CopiedRepository>;
  /** Why a copy failed: one line a repository. It is not tried again in this run. */
  failed: Map<string, JobError>;
  /** Why there is nothing to copy yet. */
  stale: string[];
  /** Manifests that are named for a moment that has not come. */
  future: string[];
}

/**
 * Runs the job.
 * @throws JobError when another run for the site goes on, or a repository has no copy of tonight; the others have theirs then
 */
export async function replicate(config: Config): Promise<Fields> {
  const { leaseIn: namespace, leaseSeconds: seconds } = config;
  limitEach(config);
  if (namespace === undefined) return copyNight(config, () => undefined);
  // Loaded here: a run that takes no lease starts without Kubernetes' client.
  const { withLease } = await import("./lib/lease");
  // What excludes nobody for sure is made up for by the bucket: nothing in it is ever overwritten.
  return withLease({ namespace, name: `replicate-${config.site}`, seconds }, (held) => copyNight(config, held));
}

async function copyNight(config: Config, held: () => void): Promise<Fields> {
  const last = await readMarker(config.copiesBucket, config.site, "latest", config.markerKeys);
  const id = await unusedId(config);
  const progress: Progress = { done: new Map(), failed: new Map(), stale: [], future: [] };
  const { done, failed } = progress;
  const isNew = () => [...done].some(([name, { entry }]) => entry !== last?.repositories[name]);
  // One marker a run, whoever writes it.
  let written: Promise<string | undefined> | undefined;
  const name = () => {
    written ??= (async () => {
      held();
      return isNew() ? mark(config, id, last, done) : last?.id;
    })();
    return written;
  };
  lastAct(async () => {
    log("told to end", { marker: isNew() ? await name() : last?.id, copied: [...done.keys()] });
  });
  await copyFresh(config, last, id, progress);
  const copied = [...done.values()].reduce((sum, each) => sum + each.copied, 0);
  const copiedBytes = [...done.values()].reduce((sum, each) => sum + each.copiedBytes, 0);
  const unchanged = !isNew();
  const marker = await name();
  const { stale, future } = progress;
  if (failed.size > 0 || stale.length > 0) throw incomplete(config, marker, progress);
  if (future.length > 0) {
    throw new JobError("everything is copied, but there are manifests from the future", {
      value: future,
      allowed: "backups that were begun before now",
      fix: "find out who wrote them (D5), and remove them from the site's bucket",
      final: true,
    });
  }
  if (unchanged) {
    log("already copied", { marker });
    return { marker, copied, note: "the newest backups are in the newest copy already" };
  }
  const { objects, bytes } = totals([...done.values()].map(({ entry }) => entry));
  return { marker, copied, copiedBytes, objects, bytes };
}

/** Copies every repository whose backup of tonight is there, and waits for the others until the deadline. */
async function copyFresh(config: Config, last: Marker | undefined, id: string, progress: Progress): Promise<void> {
  await waitFor<true, undefined>(
    async (left) => {
      const waiting = config.repositories.filter((name) => !progress.done.has(name) && !progress.failed.has(name));
      const names = await namesBelow(config.bucket, "manifests");
      const now = new Date();
      const { backups, stale } = freshManifests(waiting, names, config, now);
      Object.assign(progress, { stale, future: futureManifests(config.repositories, names, now) });
      for (const [repository, backup] of backups) {
        const entry = last?.repositories[repository];
        if (entry?.backup === backup) progress.done.set(repository, { entry, copied: 0, copiedBytes: 0 });
        else await attempt(config, repository, backup, id, entry, progress);
      }
      if (stale.length === 0 || left <= 0) return { done: true };
      log("waiting for manifests", { stale });
      return { seen: undefined };
    },
    { timeoutSeconds: config.waitSeconds, pollSeconds: config.pollSeconds },
  );
}

async function attempt(
  config: Config,
  repository: string,
  backup: string,
  id: string,
  last: MarkerEntry | undefined,
  { done, failed }: Progress,
): Promise<void> {
  try {
    done.set(repository, await copyRepository(config, repository, backup, id, last));
  } catch (error) {
    // Anything else, such as a storage that refuses, concerns every repository.
    if (!(error instanceof JobError)) throw error;
    log("not copied", { repository, backup, problem: error.message, ...error.details });
    failed.set(repository, error);
  }
}

/** Writes the marker of what is done, with the last copy of what is not. @returns its id */
async function mark(
  config: Config,
  id: string,
  last: Marker | undefined,
  done: Map<string, CopiedRepository>,
): Promise<string> {
  const entries = config.repositories.flatMap((name): [string, MarkerEntry][] => {
    const entry = done.get(name)?.entry ?? last?.repositories[name];
    return entry ? [[name, entry]] : [];
  });
  const marker: Marker = {
    version: 2,
    site: config.site,
    id,
    createdAt: new Date().toISOString(),
    repositories: Object.fromEntries(entries),
  };
  await writeMarker(config.copiesBucket, marker, kmsSigner(config.signingKey), config.markerKeys);
  return id;
}

/** What a person needs to know when some repositories have no copy of tonight. */
function incomplete(config: Config, marker: string | undefined, { done, failed, stale, future }: Progress): JobError {
  const [first, ...others] = failed.values();
  // One cause alone speaks for itself.
  if (first && others.length === 0 && stale.length === 0 && done.size === 0) return first;
  const what =
    failed.size === 0 && done.size === 0
      ? "there is no complete backup of tonight to copy"
      : "some repositories have no copy of tonight";
  return new JobError(what, {
    value: [
      ...stale,
      ...future.map((each) => `${each} is from the future`),
      ...[...failed].map(([name, error]) => `${name}: ${error.message}; ${detail(error)}`),
    ],
    allowed: `a manifest of each of ${config.repositories.join(", ")} since its snapshot was due, and its objects`,
    fix: `look at the site's snapshot jobs and start them again, then this job; ${
      marker ? `copy ${marker} has ${[...done.keys()].join(", ") || "what it had before"}` : "there is no copy yet"
    }`,
  });
}

const detail = ({ details }: JobError) => [details.value, details.fix].flat().join("; ");
