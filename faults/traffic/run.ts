/** A fault under load, and the figures of what users saw. */
import { failoverSeconds } from "../../plan/traffic";
import { type Acknowledged, type Findings, findings, patience, percentile } from "./findings";
import { loadOn } from "./ledger";
import { type Answered, type Load, type LoadOptions, succeeded } from "./load";
import type { Entry, Seen, TrafficStage } from "./stage";

export type { Acknowledged, Findings } from "./findings";

/** How a fault is run. */
export interface UnderLoad {
  /** Requests per second. */
  rate: number;
  /** Region that users are in. Default: the first. */
  from?: string;
  /** What is to be known of the load before the fault, once the site carries it. */
  before?(load: Load): Promise<void>;
  /** What is done to the site. */
  inject(): Promise<void>;
  /** Region that the users' front ends have to find unhealthy; absent: they are not to find anything. */
  detects?: string;
  /** Seconds of load after that, or after the fault when nobody sees it. */
  afterSeconds: number;
}

/** Times that the load before the fault is begun when something of it failed: the first requests may meet a cold machine. */
const BEFORE_TURNS = 12;
/** The 99th percentile of its answers may not be above this: a site that falls behind has its limit here, not in the fault. */
const CARRIED_MS = 2_000;
/** From this rate on a site is warmed up with these shares of it: what has just started compiles while it serves. */
const WARM_FROM = 100;
const WARM_SHARES = [0.25, 0.5];
const WARM_MS = 20_000;
const POLL_MS = 50;

/** Runs a fault under load. @throws when the fault is not seen within three times what the plan allows */
export async function underLoad(stage: TrafficStage, run: UnderLoad): Promise<Findings> {
  const from = run.from ?? stage.regions[0];
  const load = await steady(stage, { rate: run.rate, from, assets: await assets(stage) });
  let injectedAt: number;
  let detectedAt: number | undefined;
  let answers: Answered[];
  let done: Promise<unknown> = Promise.resolve();
  try {
    await run.before?.(load);
    injectedAt = Date.now();
    const injected = run.inject();
    injected.catch(() => undefined);
    // Whoever puts things back waits until nothing is done to the site any more.
    done = injected;
    if (run.detects) detectedAt = await detection(stage, run.detects, from, injectedAt);
    await injected;
    await pause(run.afterSeconds * 1000);
  } finally {
    await done.catch(() => undefined);
    answers = await load.stop();
  }
  return findings(answers, injectedAt, detectedAt);
}

/**
 * A load that the site has carried for a while. A high rate is come to in steps, and begun anew when the site fell behind: at
 * a constant rate it does not catch up.
 * @throws when it is more than the site takes on this machine: what a fault does could not be told from it
 */
async function steady(stage: TrafficStage, options: LoadOptions): Promise<Load> {
  for (const share of options.rate < WARM_FROM ? [] : WARM_SHARES) {
    const warm = loadOn(stage, { ...options, rate: options.rate * share });
    await pause(WARM_MS);
    await warm.stop();
  }
  for (let turn = 1; ; turn++) {
    const load = loadOn(stage, options);
    const problem = await uncarried(stage, load).catch((error: Error) => error);
    if (problem === undefined) return load;
    await load.stop();
    if (problem instanceof Error) throw problem;
    if (turn < BEFORE_TURNS) continue;
    throw new Error(
      `the site did not carry ${options.rate} requests/s before the fault: ${problem}; use --rate, or a machine with nothing else to do`,
    );
  }
}

/** Why the site does not carry a load, seen over a while; undefined: it does. */
async function uncarried(stage: TrafficStage, load: Load): Promise<string | undefined> {
  const startedAt = Date.now();
  await pause(patience.beforeMs);
  const answers = load.answers.filter((each) => each.at >= startedAt);
  const failed = answers.filter((each) => !succeeded(each));
  const slow = percentile(answers, 0.99);
  const unhealthy = (await stage.healthEvents(startedAt)).filter(({ healthy }) => !healthy);
  if (failed.length === 0 && unhealthy.length === 0 && slow <= CARRIED_MS) return undefined;
  const example = failed[0] ? ` (${failed[0].error || failed[0].status})` : "";
  return `${failed.length} failed${example}, ${unhealthy.length} health checks failed, one of 100 answers took ${Math.round(slow)} ms`;
}

async function detection(stage: TrafficStage, lost: string, near: string, injectedAt: number): Promise<number> {
  for (const deadline = Date.now() + 3 * failoverSeconds * 1000; ; await pause(POLL_MS)) {
    const health = await stage.health();
    if (region(lost, false, near)(health)) {
      // The alert listens to the log: a health check that does not come there has told nobody.
      const events = await stage.healthEvents(injectedAt);
      const last = events.findLast((each) => each.region === lost && each.near === near && !each.healthy);
      if (last) return last.at;
    }
    if (Date.now() > deadline)
      throw new Error(`the health checks did not see it within ${3 * failoverSeconds} s: ${JSON.stringify(health)}`);
  }
}

/** Acknowledged writes that one of the regions does not have after the time. */
export async function missing(
  stage: Pick<TrafficStage, "held">,
  regions: readonly string[],
  acknowledged: readonly Acknowledged[],
  withinMs: number,
): Promise<readonly Acknowledged[]> {
  let gone = acknowledged;
  for (const deadline = Date.now() + withinMs; ; await pause(500)) {
    const ids = gone.map(({ id }) => id);
    const held = await Promise.all(regions.map((region) => stage.held(region, ids)));
    gone = gone.filter(({ id }) => held.some((each) => !each.has(id)));
    if (gone.length === 0 || Date.now() > deadline) return gone;
  }
}

/** How old the newest acknowledged write is, at the fault, that a region does not have after the time; 0: it has all. */
export async function lostSeconds(
  stage: Pick<TrafficStage, "held">,
  regions: readonly string[],
  { acknowledged, injectedAt }: Pick<Findings, "acknowledged" | "injectedAt">,
  withinMs = patience.storesMs,
): Promise<number> {
  const gone = await missing(stage, regions, acknowledged, withinMs);
  if (gone.length === 0) return 0;
  // Whatever was written after the fault, too: that is worse than any age.
  const newest = Math.max(...gone.map(({ at }) => at));
  return newest > injectedAt ? Number.POSITIVE_INFINITY : Math.max(1, (injectedAt - newest) / 1000);
}

/** Does something and puts back what it did, whatever came of it. @throws its own error rather than that of putting back */
export async function mended<T>(run: () => Promise<T>, mend: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await run();
  } catch (error) {
    await mend().catch((also: Error) => {
      (error as Error).message += `; and what it did is not put back: ${also.message}`;
    });
    throw error;
  }
  await mend();
  return result;
}

/** Waits until the front ends see so much. @returns seconds @throws after the time */
export async function until(
  stage: TrafficStage,
  what: string,
  holds: (health: readonly Seen[]) => boolean,
  withinSeconds: number,
): Promise<number> {
  const started = Date.now();
  for (;;) {
    const health = await stage.health();
    const seconds = (Date.now() - started) / 1000;
    if (health.length > 0 && holds(health)) return seconds;
    if (seconds > withinSeconds)
      throw new Error(`${what} within ${withinSeconds} s did not come true: ${JSON.stringify(health)}`);
    await pause(200);
  }
}

/**
 * Every endpoint of a region passes its health checks and is used, or fails them, to the front ends near a region, or to all. There is
 * at least one.
 */
export const region =
  (name: string, healthy: boolean, near?: string) =>
  (health: readonly Seen[]): boolean => {
    const own = health.filter((each) => each.region === name && (near === undefined || each.near === near));
    return own.length > 0 && own.every((each) => (healthy ? each.healthy && !each.ejected : !each.healthy));
  };

/** Assets for reads, which both stores of every region have. */
export async function assets(stage: TrafficStage): Promise<string[]> {
  const known = prepared.get(stage.entry);
  if (known) return known;
  // They are written by a load of writes alone: each that was acknowledged may be read everywhere soon.
  const load = loadOn(stage, { rate: 10, from: stage.regions[0], assets: [NO_ASSET] });
  await pause(3_000);
  const acknowledged = (await load.stop()).flatMap((each) => (each.writes && succeeded(each) ? [each.writes] : []));
  if (acknowledged.length === 0) throw new Error("no asset could be written before the fault");
  for (const deadline = Date.now() + 30_000; ; await pause(500)) {
    const stores = stage.regions.flatMap((each) => [stage.held(each, acknowledged), stage.indexed(each, acknowledged)]);
    const held = await Promise.all(stores);
    if (held.every((each) => each.size === acknowledged.length)) break;
    if (Date.now() > deadline) throw new Error("assets written in one region did not reach every other within 30 s");
  }
  prepared.set(stage.entry, acknowledged);
  return acknowledged;
}

const prepared = new WeakMap<Entry, string[]>();
const NO_ASSET = "00000000-0000-4000-8000-000000000000";

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
