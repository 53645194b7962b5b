/** The storage refuses, throttles, fails or is slow while the night's copy runs: what passes is waited out, what stays is told. */
import assert from "node:assert/strict";
import { events } from "../../plan/events";
import type { Fault, Outcome } from "../fault";
import { assertRestores, type CopiesStage, markers, replicate, reset, succeeded } from "./copies-stage";

/** Seconds in which a copy of so few objects has to be through, however the storage behaves for a while. */
const COPY_SECONDS = 120;

/** A copy that meets the trouble, ends well, and restores whole. */
async function waitedOut(
  stage: CopiesStage,
  trouble: CopiesStage["storage"]["trouble"],
  what: string,
): Promise<Outcome> {
  await reset(stage);
  const { storage } = stage;
  storage.trouble = trouble;
  const started = Date.now();
  const { marker } = await succeeded(replicate(stage));
  const seconds = (Date.now() - started) / 1000;
  const refusals = storage.refusals;
  storage.trouble = undefined;
  assert.equal((await markers(stage)).length, 1);
  const objects = await assertRestores(stage, String(marker));
  return {
    noticed: `${what}; the job asked again and ended after ${seconds.toFixed(0)} s`,
    signal: { kind: "log", command: "replicate", line: { event: events.jobSucceeded } },
    recovered: `one copy, ${objects} objects restored and compared`,
    lostSeconds: 0,
    figures: { seconds, refusals },
  };
}

const common = { rows: ["S2", "D2"], mayLoseSeconds: 0, bounds: { seconds: COPY_SECONDS } } as const;

/** Cloud Storage throttles whoever asks too much: one request in three is told to come again. */
export const storageThrottles: Fault<CopiesStage> = {
  ...common,
  id: "storage-429",
  fault: "the storage answers every third request with 429 while the copy runs",
  small: true,
  inject: (stage) =>
    waitedOut(
      stage,
      ({ count }) => (count % 3 === 0 ? { status: 429 } : undefined),
      "every third request was throttled",
    ),
};

/** An outage of seconds in the middle. */
export const storageFails: Fault<CopiesStage> = {
  ...common,
  id: "storage-503",
  fault: "the storage answers everything with 503 for 5 s in the middle of the copy",
  inject: (stage) => {
    let until: number | undefined;
    return waitedOut(
      stage,
      ({ count }) => {
        if (count === 20) until = Date.now() + 5_000;
        return until !== undefined && Date.now() < until ? { status: 503 } : undefined;
      },
      "nothing was answered for 5 s",
    );
  },
};

/** Every answer takes long. */
export const storageSlow: Fault<CopiesStage> = {
  ...common,
  id: "storage-slow",
  fault: "the storage takes 300 ms longer for each answer while the copy runs",
  inject: (stage) => waitedOut(stage, () => ({ delayMs: 300 }), "each answer took 300 ms more"),
};

/** A refusal does not pass by itself: the job says so at once, and leaves nothing that looks like a copy. */
export const storageForbids: Fault<CopiesStage> = {
  ...common,
  id: "storage-403",
  fault: "the storage refuses the copier with 403, from the middle of the copy on",
  alert: "vault-job-failed",
  small: true,
  async inject(stage) {
    await reset(stage);
    const { storage } = stage;
    storage.trouble = ({ count }) => (count > 20 ? { status: 403 } : undefined);
    const started = Date.now();
    const { code, lines } = await (await replicate(stage)).done;
    const seconds = (Date.now() - started) / 1000;
    const line = lines.at(-1)!;
    assert.notEqual(code, 0, "the copy ended well without the right to make it");
    storage.trouble = undefined;
    assert.deepEqual(await markers(stage), [], "what was cut off has no marker");
    const { marker } = await succeeded(replicate(stage));
    const objects = await assertRestores(stage, String(marker));
    return {
      noticed: `the job failed after ${seconds.toFixed(0)} s: ${/Error 403: [^\\n"]*/.exec(JSON.stringify(line))?.[0]}`,
      signal: { kind: "log", command: "replicate", line },
      recovered: `no marker was written; with the right back the next run copied everything, ${objects} objects restored and compared`,
      lostSeconds: 0,
      figures: { seconds },
    };
  },
};
