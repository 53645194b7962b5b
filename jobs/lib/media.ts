/** Media buckets as replication sees them: listings as ordered streams, and what two of them differ in. */
import { JobError } from "./log";
import { output, remote, run, type StoredFile } from "./rclone";

/** An object of a media bucket. `name` is rclone's: some characters are written differently, see {@link rawName}. */
export interface MediaObject extends StoredFile {
  /** Its name in the storage. */
  key: string;
  /** When it was last modified, in milliseconds since 1970. */
  modified: number;
}

/** What two listings say about one name. */
export interface Pair<T> {
  source?: T;
  secondary?: T;
}

/** rclone lists pages of the storage in the storage's order; files only, as folders are no objects. */
const LISTING = ["-R", "--files-only", "--fast-list", "--hash", "--hash-type", "md5", "--no-mimetype"];

/**
 * Every object of a bucket in the order of its name's UTF-8 bytes, which is the storage's. Placeholders of folders (names
 * that end in a slash) are left out.
 * @throws StorageError when the listing fails, after the objects listed until then; JobError when it is out of order
 */
export async function* listOrdered(bucket: string): AsyncGenerator<MediaObject> {
  yield* ordered(bucket, objects(bucket));
}

async function* objects(bucket: string): AsyncGenerator<MediaObject> {
  for await (const line of output(["lsjson", remote({ bucket, prefix: "" }), ...LISTING])) {
    if (!line.startsWith("{")) continue;
    const entry = JSON.parse(line.replace(/,$/, "")) as {
      Path: string;
      Size: number;
      ModTime: string;
      Hashes?: { md5?: string };
    };
    yield {
      name: entry.Path,
      key: rawName(entry.Path),
      size: entry.Size,
      md5: entry.Hashes?.md5 ?? "",
      modified: Date.parse(entry.ModTime),
    };
  }
}

/** A listing out of order would make objects look removed that are there: it is an error, never a finding. */
async function* ordered(bucket: string, listing: AsyncIterable<MediaObject>): AsyncGenerator<MediaObject> {
  let last: MediaObject | undefined;
  for await (const object of listing) {
    if (last !== undefined && byBytes(last.key, object.key) >= 0) {
      throw new JobError(`the listing of gs://${bucket} is out of order`, {
        value: [last.key, object.key],
        allowed: "names that ascend by their UTF-8 bytes",
        fix: "see rclone's version and the encoding of its names; nothing was removed",
      });
    }
    yield object;
    last = object;
  }
}

/**
 * The name in the storage behind rclone's: it writes control characters as pictures, dots that make up a path segment in
 * full width, and what looks like one of these with a quote in front.
 */
export function rawName(name: string): string {
  return name
    .split("/")
    .map((part) => {
      if (part === "．" || part === "．．") return part.replaceAll("．", ".");
      return part.replace(/‛(.)|([\u2400-\u241f\u2421])/gsu, (_, quoted?: string, picture?: string) => {
        if (quoted !== undefined) return quoted;
        return picture === "\u2421" ? "\u007f" : String.fromCharCode(picture!.charCodeAt(0) - 0x2400);
      });
    })
    .join("/");
}

/** Order of Cloud Storage's listings. It differs from JavaScript's beyond the Basic Multilingual Plane. */
export function byBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Two ordered listings as one, a pair a name; holds one object of each. Ends only when both have ended well. */
export async function* merge<T extends { key: string }>(
  source: AsyncIterable<T>,
  secondary: AsyncIterable<T>,
): AsyncGenerator<Pair<T>> {
  const [left, right] = [source[Symbol.asyncIterator](), secondary[Symbol.asyncIterator]()];
  try {
    let [a, b] = await Promise.all([left.next(), right.next()]);
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : byBytes(a.value.key, b.value.key);
      yield {
        ...(order <= 0 && { source: a.value as T }),
        ...(order >= 0 && { secondary: b.value as T }),
      };
      if (order <= 0) a = await left.next();
      if (order >= 0) b = await right.next();
    }
  } finally {
    await Promise.all([left.return?.(), right.return?.()]);
  }
}

/**
 * Does the source hold other content than the secondary? Objects that were composed of parts have no md5: then one that
 * was modified after it was copied is another.
 */
export function differs(source: MediaObject, secondary: MediaObject): boolean {
  if (source.size !== secondary.size) return true;
  if (source.md5 !== "" && secondary.md5 !== "") return source.md5 !== secondary.md5;
  return source.modified > secondary.modified;
}

/** rclone strips a leading slash from the names it is given: it would take another object. */
export function isReachable({ name }: MediaObject): boolean {
  return !name.startsWith("/");
}

/** Overwrites objects of the secondary with the source's, inside the storage. Names no longer at the source stay as they are. */
export async function replaceObjects(from: string, to: string, names: readonly string[], transfers: number) {
  await byName(["copy", bucketOf(from), bucketOf(to), "--ignore-times"], names, transfers);
}

/** Removes objects; in a versioned bucket they become noncurrent. */
export async function removeObjects(bucket: string, names: readonly string[], transfers: number) {
  await byName(["delete", bucketOf(bucket)], names, transfers);
}

async function byName(args: string[], names: readonly string[], transfers: number): Promise<void> {
  if (names.length === 0) return;
  const parallel = ["--transfers", String(transfers), "--checkers", String(transfers)];
  await run([...args, "--files-from-raw", "-", "--no-traverse", ...parallel], { input: `${names.join("\n")}\n` });
}

const bucketOf = (bucket: string): string => remote({ bucket, prefix: "" });
