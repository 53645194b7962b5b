/** Log lines of the daemon: time, part, message; one line each, to standard output (the daemon's log file). */
export type Log = (message: string) => void;

/** A logger whose lines carry the name of a part, e.g. `cluster prod-emea`. */
export function logger(part: string): Log {
  return (message) => console.log(`${new Date().toISOString()} ${part}: ${message}`);
}
