/** What rows under traffic have in common: rates, bounds, and an outcome from what users, health checks and stores say. */
import { failoverSeconds, requests as timeouts } from "../../plan/traffic";
import type { Fault as Strike } from "../../sandbox/cloud/api";
import type { Fault, Outcome, Signal } from "../fault";
import { type Findings, patience } from "./findings";
import { ledgerOf } from "./ledger";
import { lostSeconds, missing, pause, region, type UnderLoad, underLoad, until } from "./run";
import type { HealthEvent, Seen, TrafficStage } from "./stage";

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
/** How long a region that is back may take until it serves. */
export const RETURN_SECONDS = 180;

/** Figures of a run by name, for bounds and the report. */
function figures(found: Findings): Record<string, number> {
  return {
    requests: found.requests,
    requestsPerSecond: found.requestsPerSecond,
    failed: found.failed,
    failedAfterDetection: found.failedAfterDetection,
    ...(found.detectionSeconds === undefined ? {} : { detectionSeconds: found.detectionSeconds }),
    failedPercent: (100 * found.failed) / found.requests,
    recoverySeconds: found.recoverySeconds,
    failureEndSeconds: found.failureEndSeconds,
    latencyBeforeMs: found.latencyMs.before,
    latencyAfterMs: found.latencyMs.after,
    slowedMs: found.slowedMs,
  };
}

/**
 * The outcome of a run. Whatever the row's loads were acknowledged, these regions have to have, in both stores; what health
 * checks saw is read from their log.
 */
export async function outcome(
  stage: TrafficStage,
  found: Findings,
  regions: readonly string[],
  told: { signal: Signal; recovered: string; more?: Record<string, number>; withinMs?: number },
): Promise<Outcome> {
  const { requests, failed, detectionSeconds: detection, answeredBy, examples, injectedAt } = found;
  const { acknowledged } = ledgerOf(stage);
  const unhealthyEvents = (await unhealthySince(stage, injectedAt)).length;
  const detected = detection === undefined ? [] : [`health checks after ${detection.toFixed(1)} s`];
  const checks = `${unhealthyEvents} endpoints turned UNHEALTHY in the log of health checks`;
  const failures =
    failed === 0 ? "no request failed" : `${failed} of ${requests} requests failed (${examples.join("; ")})`;
  const [lost, unindexed] = await Promise.all([
    lostSeconds(stage, regions, { acknowledged, injectedAt }, told.withinMs),
    missing({ held: stage.indexed }, regions, acknowledged, patience.storesMs),
  ]);
  const places = regions.join(" and ");
  return {
    noticed: [...detected, checks, failures].join("; "),
    signal: told.signal,
    recovered: `${told.recovered}; ${answeredBy.join(" and ")} answered; ${acknowledged.length} acknowledged writes in both stores of ${places}`,
    lostSeconds: lost,
    figures: {
      ...figures(found),
      acknowledgedWrites: acknowledged.length,
      unindexed: unindexed.length,
      unhealthyEvents,
      ...told.more,
    },
  };
}

const unhealthySince = async (stage: TrafficStage, since: number) =>
  (await stage.healthEvents(since)).filter(({ healthy }) => !healthy);

/** What `region-unhealthy` hears of a region since a moment, as the log of health checks has it. @throws when it has nothing */
export async function heard(stage: TrafficStage, since: number, name: string, near?: string): Promise<Signal> {
  let events: HealthEvent[] = [];
  for (const deadline = Date.now() + patience.logMs; ; await pause(500)) {
    events = await unhealthySince(stage, since);
    if (events.some((each) => each.region === name && (near === undefined || each.near === near))) return unhealthy;
    if (Date.now() > deadline) break;
  }
  const where = near === undefined ? "" : ` near ${near}`;
  throw new Error(
    `the log of health checks has no UNHEALTHY of ${name}${where} since the fault, and ${events.length} of others; region-unhealthy hears that log alone: enable logConfig of the health check`,
  );
}

/** Every region's search finds whatever was acknowledged. */
export const foundBounds = { unindexed: 0 } as const;

/** The 99th percentile of answers after a fault, in milliseconds: slower, and answered. A region that has just started took 2.8 s here. */
const LATENCY_MS = 10_000;
const answeredBounds = { ...foundBounds, latencyAfterMs: LATENCY_MS } as const;

/** The last request that fails is sent within the time that the plan allows, and waits no longer than the load balancer does. */
export const recoveryBounds = {
  ...answeredBounds,
  recoverySeconds: failoverSeconds,
  failureEndSeconds: failoverSeconds + timeouts.timeoutSeconds,
} as const;

/** One of several dies and says so: what it had begun fails at once (0.1 s here), and nothing after it. */
export const takenOverBounds = {
  ...answeredBounds,
  recoverySeconds: 2,
  failureEndSeconds: failoverSeconds,
  failedPercent: 1,
} as const;

/** Nothing failed after the detection, which is within it as well. */
export const failoverBounds = {
  ...recoveryBounds,
  failedAfterDetection: 0,
  detectionSeconds: failoverSeconds,
} as const;

/** Share of the requests that were asked for which a run has to have sent. */
export const SENT_SHARE = 0.95;
/** Least figures of a row with that load, by the name of its rate. */
export const sent =
  (rate: "killed" | "others", more: Readonly<Record<string, number>> = {}) =>
  (): Record<string, number> => ({ requestsPerSecond: SENT_SHARE * rates[rate], ...more });

/** Nobody sees anything. */
export const unseenBounds = { ...answeredBounds, failed: 0 } as const;

/** Every endpoint of every region is healthy to everybody. */
export const allHealthy = (stage: TrafficStage) => (health: readonly Seen[]) =>
  stage.regions.every((each) => region(each, true)(health));

/** Milliseconds between two looks at who is left out. */
const LOOK_MS = 1_000;

/** Looks for endpoints that outlier detection leaves out, which no log has. @returns what ends it and gives the most at once */
function ejections(stage: TrafficStage): () => Promise<number> {
  let ended = false;
  const most = (async () => {
    let found = 0;
    do {
      found = Math.max(found, (await stage.health()).filter(({ ejected }) => ejected).length);
      await pause(LOOK_MS);
    } while (!ended);
    return found;
  })();
  most.catch(() => undefined);
  return () => {
    ended = true;
    return most;
  };
}

/** Rows whose fault users are not to notice: who served them goes on, and nobody is left out. */
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
    bounds: { ...unseenBounds, failovers: 0, ejected: 0 },
    inject: async (stage) => {
      await until(stage, "all healthy", allHealthy(stage), patience.healthySeconds);
      const since = Date.now();
      let found: Findings;
      let recovered: string;
      let moved: Record<string, number>;
      let shown: Record<string, number> | undefined;
      let seconds = Number.NaN;
      try {
        const run = act.run(stage);
        let ejected: (() => Promise<number>) | undefined;
        const inject = () => {
          ejected = ejections(stage);
          return run.inject();
        };
        found = await underLoad(stage, { ...run, inject }).finally(() => ejected?.().catch(() => undefined));
        onlyBy(found, [run.from ?? stage.regions[0]]);
        // What is not in the log yet would be missed.
        await pause(patience.logMs);
        moved = { failovers: (await unhealthySince(stage, since)).length, ejected: (await ejected?.()) ?? Number.NaN };
        shown = await act.shows?.(stage);
        seconds = (Date.now() - found.injectedAt) / 1000;
      } finally {
        recovered = await act.mend(stage);
      }
      return outcome(stage, found, stage.regions, {
        signal: act.signal?.(seconds) ?? silence,
        recovered,
        more: { ...moved, ...shown },
      });
    },
  };
}

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

/** @throws when somebody else answered */
export function onlyBy({ answeredBy }: Findings, allowed: readonly string[]): void {
  if (answeredBy.length === 0 || answeredBy.some((each) => !allowed.includes(each)))
    throw new Error(
      `after the detection ${answeredBy.join(", ") || "nobody"} answered; allowed: ${allowed.join(", ")}`,
    );
}
