/** How far another region is behind what a region has acknowledged, and what that costs while the region is away. */
import type { Findings } from "./findings";
import { type Load, succeeded } from "./load";
import { missing, pause } from "./run";
import type { TrafficStage } from "./stage";

/** Writes that are followed. */
const SAMPLES = 5;
/** Until all of them arrived. */
const WITHIN_SECONDS = 30;
const LOOK_MS = 10;
/** How much later than they are things are seen here: on a busy machine an answer, a look and a query wait for their turn. */
const RESOLUTION_SECONDS = 1;
/** How long the other regions are asked: a query may fail while connections to the lost one end. */
const ASK_MS = 10_000;

/**
 * The longest time, of a few writes under load, from the acknowledgement until all of the regions have it. It is seen by
 * looking, so it is never too short.
 * @throws when a write does not arrive in time
 */
export async function lagSeconds(
  stage: Pick<TrafficStage, "held">,
  regions: readonly string[],
  { answers }: Pick<Load, "answers">,
): Promise<number> {
  const deadline = Date.now() + WITHIN_SECONDS * 1000;
  let longest = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const since = Date.now();
    for (let arrived = false; !arrived; await pause(LOOK_MS)) {
      if (Date.now() > deadline)
        throw new Error(`${sample} of ${SAMPLES} writes were in ${regions.join(" and ")} after ${WITHIN_SECONDS} s`);
      const write = answers.find((each) => each.writes && succeeded(each) && each.at + each.ms >= since);
      if (!write?.writes) continue;
      const id = write.writes;
      const held = await Promise.all(regions.map((region) => stage.held(region, [id])));
      arrived = held.every((each) => each.has(id));
      if (arrived) longest = Math.max(longest, (Date.now() - (write.at + write.ms)) / 1000);
    }
  }
  return longest;
}

/** What a region that is away took with it, held against the lag. */
export interface LostWhileOff {
  /** Of how many seconds, before its last acknowledgement, it has writes that no other region has; 0: of none. */
  lostWhileOffSeconds: number;
  lagSeconds: number;
  /** By how much that is more than the lag and what looking adds to it. */
  lostBeyondLagSeconds: number;
}

/** Looks for acknowledged writes in the regions that are left. A write that one of them acknowledged and lacks is beyond any lag. */
export async function lostWhileOff(
  stage: Pick<TrafficStage, "held">,
  lost: string,
  others: readonly string[],
  { acknowledged }: Pick<Findings, "acknowledged">,
  lag: number,
): Promise<LostWhileOff> {
  const gone = await missing(stage, others, acknowledged, ASK_MS);
  const last = Math.max(...acknowledged.filter(({ by }) => by === lost).map(({ answeredAt }) => answeredAt));
  const oldest = Math.min(...gone.map(({ answeredAt }) => answeredAt));
  const own = gone.every(({ by }) => by === lost);
  const seconds = gone.length === 0 ? 0 : own ? (last - oldest) / 1000 : Number.POSITIVE_INFINITY;
  return {
    lostWhileOffSeconds: seconds,
    lagSeconds: lag,
    lostBeyondLagSeconds: Math.max(0, seconds - lag - RESOLUTION_SECONDS),
  };
}
