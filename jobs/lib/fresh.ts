import { backupOfManifest, momentOf } from "../../plan/layout";

/** Result of {@link freshManifests}; `stale` says per repository why it is not fresh. */
export interface Fresh {
  backups: Map<string, string>;
  stale: string[];
}

/**
 * The newest backup of each repository by its manifest's name, and which repositories have none that is young enough.
 * Objects that are no manifests are ignored.
 * @param paths names of the objects in the site's bucket
 */
export function freshManifests(
  repositories: readonly string[],
  paths: readonly string[],
  maxAgeHours: number,
  now: Date,
): Fresh {
  const fresh: Fresh = { backups: new Map(), stale: [] };
  for (const repository of repositories) {
    const newest = paths
      .flatMap((path) => backupOfManifest(repository, path) ?? [])
      .filter((backup) => /^night-(?:[a-z][a-z0-9]*-)?\d{8}t\d{6}z$/.test(backup))
      .sort()
      .at(-1);
    if (newest === undefined) {
      fresh.stale.push(`${repository}: no manifest`);
      continue;
    }
    const hours = (now.getTime() - momentOf(newest).getTime()) / 3_600_000;
    if (hours > maxAgeHours) {
      fresh.stale.push(`${repository}: ${newest} is ${hours.toFixed(1)} h old`);
    } else {
      fresh.backups.set(repository, newest);
    }
  }
  return fresh;
}
