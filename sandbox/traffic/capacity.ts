/**
 * Capacity by rate: what a region takes before the next-closest one helps. Envoy knows no rates, so requests are counted, and
 * the regions of a front end get weights when there are more than the closest one takes. Source: "Backend services overview",
 * balancing mode and capacity scaler.
 */
import { logger } from "../lib/log";
import type { BackendService } from "./declaration";

/** What comes to the front ends near a region, in requests per second. */
export interface Demand {
  near: string;
  /** Regions by their distance from it, the closest first. */
  order: readonly string[];
  rate: number;
}

/** Parts of a front end's requests by region, in percent; regions without any are left out. */
export type Weights = ReadonlyMap<string, number>;

/** Weights move in steps of so many percent, so that a rate that is about the capacity moves nobody. */
const STEP = 5;

/**
 * Who takes how much, for the front ends whose closest region takes less than comes to them. Each region serves its own first;
 * what is above goes by distance to whoever has capacity left, and when nobody has, to all as they have capacity. A region without
 * any is failed over from, which is no matter of rates.
 */
export function weightsOf(demands: readonly Demand[], capacity: ReadonlyMap<string, number>): Map<string, Weights> {
  const left = new Map(capacity);
  const taken = new Map(demands.map(({ near }) => [near, new Map<string, number>()]));
  const rest = new Map(demands.map(({ near, rate }) => [near, rate]));
  const take = (near: string, region: string) => {
    const rate = Math.min(rest.get(near)!, left.get(region) ?? 0);
    rest.set(near, rest.get(near)! - rate);
    left.set(region, (left.get(region) ?? 0) - rate);
    taken.get(near)!.set(region, rate);
  };
  for (const { near } of demands) take(near, near);
  for (const { near, order } of demands) for (const region of order) if (region !== near) take(near, region);
  const over = demands.filter(({ near, rate }) => (capacity.get(near) ?? 0) > 0 && rate > taken.get(near)!.get(near)!);
  return new Map(
    over.flatMap(({ near, order, rate }) => {
      const whole = order.reduce((sum, region) => sum + (capacity.get(region) ?? 0), 0);
      const more = rest.get(near)!;
      const part = (region: string) => {
        const beyond = more > 0 ? (more * (capacity.get(region) ?? 0)) / whole : 0;
        return (taken.get(near)!.get(region)! + beyond) / rate;
      };
      const others = order.filter((region) => region !== near);
      const steps = others.map((region) => [region, STEP * Math.round((100 * part(region)) / STEP)] as const);
      const moved = steps.reduce((sum, [, each]) => sum + each, 0);
      if (moved === 0) return [];
      return [[near, new Map([[near, 100 - moved] as const, ...steps].filter(([, each]) => each > 0))] as const];
    }),
  );
}

/** Capacity of each region by its healthy endpoints. A group without a rate takes whatever comes. */
export function capacityOf(
  service: BackendService,
  regionOf: (zone: string) => string,
  healthy: (group: string) => number,
): Map<string, number> {
  const found = new Map<string, number>();
  for (const { id, zone, serves, ratePerEndpoint = Number.POSITIVE_INFINITY } of service.groups) {
    const count = serves ? healthy(id) : 0;
    const region = regionOf(zone);
    found.set(region, (found.get(region) ?? 0) + (count === 0 ? 0 : count * ratePerEndpoint));
  }
  return found;
}

const LOOK_MS = 1000;
/** Rates are those of so many looks. */
const LOOKS = 3;

/** Requests per second by the counters of some names, over the last few looks. */
export class Rates {
  private readonly seen: { at: number; counts: ReadonlyMap<string, number> }[] = [];

  /** Takes another look at the counters. @param at in milliseconds */
  add(at: number, counts: ReadonlyMap<string, number>): void {
    this.seen.push({ at, counts });
    if (this.seen.length > LOOKS + 1) this.seen.shift();
  }

  /** 0: it is not known yet. */
  of(name: string): number {
    const [first, last] = [this.seen[0], this.seen.at(-1)];
    if (!first || !last || last.at === first.at) return 0;
    const count = (last.counts.get(name) ?? 0) - (first.counts.get(name) ?? 0);
    return Math.max(0, (1000 * count) / (last.at - first.at));
  }
}

const log = logger("traffic");

/** Does the work every second, one at a time, until it is stopped. A look that fails is left out. */
export function everySecond(work: () => Promise<void>): { stop(): void } {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    work()
      .catch((error: Error) => log(`the rate of requests is not known: ${error.message}`))
      .finally(() => {
        busy = false;
      });
  }, LOOK_MS);
  return { stop: () => clearInterval(timer) };
}
