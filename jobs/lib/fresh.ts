/** Which backups are tonight's. Pure. */
import { CronExpressionParser } from "cron-parser";
import { backupOfManifest, parseRepository } from "../../plan/layout";
import { isAhead, momentIn } from "./newest";

/** Result of {@link freshManifests}. */
export interface Fresh {
  backups: Map<string, string>;
  /** Why a repository has no backup of tonight, one line each. */
  stale: string[];
}

/** What is tonight's: cron of the snapshots of each store in UTC, if they have one, and the hours in which any backup is young enough. */
export interface Tonight {
  snapshots?: { cassandra: string; elasticsearch: string };
  youngHours: number;
}

/**
 * The newest backup of each repository by its manifest's name, when it was begun since its snapshot was due last: one that was
 * repeated by day is not tonight's. A young one is, so that a snapshot taken by hand shortly before need not be repeated.
 * Objects that are no manifests are ignored, and so are {@link futureManifests}.
 * @param paths names of the objects in the site's bucket
 */
export function freshManifests(
  repositories: readonly string[],
  paths: readonly string[],
  { snapshots, youngHours }: Tonight,
  now: Date,
): Fresh {
  const fresh: Fresh = { backups: new Map(), stale: [] };
  for (const repository of repositories) {
    const newest = nightsOf(repository, paths)
      .filter(({ moment }) => !isAhead(moment, now))
      .sort((a, b) => a.moment - b.moment)
      .at(-1);
    if (newest === undefined) {
      fresh.stale.push(`${repository}: no manifest`);
      continue;
    }
    const { backup, moment } = newest;
    const due = snapshots && dueLast(snapshots[parseRepository(repository).kind], now);
    const since = Math.min(due?.getTime() ?? now.getTime(), now.getTime() - youngHours * 3_600_000);
    if (moment >= since) {
      fresh.backups.set(repository, backup);
      continue;
    }
    const hours = (now.getTime() - moment) / 3_600_000;
    fresh.stale.push(
      `${repository}: ${backup} is ${hours.toFixed(1)} h old${due ? `, tonight's was due ${due.toISOString()}` : ""}`,
    );
  }
  return fresh;
}

/** Manifests named for a moment that has not come, one line each: nobody makes those, and they would be the newest for ever. */
export function futureManifests(repositories: readonly string[], paths: readonly string[], now: Date): string[] {
  return repositories.flatMap((repository) =>
    nightsOf(repository, paths)
      .filter(({ moment }) => isAhead(moment, now))
      .map(({ backup }) => `${repository}: ${backup}`),
  );
}

/** The nights of a repository that have a manifest, and when they were begun. */
function nightsOf(repository: string, paths: readonly string[]): { backup: string; moment: number }[] {
  return paths
    .flatMap((path) => backupOfManifest(repository, path) ?? [])
    .filter((backup) => /^night-(?:[a-z][a-z0-9]*-)?\d{8}t\d{6}z$/.test(backup))
    .map((backup) => ({ backup, moment: momentIn(backup) }))
    .filter(({ moment }) => moment > 0);
}

function dueLast(cron: string, now: Date): Date {
  return CronExpressionParser.parse(cron, { tz: "UTC", currentDate: now }).prev().toDate();
}
