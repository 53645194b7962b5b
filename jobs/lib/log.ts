/**
 * What a job says: one JSON object a line on standard output, a summary last. Cloud Logging takes `time`, `severity` and
 * `message` as the entry's own; alerts listen to `event`.
 */
import { existsSync, writeFileSync } from "node:fs";
import { events } from "../../plan/events";

/** Values a line may carry. */
export type Fields = Record<string, unknown>;

/** Prints one step. `time` and `step` come first so that lines sort and read well. A `severity` among the fields wins. */
export function log(step: string, fields: Fields = {}): void {
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), step, severity: "INFO", message: step, ...fields })}\n`,
  );
}

/** Prints the summary line that ends every run. */
export function summary(command: string, result: "ok" | "failed", startedAt: number, fields: Fields = {}): void {
  const seconds = Math.round((Date.now() - startedAt) / 100) / 10;
  const failed = result === "failed";
  const line = {
    result,
    command,
    seconds,
    time: new Date().toISOString(),
    severity: failed ? "ERROR" : "INFO",
    message: `${command} ${failed ? `failed: ${fields.error ?? "no reason given"}` : "succeeded"}`,
    event: failed ? events.jobFailed : events.jobSucceeded,
  };
  const text = JSON.stringify({ ...line, ...fields });
  process.stdout.write(`${text}\n`);
  leaveBehind(text);
}

/** Where Kubernetes takes a container's last words from, for the pod's status; it keeps 4,096 bytes. */
const LAST_WORDS = { path: "/dev/termination-log", bytes: 4096 } as const;

/** Makes the summary part of the pod's status, where it outlives the log. A document that was cut would be none. */
function leaveBehind(text: string): void {
  if (Buffer.byteLength(text) > LAST_WORDS.bytes || !existsSync(LAST_WORDS.path)) return;
  try {
    writeFileSync(LAST_WORDS.path, text);
  } catch {
    // The log has it.
  }
}

/**
 * A failure with everything a person needs at night: `what` went wrong, the `value` found, what is `allowed` or was
 * expected, and the `fix`.
 */
export class JobError extends Error {
  constructor(
    readonly what: string,
    /** `final`: another attempt would only meet it again, so none is made. */
    readonly details: { value?: unknown; allowed?: unknown; fix?: string; final?: true } = {},
  ) {
    super(what);
    this.name = "JobError";
  }
}

/** At most `limit` items of a list for a message, the number of the rest behind them. */
export function some(items: readonly string[], limit = 10): string[] {
  return items.length <= limit ? [...items] : [...items.slice(0, limit), `and ${items.length - limit} more`];
}
