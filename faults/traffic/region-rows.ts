/** The rows that need a site of regions and nothing else. Bounds are the plan's; the disaster is D1 unless said otherwise. */
import { detectionSeconds, failoverSeconds } from "../../plan/traffic";
import type { Fault, Signal } from "../fault";
import { type Findings, findings, patience, together } from "./findings";
import { type LostWhileOff, lagSeconds, lostWhileOff } from "./lag";
import { ledgerOf, loadOn } from "./ledger";
import type { Load } from "./load";
import {
  apiRefused,
  failoverBounds,
  heard,
  onlyBy,
  outcome,
  RETURN_SECONDS,
  rates,
  refusals,
  SENT_SHARE,
  sent,
  silence,
  silenceApi,
  unnoticed,
  unseenBounds,
} from "./rows";
import { assets, mended, pause, region, underLoad, until } from "./run";
import type { TrafficStage } from "./stage";

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
    await until(stage, `${lost} healthy`, region(lost, true), patience.healthySeconds);
    let lag = Number.NaN;
    let seconds = Number.NaN;
    const { found, signal, away } = await mended(
      async () => {
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
        const signal = await heard(stage, found.injectedAt, lost);
        return { found, signal, away: await lostWhileOff(stage, lost, others, ledgerOf(stage), lag) };
      },
      async () => {
        await strike(back);
        seconds = await until(stage, `${lost} healthy again`, region(lost, true), RETURN_SECONDS);
      },
    );
    return outcome(stage, found, stage.regions, {
      signal,
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
    let seconds = Number.NaN;
    const returns = async () => {
      await strike("on");
      seconds = await until(stage, `${back} healthy again`, region(back, true), RETURN_SECONDS);
    };
    const found = await mended(
      async () => {
        await strike("off");
        await until(stage, `${back} unhealthy`, region(back, false), 3 * failoverSeconds);
        return underLoad(stage, { rate: rates.others, inject: returns, afterSeconds: 10 });
      },
      async () => {
        if (Number.isNaN(seconds)) await returns();
      },
    );
    if (!found.answeredBy.includes(back)) throw new Error(`${back} is back, and its users went to ${found.answeredBy}`);
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `it served ${seconds.toFixed(0)} s after its power was back`,
      more: { returnSeconds: seconds },
      withinMs: 120_000,
    });
  },
};

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
    let signal: Signal;
    try {
      // Users near either side: those of the region that is cut off are served by it as before.
      const rate = rates.others / 2;
      const beside = { rate, from: apart, assets: await assets(stage) };
      let near: Load | undefined;
      const far = await underLoad(stage, {
        rate,
        from: other,
        before: async () => {
          near = loadOn(stage, beside);
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
      signal = await heard(stage, found.injectedAt, apart, other);
    } finally {
      await strike("joined");
    }
    await until(stage, `${apart} healthy again`, region(apart, true), 60);
    return outcome(stage, found, stage.regions, { signal, recovered: "the way is open again" });
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
