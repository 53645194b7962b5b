/** Takes the frames off a body that was sent in signed chunks. Source: "Signature calculations: multiple chunks". */
import { Transform, type TransformCallback } from "node:stream";
import { CloudError } from "../../../lib/types";

/** A chunk's first line with its signature is no longer than this. */
const LINE_BYTES = 4096;
/** Every chunk but the last one has as many bytes. Source: the same. */
const LEAST_BYTES = 8192;

/**
 * The content of an `aws-chunked` body; it fails with a {@link CloudError} where S3 refuses it. Signatures of single chunks are
 * not checked: the headers' signature says who sends, and what is sent over loopback arrives as it was.
 */
export class ChunkedBody extends Transform {
  private kept: Buffer = Buffer.alloc(0);
  /** Bytes of the current chunk that are still to come; undefined: a chunk's first line comes next. */
  private left: number | undefined;
  private ended = false;
  /** A chunk has been that only the last may be. */
  private small = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.kept = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]);
    try {
      while (this.step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.ended ? null : new Error("the body ends within a chunk"));
  }

  /** Takes what can be taken; false when more has to come. */
  private step(): boolean {
    if (this.ended) {
      this.kept = Buffer.alloc(0); // trailers
      return false;
    }
    if (this.left === undefined) return this.firstLine();
    if (this.left > 0) {
      const part = this.kept.subarray(0, this.left);
      if (part.length === 0) return false;
      this.push(part);
      this.kept = this.kept.subarray(part.length);
      this.left -= part.length;
      return true;
    }
    if (this.kept.length < 2) return false;
    this.kept = this.kept.subarray(2);
    this.left = undefined;
    return true;
  }

  private firstLine(): boolean {
    const end = this.kept.indexOf("\r\n");
    if (end < 0) {
      if (this.kept.length > LINE_BYTES) throw new Error("the body is not in chunks");
      return false;
    }
    const size = Number.parseInt(this.kept.subarray(0, end).toString("latin1").split(";")[0] ?? "", 16);
    if (Number.isNaN(size)) throw new Error("a chunk has no size");
    this.kept = this.kept.subarray(end + 2);
    if (size > 0 && this.small)
      throw new CloudError(
        403,
        "InvalidChunkSizeError",
        `only the last chunk is allowed to have a size less than ${LEAST_BYTES} bytes`,
      );
    this.small = size < LEAST_BYTES;
    if (size === 0) this.ended = true;
    else this.left = size;
    return true;
  }
}
