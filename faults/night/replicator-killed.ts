/** A copy is killed, started again, and ends as one that was not. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { events } from "../../plan/events";
import { markerPath } from "../../plan/layout";
import type { Fault } from "../fault";
import { assertRestores, COPIES, type CopiesStage, markers, replicate, reset, succeeded } from "./copies-stage";

/** Where a run is killed: at its n-th copy between the buckets, or at its n-th upload: a list of each repository, then the marker. */
type Point = number | { upload: number };

/** The last ones of the copies are past the end. */
const POINTS: readonly Point[] = [1, 5, 10, 15, 20, 25, 30, 35, 40, 45, { upload: 1 }, { upload: 2 }, { upload: 3 }];

/** Kills a run at a point. @returns did it come that far? */
async function kill(stage: CopiesStage, point: Point): Promise<boolean> {
  const { storage } = stage;
  const first = await replicate(stage);
  let killed = false;
  const strike = () => {
    killed = true;
    first.child.kill("SIGKILL");
  };
  if (typeof point === "number") {
    storage.onCopy = ({ count }) => {
      if (count === point) strike();
    };
  } else {
    storage.onUpload = (count) => {
      if (count === point.upload) strike();
      // A pod's rclone dies with it; here it lives on and would write after all.
      return killed ? "refuse" : undefined;
    };
  }
  await first.done;
  if (storage.onUpload !== undefined) await sleep(ORPHAN_MS);
  storage.onCopy = undefined;
  storage.onUpload = undefined;
  return killed;
}

/** An rclone without its job gives up within this time. */
const ORPHAN_MS = 2000;

/**
 * Kills a run at a point and runs it again, and once more.
 * @returns copies that the second run made less than a whole one would have
 */
async function killedAt(stage: CopiesStage, point: Point): Promise<{ killed: boolean; spared: number }> {
  await reset(stage);
  const { storage } = stage;
  const killed = await kill(stage, point);
  assert.ok(killed || typeof point === "number", `no such upload: ${JSON.stringify(point)}`);
  if (killed) assert.deepEqual(await markers(stage), [], "a copy that was killed has no marker");
  const made = storage.copies;
  const { marker } = await succeeded(replicate(stage));
  const again = storage.copies - made;
  assert.equal((await succeeded(replicate(stage))).copied, 0, "a third run has nothing to do");
  assert.deepEqual(await markers(stage), [markerPath("prod", String(marker))]);
  await assertRestores(stage, String(marker));
  const lists = (await storage.names(COPIES)).filter((name) => name.startsWith("listings/"));
  assert.ok(lists.length >= 2);
  return { killed, spared: Object.keys(stage.objects).length - again };
}

const row = (id: string, points: readonly Point[], more: { small?: true }): Fault<CopiesStage> => ({
  id,
  fault: `the copy is killed at ${points.length} points, and once more as often it is started again`,
  rows: ["S2", "D2"],
  mayLoseSeconds: 0,
  ...more,
  async inject(stage) {
    const ends = [];
    for (const point of points) ends.push(await killedAt(stage, point));
    assert.ok(ends.filter(({ killed }) => killed).length >= points.length - 2, "most points are within the copy");
    return {
      noticed: "Kubernetes starts the job again; no marker names what was cut off",
      signal: { kind: "log", command: "replicate", line: { event: events.jobSucceeded } },
      recovered: `each time the next run ended with a copy that restores whole; it spared up to ${Math.max(...ends.map(({ spared }) => spared))} objects that were there`,
      lostSeconds: 0,
    };
  },
});

export const replicatorKilled = row("replicator-killed", POINTS, {});
export const replicatorKilledTwice = row("replicator-killed-twice", [10, 30], { small: true });
