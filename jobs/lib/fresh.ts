/** Which backups are tonight's. Pure. */
import { CronExpressionParser } from "cron-parser";
import { backupOfManifest, momentOf, parseRepository } from "../../plan/layout";
import { SKEW_MS } from "./newest";

/** Result of {@link freshManifests}. */
export interface Fresh {
  backups: Map<string, string>;
  /** Why a repository has no backup of tonight, one line each. */
  stale: string[];
  /** Manifests named for a moment that has not come: nobody makes those, and they would be the newest for ever. */
  future: string[];
}

/** What is tonight's: cron of the snapshots of each store in UTC, if they have one, and the hours in which any backup is young enough. */
export interface Tonight {
  snapshots?: { cassandra: string; elasticsearch: string };
  youngHours: number;
}

/**
 * The newest backup of each repository by its manifest's name, when it was begun since its snapshot was due last: one that was
 * repeated by day is not tonight's. A young one is, so that a snapshot taken by hand shortly before need not be repeated.
 * Objects that are no manifests are ignored, and those of the future are told.
 * @param paths names of the objects in the site's bucket
 */
export function freshManifests(
  repositories: readonly string[],
  paths: readonly string[],
  { snapshots, youngHours }: Tonight,
  now: Date,
): Fresh {
  const fresh: Fresh = { backups: new Map(), stale: [], future: [] };
  const latest = now.getTime() + SKEW_MS;
  for (const repository of repositories) {
    const nights = paths
      .flatMap((path) => backupOfManifest(repository, path) ?? [])
      .filter((backup) => /^night-(?:[a-z][a-z0-9]*-)?\d{8}t\d{6}z$/.test(backup) && momentIn(backup) > 0);
    const ahead = nights.filter((backup) => momentIn(backup) > latest);
    fresh.future.push(...ahead.map((backup) => `${repository}: ${backup}`));
    const newest = nights
      .filter((backup) => momentIn(backup) <= latest)
      .sort((a, b) => momentIn(a) - momentIn(b))
      .at(-1);
    if (newest === undefined) {
      fresh.stale.push(`${repository}: no manifest`);
      continue;
    }
    const due = snapshots && dueLast(snapshots[parseRepository(repository).kind], now);
    const since = Math.min(due?.getTime() ?? now.getTime(), now.getTime() - youngHours * 3_600_000);
    if (momentIn(newest) >= since) {
      fresh.backups.set(repository, newest);
      continue;
    }
    const hours = (now.getTime() - momentIn(newest)) / 3_600_000;
    fresh.stale.push(
      `${repository}: ${newest} is ${hours.toFixed(1)} h old${due ? `, tonight's was due ${due.toISOString()}` : ""}`,
    );
  }
  return fresh;
}

function dueLast(cron: string, now: Date): Date {
  return CronExpressionParser.parse(cron, { tz: "UTC", currentDate: now }).prev().toDate();
}

/** 0: the name has the form and is no moment. */
function momentIn(backup: string): number {
  try {
    return momentOf(backup).getTime();
  } catch {
    return 0;
  }
}
