/** What the media are kept in: Cloud Storage, S3, or a customer's own bucket of either. Objects go through as streams. */
import { PassThrough, type Readable } from "node:stream";

/** An object that is being read. */
export interface Found {
  stream: Readable;
  /** Its content type, as the storage has it. */
  type: string | undefined;
  bytes: number | undefined;
}

/** An object that is being written. */
export interface Content {
  stream: Readable;
  bytes: number;
  type: string;
}

/** A bucket's storage, as whoever it lets in. Everything ends when `gone` does: nobody waits for the answer any more. */
export interface Storage {
  /** Undefined when there is no such object. @throws StorageError */
  read(bucket: string, name: string, gone: AbortSignal): Promise<Found | undefined>;
  /** Writes the object, over one of the same name. @throws StorageError */
  write(bucket: string, name: string, content: Content, gone: AbortSignal): Promise<void>;
}

/** A bucket by the product's name. */
export interface Place {
  storage: Storage;
  /** Read first, and written. */
  live: string;
  /** Read when an object is not in `live`, by the same storage. */
  copies?: string | undefined;
}

/** The storage refused a request, or said nothing. Its message is for the log: users hear no names of buckets. */
export class StorageError extends Error {}

/** Silence of a storage in milliseconds after which it is given up. */
export const SILENT_MS = 15_000;

/** A time that is begun anew whenever something moves. */
export class Silence {
  private readonly over = new AbortController();
  private readonly timer = setTimeout(() => this.over.abort(), SILENT_MS);
  private readonly any: AbortSignal;

  constructor(gone: AbortSignal) {
    this.any = AbortSignal.any([gone, this.over.signal]);
  }

  /** Aborted when there was silence, or nobody waits any more. */
  get signal(): AbortSignal {
    return this.any;
  }

  /** Something has moved. */
  readonly moved = (): void => void this.timer.refresh();

  /** What the work comes to; it is not waited for once the signal is aborted, whatever it does with it. @throws StorageError */
  async of<T>(what: string, work: Promise<T>): Promise<T> {
    let silent: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      silent = () =>
        reject(new Error(this.over.signal.aborted ? `silent for ${SILENT_MS} ms` : "nobody waits any more"));
      if (this.any.aborted) silent();
      else this.any.addEventListener("abort", silent);
    });
    try {
      return await Promise.race([work, aborted]);
    } catch (error) {
      // What comes too late is nobody's business.
      work.catch(() => undefined);
      throw new StorageError(`${what}: ${reason(error)}`);
    } finally {
      this.any.removeEventListener("abort", silent!);
      clearTimeout(this.timer);
    }
  }
}

function reason(error: unknown): string {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  return `${name}: ${message}${$metadata?.httpStatusCode ? ` (${$metadata.httpStatusCode})` : ""}`;
}

/**
 * A body on its way to a storage. Whoever sends it is not cut off by what the storage's client does with the stream: what is left
 * is read and thrown away, so that an answer arrives; and a sender that goes ends the stream with an error.
 */
export function passing(body: Readable, moved: () => void): Readable {
  const taken = new PassThrough();
  const ended = () => taken.destroy(new Error("the sender has gone"));
  body.on("data", moved);
  body.once("aborted", ended);
  body.once("error", ended);
  taken.once("close", () => {
    body.off("data", moved);
    body.unpipe(taken);
    body.resume();
  });
  // Until somebody listens: a stream that ends with an error and without a listener ends the process.
  taken.on("error", () => undefined);
  return body.pipe(taken);
}
