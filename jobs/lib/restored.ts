import { markerOfRestored, restoredPath, restoreStartedPath } from "../../plan/layout";
import { JobError, some } from "./log";
import {
  type Manifest,
  parseDocument,
  type Restored,
  type RestoreStarted,
  restoredSchema,
  restoreStartedSchema,
} from "./manifest";
import { bucketUrl, listUnder, readObject } from "./rclone";

/** What restore-copy recorded of one repository. */
export interface Brought<K extends Manifest["kind"]> {
  marker: string;
  backup: string;
  manifest: Extract<Manifest, { kind: K }>;
}

/**
 * The restore into a bucket that has begun; undefined: none has.
 * @param paths every object below `restores/`
 */
export async function restoreStarted(
  bucket: string,
  paths: Pick<ReadonlyMap<string, unknown>, "has">,
): Promise<RestoreStarted | undefined> {
  if (!paths.has(restoreStartedPath)) return undefined;
  return parseDocument(restoreStartedSchema, await readObject(bucket, restoreStartedPath), restoreStartedPath);
}

/**
 * Reads from the site's own bucket which backup of a repository is to be restored.
 * @param marker `latest` is the one that was brought in
 * @throws JobError when nothing, or not this marker or repository, was brought in whole
 */
export async function broughtIn<K extends Manifest["kind"]>(
  kind: K,
  config: { bucket: string; repository: string; marker: string },
): Promise<Brought<K>> {
  const present = [...(await listUnder(config.bucket, "restores")).keys()].filter(markerOfRestored).sort();
  const path = config.marker === "latest" ? present.at(-1) : restoredPath(config.marker);
  if (path === undefined || !present.includes(path)) {
    throw new JobError(`copy "${config.marker}" was not brought into ${bucketUrl(config.bucket)}`, {
      value: present.length === 0 ? "no restore record at all" : some(present),
      allowed: "a copy that restore-copy has brought in and verified",
      fix: "let the restore-copy Job succeed first",
    });
  }
  const record: Restored = parseDocument(restoredSchema, await readObject(config.bucket, path), path);
  const entry = record.repositories[config.repository];
  if (entry === undefined || entry.manifest.kind !== kind) {
    throw new JobError(`copy ${record.marker} holds no ${kind} repository "${config.repository}"`, {
      value: Object.keys(record.repositories),
      allowed: "the datacenters of the site that was copied",
      fix: "give the new site the same datacenter names",
    });
  }
  return { marker: record.marker, backup: entry.backup, manifest: entry.manifest as Brought<K>["manifest"] };
}
