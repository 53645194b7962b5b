/**
 * Listings as ordered streams. Whatever two buckets hold, comparing them takes some pages of each in memory: names come in
 * the order of their UTF-8 bytes, which is the storage's.
 */
import { JobError } from "./log";
import { output, remote, type StoredFile } from "./rclone";

/** An object in a listing. `name` is rclone's: some characters are written differently, see {@link rawName}. */
export interface ListedObject extends StoredFile {
  /** Its name in the storage, by which listings are ordered. */
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
 * Every object of a bucket in order, or of one folder of it (`folder` with a slash at its end; names are then relative to
 * it). Placeholders of folders (names that end in a slash) are left out; an absent folder is empty.
 * @throws StorageError when the listing fails, after the objects listed until then; JobError when it is out of order
 */
export async function* listOrdered(bucket: string, folder = ""): AsyncGenerator<ListedObject> {
  yield* ordered(`gs://${bucket}/${folder}`, objects(bucket, folder));
}

/**
 * Every object in some folders, in order.
 * @param base folder (with a slash at its end, or empty) that names are relative to
 * @param folders relative to `base`, each with a slash at its end, none inside another
 */
export async function* listFolders(
  bucket: string,
  base: string,
  folders: readonly string[],
): AsyncGenerator<ListedObject> {
  for (const folder of [...folders].sort(byBytes)) {
    for await (const object of listOrdered(bucket, base + folder)) {
      yield { ...object, name: folder + object.name, key: folder + object.key };
    }
  }
}

async function* objects(bucket: string, folder: string): AsyncGenerator<ListedObject> {
  const place = remote({ bucket, prefix: folder.replace(/\/$/, "") });
  for await (const line of output(["lsjson", place, ...LISTING])) {
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

/**
 * Passes a stream on as long as it ascends. A listing out of order would make objects look removed that are there: it is an
 * error, never a finding.
 * @param where what is listed, for the message
 */
export async function* ordered<T extends { key: string }>(where: string, listing: AsyncIterable<T>): AsyncGenerator<T> {
  let last: T | undefined;
  for await (const object of listing) {
    if (last !== undefined && byBytes(last.key, object.key) >= 0) {
      throw new JobError(`the listing of ${where} is out of order`, {
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
  if (!/[‛．\u2400-\u241f\u2421]/u.test(name)) return name;
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
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (one === other) continue;
    // Up to here both orders are one; beyond, surrogates stand for characters that come last.
    return one < 0xd800 && other < 0xd800 ? one - other : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}

/**
 * Ordered streams as one: for each name what every stream has under it, at the stream's place. Holds one object of each.
 * Ends only when all have ended well.
 */
export async function* zip<T extends { key: string }>(
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<(T | undefined)[]> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const take = async (iterator: AsyncIterator<T>): Promise<T | undefined> => {
    const result = await iterator.next();
    return result.done ? undefined : result.value;
  };
  try {
    const heads: (T | undefined)[] = await Promise.all(iterators.map(take));
    for (;;) {
      let key: string | undefined;
      for (const head of heads) {
        if (head !== undefined && (key === undefined || byBytes(head.key, key) < 0)) key = head.key;
      }
      if (key === undefined) return;
      const here = heads.map((head) => (head?.key === key ? head : undefined));
      yield here;
      for (const [index, head] of here.entries()) {
        if (head !== undefined) heads[index] = await take(iterators[index]!);
      }
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}

/** Two ordered listings as one, a pair a name: {@link zip}. */
export async function* merge<T extends { key: string }>(
  source: AsyncIterable<T>,
  secondary: AsyncIterable<T>,
): AsyncGenerator<Pair<T>> {
  for await (const [a, b] of zip([source, secondary])) {
    yield { ...(a && { source: a }), ...(b && { secondary: b }) };
  }
}

/** Collects items and hands them on, `size` at a time. */
export function batches<T>(size: number, act: (items: readonly T[]) => Promise<void>) {
  let items: T[] = [];
  const end = async () => {
    const full = items;
    items = [];
    if (full.length > 0) await act(full);
  };
  return {
    add: async (item: T) => {
      items.push(item);
      if (items.length >= size) await end();
    },
    end,
  };
}

/** The first `limit` of many findings, for a message that also says how many there were. */
export class Findings {
  count = 0;
  private readonly first: string[] = [];

  constructor(private readonly limit = 10) {}

  add(finding: string): void {
    if (this.count++ < this.limit) this.first.push(finding);
  }

  /** Like `some` of log.ts. */
  shown(): string[] {
    return this.count <= this.limit ? this.first : [...this.first, `and ${this.count - this.limit} more`];
  }
}
