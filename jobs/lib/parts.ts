/**
 * Objects that went to S3 in parts, because they are larger than S3 takes at once (5 GiB). Their checksum is S3's ETag, the MD5
 * of the parts' MD5s and how many there are, and not the MD5 of their content: ADR 40. Pure but for {@link checksumOfFile}.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** A checksum as lists hold it: an MD5, or the ETag of an object of parts. */
export const checksumPattern = /^[0-9a-f]{32}(-[1-9]\d*)?$/;

/** Is it the ETag of an object of parts? */
export function isOfParts(checksum: string): boolean {
  return /^[0-9a-f]{32}-[1-9]\d*$/.test(checksum);
}

/** Size of a part as Medusa's client has it, until there would be too many. */
const PART = 8 * 2 ** 20;
const MAX_PARTS = 10_000;

/** Bytes of each part but the last of an object that Medusa uploads: doubled until S3's 10,000 parts are enough. */
export function partBytes(size: number): number {
  let part = PART;
  while (Math.ceil(size / part) > MAX_PARTS) part *= 2;
  return part;
}

/** Bytes that are read at once: with 64 KiB, the default, more time goes into asking than into the checksum. */
const CHUNK = 2 ** 20;

/** Checksum of a local file in the manner of the expected one. */
export async function checksumOfFile(path: string, size: number, expected: string): Promise<string> {
  const chunks = createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
  if (isOfParts(expected)) return etagOfParts(chunks, partBytes(size));
  const hash = createHash("md5");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** ETag that S3 gives what is uploaded in parts of that size. */
export async function etagOfParts(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, part: number): Promise<string> {
  const whole = createHash("md5");
  let [parts, filled, current] = [0, 0, createHash("md5")];
  const end = () => {
    whole.update(current.digest());
    parts++;
    [filled, current] = [0, createHash("md5")];
  };
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const taken = chunk.subarray(from, from + part - filled);
      current.update(taken);
      filled += taken.length;
      from += taken.length;
      if (filled === part) end();
    }
  }
  if (filled > 0) end();
  return `${whole.digest("hex")}-${parts}`;
}
