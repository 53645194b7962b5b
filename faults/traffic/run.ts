/** A fault under load, and the figures of what users saw. */
import { failoverSeconds } from "../../plan/traffic";
import { type Answered, Load, type LoadOptions, succeeded } from "./load";
import type { Seen, TrafficStage } from "./stage";

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

/** A write that was answered well. */
export interface Acknowledged {
  id: string;
  /** When it was sent, and answered, in milliseconds since 1970. */
  at: number;
  answeredAt: number;
  /** Region that answered. */
  by?: string;
}

/** What users saw. Times are in seconds from the fault. */
export interface Findings {
  requests: number;
  /** As they were sent. */
  requestsPerSecond: number;
  failed: number;
  /** Failed requests that were sent after the health checks had seen the fault, or at any time when they are not to. */
  failedAfterDetection: number;
  /** Undefined: there was nothing to see. */
  detectionSeconds?: number;
  /** When the last request was sent that failed; 0: none did. */
  recoverySeconds: number;
  /** The longest time in which no request was sent that got what it asked for. */
  darkSeconds: number;
  /** Regions that answered after the detection, or after the fault. */
  answeredBy: string[];
  /** The 99th percentile of answers before the fault, and after the detection, in milliseconds. */
  latencyMs: { before: number; after: number };
  /** By how much the median of answers after the detection is above that before the fault. */
  slowedMs: number;
  /** Writes that were answered. */
  acknowledged: Acknowledged[];
  injectedAt: number;
  /** First failures, for people. */
  examples: string[];
}

/** Load before the fault, so that connections are open and caches are warm; none of it may fail. */
const BEFORE_MS = 10_000;
/** Times that the load before the fault is begun when something of it failed: the first requests may meet a cold machine. */
const BEFORE_TURNS = 6;
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
  try {
    await run.before?.(load);
    injectedAt = Date.now();
    const injected = run.inject();
    if (run.detects) detectedAt = await detection(stage, run.detects, from, injectedAt);
    await injected;
    await pause(run.afterSeconds * 1000);
  } finally {
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
    const warm = Load.start(stage.entry, { ...options, rate: options.rate * share });
    await pause(WARM_MS);
    await warm.stop();
  }
  for (let turn = 1; ; turn++) {
    const load = Load.start(stage.entry, options);
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
  await pause(BEFORE_MS);
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

/** The figures of a run, from the last turn before the fault on; of acknowledged writes from all of it. */
export function findings(all: readonly Answered[], injectedAt: number, detectedAt?: number): Findings {
  const answers = all.filter(({ at }) => at >= injectedAt - BEFORE_MS);
  const failed = answers.filter((each) => !succeeded(each));
  const since = detectedAt ?? injectedAt;
  const before = answers.filter(({ at }) => at < injectedAt);
  const after = answers.filter(({ at }) => at >= since);
  const seconds = (at: number) => Math.max(0, (at - injectedAt) / 1000);
  return {
    requests: answers.length,
    requestsPerSecond: Math.round(
      answers.length / Math.max(1, ((answers.at(-1)?.at ?? 0) - (answers[0]?.at ?? 0)) / 1000),
    ),
    failed: failed.length,
    failedAfterDetection: after.filter((each) => !succeeded(each)).length,
    ...(detectedAt === undefined ? {} : { detectionSeconds: seconds(detectedAt) }),
    recoverySeconds: seconds(failed.at(-1)?.at ?? injectedAt),
    darkSeconds: longestGap(answers),
    answeredBy: [...new Set(after.flatMap(({ region }) => region ?? []))].sort(),
    latencyMs: { before: percentile(before, 0.99), after: percentile(after, 0.99) },
    slowedMs: percentile(after, 0.5) - percentile(before, 0.5),
    acknowledged: all.flatMap((each) =>
      each.writes && succeeded(each)
        ? [{ id: each.writes, at: each.at, answeredAt: each.at + each.ms, by: each.region }]
        : [],
    ),
    injectedAt,
    examples: failed
      .slice(0, 5)
      .map(({ at, status, error, ms }) => `${seconds(at).toFixed(1)} s: ${error || status} after ${Math.round(ms)} ms`),
  };
}

function longestGap(answers: readonly Answered[]): number {
  const times = [...answers.filter(succeeded), ...answers.slice(-1)].map(({ at }) => at);
  return Math.max(0, ...times.map((at, index) => at - (times[index - 1] ?? answers[0]!.at))) / 1000;
}

function percentile(answers: readonly Answered[], share: number): number {
  const times = answers
    .filter(succeeded)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  return Math.round(times[Math.floor(times.length * share)] ?? Number.NaN);
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
  stage: TrafficStage,
  regions: readonly string[],
  { acknowledged, injectedAt }: Findings,
  withinMs = 60_000,
): Promise<number> {
  const gone = await missing(stage, regions, acknowledged, withinMs);
  if (gone.length === 0) return 0;
  // Whatever was written after the fault, too: that is worse than any age.
  const newest = Math.max(...gone.map(({ at }) => at));
  return newest > injectedAt ? Number.POSITIVE_INFINITY : Math.max(1, (injectedAt - newest) / 1000);
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

/** Assets for reads, which every region has. */
export async function assets(stage: TrafficStage): Promise<string[]> {
  const known = prepared.get(stage);
  if (known) return known;
  // They are written by a load of writes alone: each that was acknowledged may be read everywhere soon.
  const load = Load.start(stage.entry, { rate: 10, from: stage.regions[0], assets: [NO_ASSET] });
  await pause(3_000);
  const acknowledged = (await load.stop()).flatMap((each) => (each.writes && succeeded(each) ? [each.writes] : []));
  if (acknowledged.length === 0) throw new Error("no asset could be written before the fault");
  for (const deadline = Date.now() + 30_000; ; await pause(500)) {
    const held = await Promise.all(stage.regions.map((each) => stage.held(each, acknowledged)));
    if (held.every((each) => each.size === acknowledged.length)) break;
    if (Date.now() > deadline) throw new Error("assets written in one region did not reach every other within 30 s");
  }
  prepared.set(stage, acknowledged);
  return acknowledged;
}

const prepared = new WeakMap<TrafficStage, string[]>();
const NO_ASSET = "00000000-0000-4000-8000-000000000000";

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
