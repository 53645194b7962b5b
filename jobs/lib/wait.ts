import { setTimeout as sleep } from "node:timers/promises";

/** Limits of {@link waitFor}. */
export interface WaitOptions<T> {
  timeoutSeconds: number;
  pollSeconds: number;
  /** Error when the time is over; it is given the last thing seen. Not needed by a look that is done at the latest then. */
  onTimeout?(last: T | undefined): Error;
}

/**
 * Calls `look` with the milliseconds left until it returns `{ done }`; `{ seen }` means not yet. What `look` throws ends the
 * waiting. The first look is immediate, the last one at the deadline, when nothing is left.
 */
export async function waitFor<T, S>(
  look: (left: number) => Promise<{ done: T } | { seen: S }>,
  options: WaitOptions<S>,
): Promise<T> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  for (;;) {
    const left = deadline - Date.now();
    const result = await look(left);
    if ("done" in result) {
      return result.done;
    }
    if (left <= 0) {
      throw options.onTimeout?.(result.seen) ?? new Error(`not done after ${options.timeoutSeconds} s`);
    }
    await sleep(Math.max(0, Math.min(options.pollSeconds * 1000, deadline - Date.now())));
  }
}
