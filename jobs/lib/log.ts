/** What a job says: one JSON object a line on standard output, a summary last. */

/** Values a line may carry. */
export type Fields = Record<string, unknown>;

/** Prints one step. `time` and `step` come first so that lines sort and read well. */
export function log(step: string, fields: Fields = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), step, ...fields })}\n`);
}

/** Prints the summary line that ends every run. */
export function summary(command: string, result: "ok" | "failed", startedAt: number, fields: Fields = {}): void {
  const seconds = Math.round((Date.now() - startedAt) / 100) / 10;
  process.stdout.write(`${JSON.stringify({ result, command, seconds, ...fields })}\n`);
}

/**
 * A failure with everything a person needs at night: `what` went wrong, the `value` found, what is `allowed` or was
 * expected, and the `fix`.
 */
export class JobError extends Error {
  constructor(
    readonly what: string,
    readonly details: { value?: unknown; allowed?: unknown; fix?: string } = {},
  ) {
    super(what);
    this.name = "JobError";
  }
}

/** At most `limit` items of a list for a message, the number of the rest behind them. */
export function some(items: readonly string[], limit = 10): string[] {
  return items.length <= limit ? [...items] : [...items.slice(0, limit), `and ${items.length - limit} more`];
}
