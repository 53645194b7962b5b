/** What a deep verification has found so far and the time that it has, so that a time-out leaves evidence as any finding does. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Evidence } from "./evidence";

/** What a verification found. */
export type Found = Pick<Evidence, "problems" | "notes" | "server" | "objects" | "bytes" | "nodes">;

/** The time was over before something was done. It is a finding about the copy's verification, and ends it. */
export class TimeOver extends Error {}

/** A verification that goes on. */
export interface Verifying {
  found: Found;
  /** What it is at, for the one who reads that it was not done. */
  doing: string;
  /** Seconds left; never less than 0. */
  left(): number;
}

/** Seconds after the end of the time in which a wait that ends with it may still say what it saw last. */
const MOMENT_SECONDS = 15;

/**
 * Lets `work` find what it can within `seconds`. What takes longer is the last problem, behind what was found before it.
 * Nothing is asked to stop midway: it may wait for a server that is silent. What still goes on ends with the process.
 * @throws what `work` throws, a {@link TimeOver} excepted
 */
export async function findWithin(seconds: number, work: (verifying: Verifying) => Promise<void>): Promise<Found> {
  const until = Date.now() + seconds * 1000;
  const verifying: Verifying = {
    found: { problems: [], notes: [], server: "unknown", objects: 0, bytes: 0, nodes: [] },
    doing: "the copy's list is fetched",
    left: () => Math.max(0, (until - Date.now()) / 1000),
  };
  const timer = new AbortController();
  const over = sleep((seconds + MOMENT_SECONDS) * 1000, undefined, { signal: timer.signal }).then(() => {
    throw new TimeOver(`not done in ${seconds} s: ${verifying.doing}`);
  });
  try {
    await Promise.race([work(verifying), over]);
  } catch (error) {
    if (!(error instanceof TimeOver)) throw error;
    verifying.found.problems.push(error.message);
  } finally {
    timer.abort();
    over.catch(() => undefined);
  }
  return verifying.found;
}
