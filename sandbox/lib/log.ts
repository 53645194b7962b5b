import { monitorEventLoopDelay } from "node:perf_hooks";

/** Log lines of the daemon: time, part, message; one line each, to standard output (the daemon's log file). */
export type Log = (message: string) => void;

/** Half of what a usual probe waits. */
const HELD_UP_MS = 500;

/** A logger whose lines carry the name of a part, e.g. `cluster prod-emea`. */
export function logger(part: string): Log {
  return (message) => console.log(`${new Date().toISOString()} ${part}: ${message}`);
}

/** Says when requests through this process waited: the daemon forwards those to Services and to load-balanced pods. */
export function watchDelay(log: Log): void {
  const delay = monitorEventLoopDelay({ resolution: 50 });
  delay.enable();
  setInterval(() => {
    const ms = delay.max / 1e6;
    if (ms > HELD_UP_MS) log(`was held up for ${Math.round(ms)} ms`);
    delay.reset();
  }, 5_000).unref();
}
