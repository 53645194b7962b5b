/** Which copies stay: grandfather, father, son. Pure. */
import { momentOf } from "../../plan/layout";
import type { Tiers } from "../../plan/retention";

const DAY_MS = 24 * 3600 * 1000;
/** A Monday. */
const MONDAY_MS = Date.UTC(1970, 0, 5);

const periods: Record<keyof Tiers, (moment: Date) => string> = {
  nightly: (moment) => moment.toISOString().slice(0, 10),
  weekly: (moment) => String(Math.floor((moment.getTime() - MONDAY_MS) / (7 * DAY_MS))),
  monthly: (moment) => moment.toISOString().slice(0, 7),
};

/**
 * Copies that a tier keeps: the newest of each of its newest periods. Periods without a copy do not count, so that nothing
 * goes while no copies come.
 * @param ids copies of one site by their ids, which carry their moments, in any order
 */
export function keptByTiers(ids: readonly string[], tiers: Tiers): Set<string> {
  const newestFirst = [...ids].sort().reverse();
  const kept = new Set<string>();
  for (const tier of Object.keys(periods) as (keyof Tiers)[]) {
    const seen = new Set<string>();
    for (const id of newestFirst) {
      const period = periods[tier](momentOf(id));
      if (seen.has(period)) continue;
      if (seen.size >= tiers[tier]) break;
      seen.add(period);
      kept.add(id);
    }
  }
  return kept;
}

/**
 * Copies that stay whatever tiers say: the newest of the site, and the newest that has each repository it ever copied.
 * @param copies each with its repositories
 */
export function lastGood(copies: readonly { id: string; repositories: readonly string[] }[]): Set<string> {
  const newestFirst = [...copies].sort((a, b) => (a.id < b.id ? 1 : -1));
  const seen = new Set<string>();
  const kept = new Set<string>(newestFirst.slice(0, 1).map(({ id }) => id));
  for (const { id, repositories } of newestFirst) {
    if (repositories.some((name) => !seen.has(name))) kept.add(id);
    for (const name of repositories) seen.add(name);
  }
  return kept;
}
