/** Markers: the documents in the vault that say which copies are complete. */
import { createHash } from "node:crypto";
import { markerPath, markersPrefix, newestMarker } from "../../plan/layout";
import { JobError, some } from "./log";
import { type Marker, markerSchema, parseDocument } from "./manifest";
import { listUnder, readObject, writeObject } from "./rclone";

/**
 * A site's marker by its id, or the newest one.
 * @param wanted an id, or `latest`
 * @returns undefined when the site has no copy at all and `latest` is wanted
 * @throws JobError when there is no such marker, or it is none that this version reads
 */
export async function readMarker(bucket: string, site: string, wanted: string): Promise<Marker | undefined> {
  const paths = [...(await listUnder(bucket, markersPrefix(site))).keys()];
  const id = wanted === "latest" ? newestMarker(site, paths) : wanted;
  if (id === undefined) return undefined;
  const path = markerPath(site, id);
  if (!paths.includes(path)) throw noMarker(bucket, site, wanted, paths);
  return parseDocument(markerSchema, await readObject(bucket, path), path);
}

/** There is no such copy. */
export function noMarker(bucket: string, site: string, wanted: string, paths: readonly string[] = []): JobError {
  return new JobError(`there is no copy "${wanted}" of site "${site}"`, {
    value: `gs://${bucket}/${markersPrefix(site)}`,
    allowed: paths.length === 0 ? "none: no copy of this site was ever completed" : some(paths),
    fix: "give a marker that exists, or latest; a copy without its marker is no copy",
  });
}

/** Writes a marker. @throws JobError when another document is there afterwards */
export async function writeMarker(bucket: string, marker: Marker): Promise<void> {
  const path = markerPath(marker.site, marker.id);
  const text = JSON.stringify(marker);
  await writeObject(bucket, path, text);
  const stored = (await listUnder(bucket, markersPrefix(marker.site))).get(path);
  if (stored?.md5 !== createHash("md5").update(text).digest("hex")) {
    throw new JobError(`marker ${path} is not what was written`, { value: stored, fix: "start this job again" });
  }
}
