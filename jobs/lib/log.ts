/**
 * What a job says: one JSON object a line on standard output, a summary last. Cloud Logging takes `time`, `severity` and
 * `message` as the entry's own; alerts listen to `event`.
 */
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
  process.stdout.write(`${JSON.stringify({ ...line, ...fields })}\n`);
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
