/** Traffic that people move: the commands of docs/runbooks/d1.md under load. Nobody is refused. */
import { namespaces } from "../../plan/names";
import { capacityShare, requests } from "../../plan/traffic";
import type { Fault } from "../fault";
import { front, handsOf } from "./cluster-rows";
import type { Load } from "./load";
import { outcome, rates, sent, silence, unseenBounds } from "./rows";
import { type Findings, pause, underLoad } from "./run";
import type { SiteStage } from "./site";

/** Until the load balancer has followed: it looks at the rates of some seconds. */
const FOLLOWS_MS = 8_000;
/** Answers of so long are counted. */
const COUNTED_MS = 10_000;
/** Part of the load, in percent, that is above what the region takes. */
const ABOVE = 50;
/** Least of it that is to be seen elsewhere: shares go in steps, and a rate is never quite even. */
const MOVED = 35;

/** How many of 100 answers a region gives, once the load balancer has followed. */
async function answersOf(load: Pick<Load, "answers">, region: string): Promise<number> {
  await pause(FOLLOWS_MS);
  const since = Date.now();
  await pause(COUNTED_MS);
  const answers = load.answers.filter(({ at, region: by }) => at >= since && by !== undefined);
  return (100 * answers.filter(({ region: by }) => by === region).length) / answers.length;
}

/** Moves traffic under load and takes it back, whatever becomes of the row. */
async function movedUnderLoad(
  stage: SiteStage,
  steps: {
    move(): Promise<void>;
    moved(load: Load): Promise<void>;
    takeBack(): Promise<void>;
    back(load: Load): Promise<void>;
  },
): Promise<Findings> {
  let load: Load | undefined;
  let away = false;
  try {
    return await underLoad(stage, {
      rate: rates.others,
      before: async (begun) => {
        load = begun;
      },
      inject: async () => {
        away = true;
        await steps.move();
        await steps.moved(load!);
        await steps.takeBack();
        away = false;
        await steps.back(load!);
      },
      afterSeconds: 1,
    });
  } finally {
    if (away) await steps.takeBack();
  }
}

/**
 * The share at which a region takes half of the load. At 200 requests per second and two pods it is the runbook's 0.5; a load
 * below the region's capacity would not move.
 */
async function halvingShare(stage: SiteStage): Promise<number> {
  const pods = await handsOf(stage.outputs[0]!).pods(namespaces.services, front);
  const share = (rates.others * (1 - ABOVE / 100)) / (pods.length * requests.maxRatePerPod);
  if (share < capacityShare.min)
    throw new Error(
      `${rates.others} requests/s are too few to move with ${pods.length} pods: half of them are a share of ${share.toFixed(2)}; allowed: ${capacityShare.min} to ${capacityShare.max}. Use a greater --rate`,
    );
  return Math.min(capacityShare.max, share);
}

/** A region is given less of its capacity: what is above goes to the next-closest one, and back. */
export const shareMoved: Fault<SiteStage> = {
  id: "share-moved",
  fault: "a region is given a `share` of half the load by `pulumi up`, and all of it again",
  rows: ["D1"],
  mayLoseSeconds: 0,
  bounds: { ...unseenBounds, elsewhereAfterPercent: 0 },
  atLeast: sent("others", { elsewherePercent: MOVED, stayedPercent: MOVED }),
  inject: async (stage) => {
    const [region, other] = stage.regions;
    const share = await halvingShare(stage);
    const answers = { elsewherePercent: Number.NaN, stayedPercent: Number.NaN, elsewhereAfterPercent: Number.NaN };
    const found = await movedUnderLoad(stage, {
      move: () =>
        stage.redeploy({ regions: stage.declared.map((each) => (each.name === region ? { ...each, share } : each)) }),
      moved: async (load) => {
        answers.elsewherePercent = await answersOf(load, other);
        answers.stayedPercent = 100 - answers.elsewherePercent;
      },
      takeBack: () => stage.redeploy({}),
      back: async (load) => {
        answers.elsewhereAfterPercent = await answersOf(load, other);
      },
    });
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `with a share of ${share} ${other} gave ${answers.elsewherePercent.toFixed(0)} of 100 answers to the users of ${region}, and none when it had all of it again`,
      more: answers,
    });
  },
};

/** A region is drained in the cloud, where Pulumi does not see it, and taken back by an update that looks. */
export const drainedInTheCloud: Fault<SiteStage> = {
  id: "drained-by-hand",
  fault:
    "a region is drained by hand, the capacity scaler of each of its zones 0, and taken back by `pulumi up --refresh`",
  rows: ["D1"],
  mayLoseSeconds: 0,
  bounds: { ...unseenBounds, drainedPercent: 0 },
  atLeast: sent("others", { returnedPercent: 100 }),
  inject: async (stage) => {
    const [region, other] = stage.regions;
    const answers = { drainedPercent: Number.NaN, returnedPercent: Number.NaN };
    const { zones } = stage.declared.find(({ name }) => name === region)!;
    const found = await movedUnderLoad(stage, {
      move: () => stage.scaleCapacity(zones, 0),
      moved: async (load) => {
        answers.drainedPercent = await answersOf(load, region);
      },
      takeBack: () => stage.redeploy({}, { refresh: true }),
      back: async (load) => {
        answers.returnedPercent = await answersOf(load, region);
      },
    });
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `${other} answered alone while ${region} was drained, and ${region} its own users again after the update`,
      more: answers,
    });
  },
};
