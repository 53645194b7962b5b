/** Media buckets as replication sees them: what two listings differ in, and how the secondary is changed. */
import type { ListedObject } from "./listing";
import { remote, run } from "./rclone";

/** An object of a media bucket. */
export type MediaObject = ListedObject;

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
