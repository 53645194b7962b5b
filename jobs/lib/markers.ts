/** Markers: the signed documents in the vault that say which copies are complete. */
import { createHash } from "node:crypto";
import { events } from "../../plan/events";
import { markerOfPath, markerPath, markersPrefix, momentOf } from "../../plan/layout";
import { markerMaxBytes, markerType } from "../../plan/markers";
import { type Signer, seal, unseal } from "./envelope";
import { JobError, log, some } from "./log";
import { type Marker, markerSchema, parseDocument } from "./manifest";
import { listUnder, readObjects, writeObject } from "./rclone";

/** A marker that is not believed, and why. */
export interface Refusal {
  id: string;
  reason: string;
}

/** Contents of objects by their paths. */
export type Read = (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Markers read at once while the newest one that is believed is looked for. */
const STEP = 20;

/**
 * Opens a marker.
 * @param keys public keys that are trusted, in PEM
 * @throws JobError when it is not signed, is another site's or copy's, or is none that this version reads
 */
export function openMarker(text: string, site: string, id: string, keys: readonly string[]): Marker {
  const path = markerPath(site, id);
  let document: string;
  try {
    document = unseal(markerType, text, keys);
  } catch (error) {
    throw new JobError(`marker ${path} is refused: ${(error as Error).message}`, {
      allowed: "a marker that the vault's key has signed",
      fix: "find out who wrote it; a marker of before markers were signed counts no more, take another copy",
    });
  }
  const marker = parseDocument(markerSchema, document, path);
  if (marker.site === site && marker.id === id) return marker;
  throw new JobError(`marker ${path} is refused: it was signed for copy ${marker.id} of site "${marker.site}"`, {
    fix: "find out who put it there",
  });
}

/**
 * A site's marker by its id, or the newest one that is believed: a forged one neither passes for the latest nor keeps
 * anybody from the one before it.
 * @param wanted an id, or `latest`
 * @param paths every path below the site's prefix
 * @returns no marker when `latest` is wanted and there is none; and which newer ones were refused
 * @throws JobError when `wanted` does not exist or is refused
 */
export async function findMarker(
  site: string,
  wanted: string,
  paths: readonly string[],
  read: Read,
  keys: readonly string[],
): Promise<{ marker?: Marker; refused: Refusal[] }> {
  const ids = paths.flatMap((path) => markerOfPath(site, path) ?? []).filter((id) => /^copy-\d{8}t\d{6}z$/.test(id));
  const text = async (wantedIds: readonly string[]) => read(wantedIds.map((id) => markerPath(site, id)));
  if (wanted !== "latest") {
    if (!ids.includes(wanted)) throw noMarker(site, wanted, paths);
    const found = (await text([wanted])).get(markerPath(site, wanted)) ?? "";
    return { marker: openMarker(found, site, wanted, keys), refused: [] };
  }
  const refused: Refusal[] = [];
  const newestFirst = ids.sort().reverse();
  for (let from = 0, size = 1; from < newestFirst.length; from += size, size = STEP) {
    const some = newestFirst.slice(from, from + size);
    const texts = await text(some);
    for (const id of some) {
      try {
        return { marker: openMarker(texts.get(markerPath(site, id)) ?? "", site, id, keys), refused };
      } catch (error) {
        refused.push({ id, reason: (error as Error).message });
      }
    }
  }
  return { refused };
}

/** Is it the path of a marker whose copy began at or before a moment? */
export function isFrom(site: string, path: string, before: string): boolean {
  const marker = markerOfPath(site, path);
  try {
    return marker !== undefined && momentOf(marker).getTime() <= Date.parse(before);
  } catch {
    return false;
  }
}

/**
 * {@link findMarker} in a bucket; each refusal is logged as an event that an alert listens to.
 * @param before only copies that began at or before this moment
 * @returns undefined when `latest` is wanted and no marker is believed
 */
export async function readMarker(
  bucket: string,
  site: string,
  wanted: string,
  keys: readonly string[],
  before?: string,
): Promise<Marker | undefined> {
  const listing = await listUnder(bucket, markersPrefix(site));
  // What is too large is left out: it fails as what it is not, a marker.
  const read: Read = (paths) =>
    readObjects(
      bucket,
      paths.filter((path) => (listing.get(path)?.size ?? 0) <= markerMaxBytes),
    );
  const paths = [...listing.keys()].filter((path) => before === undefined || isFrom(site, path, before));
  const { marker, refused } = await findMarker(site, wanted, paths, read, keys);
  for (const { id, reason } of refused) {
    log(`marker ${id} is refused`, { severity: "ERROR", event: events.markerRefused, site, marker: id, reason });
  }
  return marker;
}

/** There is no such copy. */
export function noMarker(site: string, wanted: string, paths: readonly string[] = []): JobError {
  return new JobError(`there is no copy "${wanted}" of site "${site}"`, {
    value: markersPrefix(site),
    allowed: paths.length === 0 ? "none: no copy of this site was ever completed" : some(paths),
    fix: "give a marker that exists, or latest; a copy without its marker is no copy",
  });
}

/**
 * Signs and writes a marker.
 * @param keys the readers' keys: what they would refuse is not written
 * @throws JobError when the signature is not of one of them, or another document is there afterwards
 */
export async function writeMarker(
  bucket: string,
  marker: Marker,
  signer: Signer,
  keys: readonly string[],
): Promise<void> {
  const { site, id } = marker;
  const path = markerPath(site, id);
  const text = await seal(markerType, JSON.stringify(marker), signer);
  openMarker(text, site, id, keys);
  await writeObject(bucket, path, text);
  const stored = (await listUnder(bucket, markersPrefix(site))).get(path);
  if (stored?.md5 !== createHash("md5").update(text).digest("hex")) {
    throw new JobError(`marker ${path} is not what was written`, { value: stored, fix: "start this job again" });
  }
}
