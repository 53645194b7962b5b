/** The object's name in the beginning of an upload's body. */
import type { IncomingMessage } from "node:http";

/** More than any metadata that clients send. */
const HEAD_BYTES = 64 * 1024;

/** Reads up to the first 64 KiB of a body and leaves the rest in the stream. */
export async function bodyHead(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < HEAD_BYTES) {
    const chunk = request.read() as Buffer | null;
    if (chunk) {
      chunks.push(chunk);
      size += chunk.length;
      continue;
    }
    if (request.readableEnded || request.complete) {
      const rest = request.read() as Buffer | null;
      if (!rest) break;
      chunks.push(rest);
      size += rest.length;
      continue;
    }
    if (hasMetadata(Buffer.concat(chunks), request.headers["content-type"] ?? "")) break;
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ["readable", "end", "close"]) request.off(event, done);
        resolve();
      };
      for (const event of ["readable", "end", "close"]) request.once(event, done);
    });
  }
  return Buffer.concat(chunks);
}

/** Name of the object from JSON metadata: the whole body of a resumable start, the first part of a multipart upload. */
export function uploadName(head: Buffer, contentType: string): string | undefined {
  const text = head.toString("utf8");
  const json = contentType.startsWith("multipart/") ? firstPart(text, contentType) : text;
  try {
    return (JSON.parse(json ?? "") as { name?: string }).name;
  } catch {
    return undefined;
  }
}

const hasMetadata = (head: Buffer, contentType: string): boolean => uploadName(head, contentType) !== undefined;

function firstPart(text: string, contentType: string): string | undefined {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) return undefined;
  const [, part] = text.split(`--${boundary}`);
  const start = part?.search(/\r?\n\r?\n/) ?? -1;
  // Complete only when the next boundary has been seen.
  if (part === undefined || start < 0 || text.split(`--${boundary}`).length < 3) return undefined;
  return part.slice(start).trim();
}
