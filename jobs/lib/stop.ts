/**
 * What a job still does when it is told to end: a deadline that has passed, a machine that goes away. Kubernetes waits half a
 * minute before it kills.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Seconds that the last act may take. */
const LAST_SECONDS = 20;

let act: (() => Promise<void>) | undefined;
let stopping = false;

/** Sets what is done before the process ends on a signal. It has to be right at any moment. */
export function lastAct(work: () => Promise<void>): void {
  act = work;
}

/** Has a signal come? The exit is the signal's then, not the job's. */
export const isStopping = (): boolean => stopping;

/** Does what was set, as far as time allows; on the first signal alone, see {@link isStopping}. Never rejects; `tell` hears of what went wrong. */
export async function stop(tell: (error: Error) => void): Promise<void> {
  stopping = true;
  const work = act?.().catch((error: Error) => tell(error));
  await Promise.race([work, sleep(LAST_SECONDS * 1000)]);
}
