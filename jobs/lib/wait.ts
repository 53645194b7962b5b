import { setTimeout as sleep } from "node:timers/promises";

/** Limits of {@link waitFor}. */
export interface WaitOptions<T> {
  timeoutSeconds: number;
  pollSeconds: number;
  /** Error when the time is over; it is given the last thing seen. */
  onTimeout(last: T | undefined): Error;
}

/**
 * Calls `look` until it returns `{ done }`; `{ seen }` means not yet. What `look` throws ends the waiting.
 * The first look is immediate, the last one at the deadline.
 */
export async function waitFor<T, S>(
  look: () => Promise<{ done: T } | { seen: S }>,
  options: WaitOptions<S>,
): Promise<T> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    const result = await look();
    if ("done" in result) {
      return result.done;
    }
    const left = deadline - Date.now();
    if (left <= 0) {
      throw options.onTimeout(result.seen);
    }
    await sleep(Math.min(options.pollSeconds * 1000, left));
  }
}
