/**
 * When an asset was changed, as every store orders it: milliseconds since 1970 of a hybrid logical clock (ADR 39). A change is later than
 * whatever its region has of the asset, whichever clock that came from; one that is too far ahead is refused and not followed.
 */
import { events } from "../../plan/events";
import { limits } from "../../plan/limits";
import { log } from "./log";

/**
 * Header by which the front gives the API the stamp of a write. It makes one for all attempts: an attempt that comes late must not be newer
 * than what was acknowledged meanwhile. The API's network policy lets nobody but the front in, and the front hands on no header of a client.
 */
export const stampHeader = "x-changed-at";

/** An asset as a region has it. */
export interface Stored {
  title: string;
  /** Of its last change. */
  stamp: number;
}

/** Columns that {@link storedOf} reads. */
export const STORED = "title, changed, writetime(title) AS written";

/** An asset of a row with {@link STORED}. A row of an older release was written a little after `changed`. */
export function storedOf(row: { title: string; changed: Date; written: unknown }): Stored {
  return { title: row.title, stamp: Math.max(row.changed.getTime(), Math.ceil(Number(row.written) / 1000)) };
}

/** What of a write is to be made durable. */
export type Stamped =
  | { stamp: number }
  /** The asset has this change or a later one. Nothing is to be written. */
  | { newest: number }
  /** Somebody's clock is wrong. */
  | { refused: string };

/**
 * The stamp of a write.
 * @param given by the front; it is kept, or a repetition would pass what has been acknowledged since
 */
export function stampOf(id: string, title: string, stored: Stored | undefined, given: number | undefined): Stamped {
  const now = Date.now();
  const aheadMs = Math.max(stored?.stamp ?? 0, given ?? 0) - now;
  tellAhead(aheadMs, { asset: id });
  if (aheadMs > limits.clockRefusedSeconds * 1000)
    return {
      refused: `asset ${id} was not written: its last change, or this one, has the time ${new Date(now + aheadMs).toISOString()}, ${Math.ceil(aheadMs / 1000)} s ahead of this clock; allowed are ${limits.clockRefusedSeconds} s; set the clocks of the regions right, then write again`,
    };
  if (given === undefined) return { stamp: Math.max(now, (stored?.stamp ?? 0) + 1) };
  const same = stored?.stamp === given && stored.title === title;
  return stored && stored.stamp >= given && !same ? { newest: stored.stamp } : { stamp: given };
}

/** Says so in the log when a change is further ahead of this clock than clocks are apart; the alert `clock-ahead` listens. */
export function tellAhead(aheadMs: number, what: object): void {
  if (aheadMs > limits.clockAheadSeconds * 1000)
    log({ severity: "WARNING", event: events.clockAhead, aheadMs: Math.round(aheadMs), ...what });
}
