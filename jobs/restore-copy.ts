/**
 * Brings one copy from the vault into the new site's own bucket, at the paths the backups were written to, verifies all of
 * it and says so in `restores/<marker>.json`, written last. May be killed and repeated: equal objects stay.
 */
import { copyFolder, copyPath, isPointer, markerPath, markersPrefix, newestMarker, restoredPath } from "../plan/layout";
import type { JobConfig } from "./config";
import { compare, describe } from "./lib/compare";
import { type Fields, JobError, log, some } from "./lib/log";
import { type Marker, markerSchema, parseDocument, type Restored } from "./lib/manifest";
import { copy, listUnder, readObject, StorageError, type StoredFile, writeObject } from "./lib/rclone";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-copy">;

/** Runs the job. @throws JobError when the copy doesn't exist, is damaged, or the bucket holds something else already. */
export async function restoreCopy(config: Config): Promise<Fields> {
  const marker = await awaitMarker(config);
  const record = restoredPath(marker.id);
  if ((await listUnder(config.bucket, "restores")).has(record)) {
    log("already brought in", { marker: marker.id });
    return { marker: marker.id, copied: 0, note: `${record} says that it was brought in and verified before` };
  }
  const all = Object.values(marker.repositories);
  const listing = all.flatMap((repository) => repository.listing);
  const copied = await bringIn(config, marker);
  const restored: Restored = {
    version: 1,
    marker: marker.id,
    source: config.source,
    copiedAt: new Date().toISOString(),
    objects: listing.length,
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    repositories: Object.fromEntries(
      Object.entries(marker.repositories).map(([name, { backup, manifest }]) => [name, { backup, manifest }]),
    ),
  };
  await writeObject(config.bucket, record, JSON.stringify(restored));
  return { marker: marker.id, copied, objects: restored.objects, bytes: restored.bytes };
}

/** The marker, as soon as the grant has taken effect on both buckets. */
async function awaitMarker(config: Config): Promise<Marker> {
  return waitFor<Marker, StorageError>(
    async () => {
      try {
        await listUnder(config.bucket, "restores");
        return { done: await readMarker(config) };
      } catch (error) {
        if (!(error instanceof StorageError) || !error.denied) {
          throw error;
        }
        log("access is refused, waiting for the grant", { copies: config.copiesBucket });
        return { seen: error };
      }
    },
    {
      timeoutSeconds: config.accessSeconds,
      pollSeconds: config.pollSeconds,
      onTimeout: (refusal) =>
        new JobError("the copies cannot be read", {
          value: refusal?.message,
          allowed: "an identity with a restore grant that has not expired",
          fix: "add the grant to the vault's restoreGrants (pulumi up of the vault), then start this job again",
        }),
    },
  );
}

async function readMarker(config: Config): Promise<Marker> {
  const paths = [...(await listUnder(config.copiesBucket, markersPrefix(config.source))).keys()];
  const id = config.marker === "latest" ? newestMarker(config.source, paths) : config.marker;
  if (id === undefined || !paths.includes(markerPath(config.source, id))) {
    throw new JobError(`there is no copy "${config.marker}" of site "${config.source}"`, {
      value: `gs://${config.copiesBucket}/${markersPrefix(config.source)}`,
      allowed: paths.length === 0 ? "none: no copy of this site was ever completed" : some(paths),
      fix: "give a marker that exists, or latest; a copy without its marker is no copy",
    });
  }
  const path = markerPath(config.source, id);
  return parseDocument(markerSchema, await readObject(config.copiesBucket, path), path);
}

/** Copies what is missing and verifies all of it. @returns how many objects were copied */
async function bringIn(config: Config, { id, repositories }: Marker): Promise<number> {
  const entries = Object.values(repositories);
  const before = await listUnder(config.bucket);
  let copied = 0;
  for (const { backup, copy: copyId, listing, manifest } of entries) {
    const { missing } = check(config, listing, before);
    log("copying", { repository: manifest.repository, backup, objects: listing.length, missing: missing.length });
    for (const pointers of [false, true]) {
      const names = missing.map((file) => file.name).filter((name) => isPointer(name) === pointers);
      const from = { bucket: config.copiesBucket, prefix: copyFolder(config.source, copyId, pointers) };
      await copy(from, { bucket: config.bucket, prefix: "" }, names, config.transfers);
    }
    copied += missing.length;
  }
  const after = await listUnder(config.bucket);
  const lacking = entries.flatMap(({ copy: copyId, listing }) =>
    check(config, listing, after).missing.map((file) => copyPath(config.source, copyId, file.name)),
  );
  if (lacking.length > 0) {
    throw new JobError(`copy ${id} could not be brought in whole`, {
      value: some(lacking),
      allowed: "every object that the marker lists",
      fix: "start this job again; if the same objects are missing, restore an older marker and look into the second copy",
    });
  }
  log("verified", { marker: id });
  return copied;
}

function check(config: Config, listing: StoredFile[], found: ReadonlyMap<string, StoredFile>) {
  const difference = compare(listing, (file) => found.get(file.name));
  if (difference.different.length > 0) {
    throw new JobError(`gs://${config.bucket} holds other content than the marker lists`, {
      value: some(describe({ missing: [], different: difference.different })),
      allowed: "the marker's objects with their size and md5",
      fix: "after a damaged second copy: an older marker; after another restore into this bucket: a fresh site name",
    });
  }
  return difference;
}
