/** The rows that need a site under traffic and nothing else. Bounds are the plan's; the disaster is D1 unless said otherwise. */
import { objectives } from "../../plan/objectives";
import { detectionSeconds, failoverSeconds } from "../../plan/traffic";
import type { Fault as Strike } from "../../sandbox/cloud/api";
import type { Fault, Outcome, Signal } from "../fault";
import { type LostWhileOff, lagSeconds, lostWhileOff } from "./lag";
import { Load } from "./load";
import {
  assets,
  type Findings,
  findings,
  lostSeconds,
  missing,
  pause,
  region,
  type UnderLoad,
  underLoad,
  until,
} from "./run";
import type { Seen, TrafficStage } from "./stage";

/** How hard and how long; a test, or a slow machine, sets less, and the report says what it was. */
export const rates = {
  /** Requests per second under which a region is killed. */
  killed: 200,
  /** Requests per second of the other rows. */
  others: 50,
  /** Seconds without a fault in which nobody may be moved. */
  soakSeconds: 600,
};

/** What the alert `region-unhealthy` hears. */
export const unhealthy: Signal = { kind: "health-check", state: "UNHEALTHY" };
/** What is not to be heard by anybody. */
export const silence: Signal = { kind: "log", command: "", line: {} };
/** How long front ends may take to see what was well before. */
const HEALTHY_SECONDS = 30;
/** How long a region that is back may take until it serves. */
export const RETURN_SECONDS = 180;

/** Figures of a run by name, for bounds and the report. */
export function figures(found: Findings, more: Record<string, number> = {}): Record<string, number> {
  return {
    requests: found.requests,
    requestsPerSecond: found.requestsPerSecond,
    failed: found.failed,
    failedAfterDetection: found.failedAfterDetection,
    ...(found.detectionSeconds === undefined ? {} : { detectionSeconds: found.detectionSeconds }),
    recoverySeconds: found.recoverySeconds,
    latencyBeforeMs: found.latencyMs.before,
    latencyAfterMs: found.latencyMs.after,
    slowedMs: found.slowedMs,
    acknowledgedWrites: found.acknowledged.length,
    ...more,
  };
}

/** The outcome of a run whose acknowledged writes these regions have to have. */
export async function outcome(
  stage: TrafficStage,
  found: Findings,
  regions: readonly string[],
  told: { signal: Signal; recovered: string; more?: Record<string, number>; withinMs?: number },
): Promise<Outcome> {
  const { requests, failed, detectionSeconds: detection, answeredBy, examples, acknowledged } = found;
  const seen = detection === undefined ? "no health check failed" : `health checks after ${detection.toFixed(1)} s`;
  const failures =
    failed === 0 ? "no request failed" : `${failed} of ${requests} requests failed (${examples.join("; ")})`;
  const lost = await lostSeconds(stage, regions, found, told.withinMs);
  const unindexed = await missing({ held: stage.indexed }, regions, acknowledged, INDEXED_MS);
  const places = regions.join(" and ");
  return {
    noticed: `${seen}; ${failures}`,
    signal: told.signal,
    recovered: `${told.recovered}; ${answeredBy.join(" and ")} answered; ${acknowledged.length} acknowledged writes in both stores of ${places}`,
    lostSeconds: lost,
    figures: figures(found, { unindexed: unindexed.length, ...told.more }),
  };
}

/** How long a region's index may lag behind its tables. */
const INDEXED_MS = 60_000;
/** Every region's search finds whatever was acknowledged. */
export const foundBounds = { unindexed: 0 } as const;

/** The last failure is within the time that the plan allows. */
export const recoveryBounds = { ...foundBounds, recoverySeconds: failoverSeconds } as const;

/** Nothing failed after the detection, which is within it as well. */
export const failoverBounds = {
  ...recoveryBounds,
  failedAfterDetection: 0,
  detectionSeconds: failoverSeconds,
} as const;

/** Share of the requests that were asked for which a run has to have sent. */
const SENT_SHARE = 0.95;
/** Least figures of a row with that load, by the name of its rate. */
export const sent =
  (rate: "killed" | "others", more: Readonly<Record<string, number>> = {}) =>
  (): Record<string, number> => ({ requestsPerSecond: SENT_SHARE * rates[rate], ...more });

/** Nobody sees anything. */
export const unseenBounds = { ...foundBounds, failed: 0 } as const;

/** How a region goes as a whole, and what brings it back. */
interface Loss extends Pick<Fault<TrafficStage>, "id" | "fault" | "small"> {
  gone: "off" | "hung";
  back: "on" | "resumed";
  /** What it did then, in words. */
  returned: string;
}

/** A region goes under load. What it acknowledged and the others lack is no older than the lag between them. */
const regionGone = ({ gone, back, returned, ...row }: Loss): Fault<TrafficStage> => ({
  ...row,
  rows: ["D1"],
  alert: "region-unhealthy",
  mayLoseSeconds: 0,
  bounds: { ...failoverBounds, lostBeyondLagSeconds: 0 },
  atLeast: sent("killed"),
  inject: async (stage) => {
    const [lost, ...others] = stage.regions;
    const strike = (state: typeof gone | typeof back) => stage.strike({ kind: "region", target: lost, state });
    await until(stage, `${lost} healthy`, region(lost, true), HEALTHY_SECONDS);
    let lag = Number.NaN;
    const found = await underLoad(stage, {
      rate: rates.killed,
      before: async (load) => {
        lag = await lagSeconds(stage, others, load);
      },
      inject: () => strike(gone),
      detects: lost,
      afterSeconds: 10,
    });
    onlyBy(found, others);
    const away = await lostWhileOff(stage, lost, others, found, lag);
    await strike(back);
    const seconds = await until(stage, `${lost} healthy again`, region(lost, true), RETURN_SECONDS);
    return outcome(stage, found, stage.regions, {
      signal: unhealthy,
      recovered: `while it was away the others lacked ${lack(away)}; ${returned} it served after ${seconds.toFixed(0)} s`,
      more: { ...away, returnSeconds: seconds, worstCaseOfDeclaredChecks: detectionSeconds() },
      withinMs: 120_000,
    });
  },
});

/** Back is everything here, where processes are killed and the page cache stays; machines lose what was not synced (ADR 34). */
export const regionKilled = regionGone({
  id: "region-killed",
  fault:
    "every process of a region is killed under load, as by a loss of power; the page cache outlives them, so that what was written and not synced stays",
  small: true,
  gone: "off",
  back: "on",
  returned: "started again",
});

/** The way a network loses a region: connections stay open, and whoever waits for an answer waits for his own patience's end. */
export const regionHung = regionGone({
  id: "region-hung",
  fault:
    "every process of a region stands still under load, as behind a network that drops what is sent: nothing is refused, nothing answers",
  gone: "hung",
  back: "resumed",
  returned: "reached again",
});

const lack = ({ lostWhileOffSeconds, lagSeconds: lag }: LostWhileOff) =>
  `${lostWhileOffSeconds === 0 ? "no write" : `writes of its last ${lostWhileOffSeconds.toFixed(2)} s`} (a lag of ${lag.toFixed(2)} s at most was measured before)`;

/** A region comes back while the other serves: its users go back to it, and nobody is refused. */
export const regionReturns: Fault<TrafficStage> = {
  id: "region-returns",
  fault: "a region that was off is back under load",
  rows: ["D1"],
  mayLoseSeconds: 0,
  bounds: unseenBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const [back] = stage.regions;
    const strike = (state: "off" | "on") => stage.strike({ kind: "region", target: back, state });
    await strike("off");
    await until(stage, `${back} unhealthy`, region(back, false), 3 * failoverSeconds);
    let seconds = Number.NaN;
    const found = await underLoad(stage, {
      rate: rates.others,
      inject: async () => {
        await strike("on");
        seconds = await until(stage, `${back} healthy again`, region(back, true), RETURN_SECONDS);
      },
      afterSeconds: 10,
    });
    if (!found.answeredBy.includes(back)) throw new Error(`${back} is back, and its users went to ${found.answeredBy}`);
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `it served ${seconds.toFixed(0)} s after its power was back`,
      more: { returnSeconds: seconds },
      withinMs: 120_000,
    });
  },
};

/** Every endpoint of every region is healthy to everybody. */
export const allHealthy = (stage: TrafficStage) => (health: readonly Seen[]) =>
  stage.regions.every((each) => region(each, true)(health));

/** Rows whose fault users are not to notice. */
export function unnoticed<Stage extends TrafficStage>(
  row: Pick<Fault<Stage>, "id" | "fault" | "rows" | "alert" | "small" | "atLeast">,
  act: {
    /** What was seen of it, for as long as it lasted. */
    signal?(seconds: number): Signal;
    run(stage: Stage): UnderLoad;
    /** Figures that show the fault itself, taken while it lasts. */
    shows?(stage: Stage): Promise<Record<string, number>>;
    mend(stage: Stage): Promise<string>;
  },
): Fault<Stage> {
  return {
    atLeast: sent("others"),
    ...row,
    mayLoseSeconds: 0,
    bounds: { ...unseenBounds, failovers: 0 },
    inject: async (stage) => {
      await until(stage, "all healthy", allHealthy(stage), HEALTHY_SECONDS);
      const since = Date.now();
      let found: Findings;
      let recovered: string;
      let failovers = Number.NaN;
      let shown: Record<string, number> | undefined;
      let seconds = Number.NaN;
      try {
        found = await underLoad(stage, act.run(stage));
        failovers = (await stage.healthEvents(since)).filter(({ healthy }) => !healthy).length;
        shown = await act.shows?.(stage);
        seconds = (Date.now() - found.injectedAt) / 1000;
      } finally {
        recovered = await act.mend(stage);
      }
      return outcome(stage, found, stage.regions, {
        signal: act.signal?.(seconds) ?? silence,
        recovered,
        more: { failovers, ...shown },
      });
    },
  };
}

/** Load that is begun beside another one goes on for as long before the fault. */
const BESIDE_MS = 3_000;

/** A region's way to the others is cut; users near it are served by it, all others by the others. */
export const regionApart: Fault<TrafficStage> = {
  id: "region-apart",
  fault: "front ends near the other regions do not reach a region any more",
  rows: ["D1"],
  alert: "region-unhealthy",
  mayLoseSeconds: 0,
  bounds: unseenBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const [apart, other] = stage.regions;
    const strike = (state: "apart" | "joined") => stage.strike({ kind: "region", target: apart, state });
    let found: Findings;
    try {
      // Users near either side: those of the region that is cut off are served by it as before.
      const rate = rates.others / 2;
      const beside = { rate, from: apart, assets: await assets(stage) };
      let near: Load | undefined;
      const far = await underLoad(stage, {
        rate,
        from: other,
        before: async () => {
          near = Load.start(stage.entry, beside);
          await pause(BESIDE_MS);
        },
        inject: () => strike("apart"),
        afterSeconds: failoverSeconds,
      }).finally(() => near?.stop());
      const nearby = findings(await near!.stop(), far.injectedAt);
      onlyBy(far, [other]);
      onlyBy(nearby, [apart]);
      found = together(far, nearby);
      const health = await stage.health();
      if (!region(apart, false, other)(health) || !region(apart, true, apart)(health))
        throw new Error(`${apart} should be out of reach of ${other} and of nobody else: ${JSON.stringify(health)}`);
    } finally {
      await strike("joined");
    }
    await until(stage, `${apart} healthy again`, region(apart, true), 60);
    return outcome(stage, found, stage.regions, { signal: unhealthy, recovered: "the way is open again" });
  },
};

/** What a median answer is slower by at least: a request crosses 19 ms more. */
const SLOWED_MS = 10;

/** Packets take twenty times as long: slower, and no failover. */
export const regionSlow: Fault<TrafficStage> = unnoticed(
  {
    id: "region-slow",
    fault: "every way of a request to a region takes 20 times as long",
    rows: ["D1"],
    atLeast: sent("others", { slowedMs: SLOWED_MS }),
  },
  {
    run: (stage) => ({
      rate: rates.others,
      inject: () => stage.strike({ kind: "region", target: stage.regions[0], state: "slow" }),
      afterSeconds: failoverSeconds,
    }),
    mend: async (stage) => {
      await stage.strike({ kind: "region", target: stage.regions[0], state: "near" });
      return "it is as near as ever";
    },
  },
);

/** Least figures of a row whose API server does not answer. */
export const apiRefused = { apiRefused: 1 } as const;

/** Strikes a cluster whose API server answers. @throws when it does not by then: its silence afterwards would say nothing */
export async function silenceApi(stage: TrafficStage, strike: Strike): Promise<void> {
  if (!(await stage.apiAnswers(strike.target))) throw new Error(`the API server of ${strike.target} answers nothing`);
  await stage.strike(strike);
}

/** Whether the API server refuses one question, as a figure. */
export const refusals = async (stage: TrafficStage, name: string): Promise<Record<string, number>> => ({
  apiRefused: (await stage.apiAnswers(name)) ? 0 : 1,
});

/** The API server of a region ends: what runs goes on. */
export const apiServerLost: Fault<TrafficStage> = unnoticed(
  {
    id: "api-server",
    fault: "a region's API server, scheduler and controllers end",
    rows: ["D1", "S4"],
    small: true,
    atLeast: sent("others", apiRefused),
  },
  {
    run: (stage) => ({
      rate: rates.others,
      inject: () => silenceApi(stage, { kind: "control-plane", target: stage.regions[0], state: "down" }),
      afterSeconds: 3 * failoverSeconds,
    }),
    shows: (stage) => refusals(stage, stage.regions[0]),
    mend: async (stage) => {
      await stage.strike({ kind: "control-plane", target: stage.regions[0], state: "up" });
      return "the API server is back";
    },
  },
);

/** What users of two places saw, as one. */
function together(one: Findings, other: Findings): Findings {
  const sum = (figure: "requests" | "requestsPerSecond" | "failed" | "failedAfterDetection") =>
    one[figure] + other[figure];
  return {
    ...one,
    requests: sum("requests"),
    requestsPerSecond: sum("requestsPerSecond"),
    failed: sum("failed"),
    failedAfterDetection: sum("failedAfterDetection"),
    recoverySeconds: Math.max(one.recoverySeconds, other.recoverySeconds),
    darkSeconds: Math.max(one.darkSeconds, other.darkSeconds),
    answeredBy: [...new Set([...one.answeredBy, ...other.answeredBy])].sort(),
    acknowledged: [...one.acknowledged, ...other.acknowledged],
    examples: [...one.examples, ...other.examples],
  };
}

/** @throws when somebody else answered */
function onlyBy({ answeredBy }: Findings, allowed: readonly string[]): void {
  if (answeredBy.length === 0 || answeredBy.some((each) => !allowed.includes(each)))
    throw new Error(
      `after the detection ${answeredBy.join(", ") || "nobody"} answered; allowed: ${allowed.join(", ")}`,
    );
}

/** A soak: no fault, and nobody is to be moved. */
export const noFault: Fault<TrafficStage> = unnoticed(
  {
    id: "none",
    fault: "nothing is done",
    rows: ["D1"],
    // As many as tell a soak from a short one.
    atLeast: () => sent("others", { requests: SENT_SHARE * rates.others * rates.soakSeconds })(),
  },
  {
    run: () => ({ rate: rates.others, inject: async () => undefined, afterSeconds: rates.soakSeconds }),
    mend: async () => "nothing was to be mended",
  },
);

/** Longest time that D1 may take; the rows stay far below. */
export const allowedSeconds = objectives.D1.rtoSeconds;
