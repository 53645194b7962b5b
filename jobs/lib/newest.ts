/** The newest backup and copy by their names, and when a scheduled job is late. */
import { CronExpressionParser } from "cron-parser";
import {
  backupOfManifest,
  type EvidenceResult,
  evidenceOfPath,
  listingPath,
  markerOfPath,
  momentOf,
} from "../../plan/layout";

/** Clocks of different machines differ by less. */
const SKEW_MS = 5 * 60_000;

/** Is it later than any clock shows now? Nobody names a backup or a copy so. */
export const isAhead = (moment: number, now: Date): boolean => moment > now.getTime() + SKEW_MS;

/**
 * Start of a repository's newest complete backup in Unix seconds; 0: there is none. Names that carry no moment are none of
 * ours, and one from the future is no backup: whoever may write there could look fresh for ever.
 */
export function newestBackup(repository: string, paths: readonly string[], now: Date): number {
  return newest(
    paths.flatMap((path) => backupOfManifest(repository, path) ?? []),
    now,
  );
}

/**
 * Start of the newest run that copied a repository, in Unix seconds, likewise. A marker alone does not say so: it carries on
 * what an earlier run copied. A list beside it, under its own id, does; one without its marker is of a run that was cut off.
 * @param markers paths of the site's markers
 * @param lists paths of the lists of its copies' objects
 */
export function newestCopy(
  site: string,
  repository: string,
  markers: readonly string[],
  lists: readonly string[],
  now: Date,
): number {
  const listed = new Set(lists);
  return newest(
    markers
      .flatMap((path) => markerOfPath(site, path) ?? [])
      .filter((marker) => listed.has(listingPath(site, marker, repository))),
    now,
  );
}

/** Start of a repository's newest deep verification that ended with a result, in Unix seconds; 0: there is none. */
export function newestEvidence(
  site: string,
  repository: string,
  result: EvidenceResult,
  paths: readonly string[],
  now: Date,
): number {
  const moments = paths
    .flatMap((path) => evidenceOfPath(site, path) ?? [])
    .filter((evidence) => evidence.repository === repository && evidence.result === result)
    .map(({ at }) => at.getTime())
    .filter((moment) => !isAhead(moment, now));
  return moments.reduce((a, b) => Math.max(a, b), 0) / 1000;
}

function newest(names: readonly string[], now: Date): number {
  const moments = names.map(momentIn).filter((moment) => !isAhead(moment, now));
  return moments.reduce((a, b) => Math.max(a, b), 0) / 1000;
}

/** Milliseconds of the moment in a name; 0: it carries none. */
export function momentIn(name: string): number {
  try {
    return momentOf(name).getTime();
  } catch {
    return 0;
  }
}

/** Runs ahead whose gaps are looked at: a schedule may leave days out. */
const RUNS = 8;

/** Seconds from one success of a CronJob at which the next one is late: its longest gap, and the time that a run may take. */
export function lateAfter(schedule: string, timeZone: string | undefined, deadlineSeconds: number, now: Date): number {
  const cron = CronExpressionParser.parse(schedule, { tz: timeZone ?? "UTC", currentDate: now });
  const runs = Array.from({ length: RUNS }, () => cron.next().getTime());
  const gaps = runs.slice(1).map((run, index) => run - runs[index]!);
  return Math.max(...gaps) / 1000 + deadlineSeconds;
}
