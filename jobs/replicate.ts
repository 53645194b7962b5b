/**
 * Copies a site's newest backups into the vault, append-only, and names the copy by a marker written last.
 *
 * A copy counts only if its source kept still while it was copied (fence), is complete (manifest against objects) and is
 * verified (size and md5 of every object). Without its marker it is no copy, so a run may be killed at any point and be
 * repeated: what lies there already is not copied again.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { copyPath, isPointer, manifestPath, markerId, markerPath, markersPrefix, newestMarker } from "../plan/layout";
import type { JobConfig } from "./config";
import { compare, describe, fence, lasting, selection } from "./lib/compare";
import { freshManifests } from "./lib/fresh";
import { type Fields, JobError, log, some } from "./lib/log";
import { headOf, type Manifest, type Marker, manifestSchema, markerSchema, parseDocument } from "./lib/manifest";
import { copy, listUnder, readObject, readObjects, type StoredFile, writeObject } from "./lib/rclone";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"replicate">;

/** A repository moved while it was copied: another attempt may find it still. */
class MovedError extends JobError {}

/** Runs the job. @throws JobError when there is no fresh backup, the source is incomplete, or the copy is not what it should be. */
export async function replicate(config: Config): Promise<Fields> {
  const backups = await awaitBackups(config);
  const last = await newestCopy(config);
  if (
    last !== undefined &&
    config.repositories.every((name) => last.repositories[name]?.backup === backups.get(name))
  ) {
    log("already copied", { marker: last.id });
    return { marker: last.id, copied: 0, note: "the newest backups are in the newest copy already" };
  }
  const manifests = await readManifests(config, backups);
  for (let attempt = 1; ; attempt++) {
    try {
      return await copyAll(config, manifests, await nextMarker(config));
    } catch (error) {
      if (!(error instanceof MovedError) || attempt >= config.attempts) {
        throw error;
      }
      log("source moved, trying again", { attempt, reasons: error.details.value });
    }
  }
}

/** Newest backup of each repository, when all of them are tonight's. */
async function awaitBackups(config: Config): Promise<Map<string, string>> {
  return waitFor<Map<string, string>, string[]>(
    async () => {
      const names = [...(await listUnder(config.bucket, "manifests")).keys()];
      const found = freshManifests(config.repositories, names, config.maxAgeHours, new Date());
      if (found.stale.length === 0) {
        return { done: found.backups };
      }
      log("waiting for manifests", { stale: found.stale });
      return { seen: found.stale };
    },
    {
      timeoutSeconds: config.waitSeconds,
      pollSeconds: config.pollSeconds,
      onTimeout: (stale) =>
        new JobError("there is no complete backup of tonight to copy", {
          value: stale,
          allowed: `a manifest of each of ${config.repositories.join(", ")} not older than ${config.maxAgeHours} h`,
          fix: "look at the snapshot jobs of the site and start them again, then this job",
        }),
    },
  );
}

async function newestCopy(config: Config): Promise<Marker | undefined> {
  const id = newestMarker(config.site, [...(await listUnder(config.copiesBucket, markersPrefix(config.site))).keys()]);
  if (id === undefined) {
    return undefined;
  }
  const path = markerPath(config.site, id);
  return parseDocument(markerSchema, await readObject(config.copiesBucket, path), path);
}

async function readManifests(config: Config, backups: Map<string, string>): Promise<Map<string, Manifest>> {
  const paths = new Map([...backups].map(([repository, backup]) => [repository, manifestPath(repository, backup)]));
  const texts = await readObjects(config.bucket, [...paths.values()]);
  return new Map(
    [...paths].map(([repository, path]) => [repository, parseDocument(manifestSchema, texts.get(path)!, path)]),
  );
}

/** A marker id nobody has used: each attempt needs its own, since its pointers cannot be overwritten. */
async function nextMarker(config: Config): Promise<string> {
  for (;;) {
    const id = markerId(new Date());
    const pointers = await listUnder(config.copiesBucket, `${config.site}/pointers/${id}`);
    if (pointers.size === 0) {
      return id;
    }
    await sleep(1000);
  }
}

/** One attempt: copies what is missing, holds the source against the fence, verifies, writes the marker. */
async function copyAll(config: Config, manifests: Map<string, Manifest>, id: string): Promise<Fields> {
  const before = await listUnder(config.bucket);
  const listings = new Map([...manifests].map(([name, manifest]) => [name, listingOf(config, manifest, before)]));
  const all = [...listings.values()].flat();
  const missing = lacking(config, id, all, await listUnder(config.copiesBucket, config.site));
  log("copying", { marker: id, objects: all.length, missing: missing.length });
  const source = { bucket: config.bucket, prefix: "" };
  const names = (pointers: boolean) => missing.map((file) => file.name).filter((name) => isPointer(name) === pointers);
  await copy(source, { bucket: config.copiesBucket, prefix: config.site }, names(false), config.transfers);
  const pointers = { bucket: config.copiesBucket, prefix: `${config.site}/pointers/${id}` };
  await copy(source, pointers, names(true), config.transfers);

  const after = await listUnder(config.bucket);
  const moved = [...listings].flatMap(([name, listing]) => fence(name, listing, before, after));
  if (moved.length > 0) {
    throw new MovedError("the backups changed while they were copied", {
      value: some(moved),
      allowed: "repositories that nothing writes to during the copy",
      fix: "keep other snapshots and purges out of the night's window, then start this job again",
    });
  }
  const absent = lacking(config, id, all, await listUnder(config.copiesBucket, config.site));
  if (absent.length > 0) {
    throw new JobError("the copy is not complete", {
      value: some(absent.map((file) => copyPath(config.site, id, file.name))),
      allowed: "every object of the source with its size and md5",
      fix: "start this job again: it copies what is missing",
    });
  }
  log("verified", { marker: id, objects: all.length });
  await writeMarker(config, id, manifests, listings);
  return { marker: id, copied: missing.length, objects: all.length, bytes: bytesOf(all) };
}

/** Every object of one backup's copy, its manifest last. @throws JobError when the source is not what the manifest says. */
function listingOf(config: Config, manifest: Manifest, before: ReadonlyMap<string, StoredFile>): StoredFile[] {
  const { repository, backup } = manifest;
  const damage = describe(compare(lasting(repository, manifest.files), (file) => before.get(file.name)));
  if (damage.length > 0) {
    throw new JobError(`backup ${backup} in gs://${config.bucket}/${repository} is not what its manifest says`, {
      value: some(damage),
      allowed: "every object of the manifest with its size and md5",
      fix: "take a new snapshot (start the snapshot CronJob), then start this job again",
    });
  }
  const own = before.get(manifestPath(repository, backup));
  if (own === undefined) {
    throw new MovedError("a manifest is gone", { value: [manifestPath(repository, backup)] });
  }
  return [...selection(repository, manifest.files, before), own];
}

/** What the second copy lacks. @throws JobError when it holds other content under a name: nothing there can be overwritten. */
function lacking(config: Config, id: string, all: StoredFile[], target: ReadonlyMap<string, StoredFile>): StoredFile[] {
  const difference = compare(all, (file) => target.get(copyPath(config.site, id, file.name)));
  if (difference.different.length > 0) {
    throw new JobError(`gs://${config.copiesBucket} holds other content under names that the source uses`, {
      value: some(describe({ missing: [], different: difference.different })),
      allowed: "objects that never change once they are written",
      fix: "find out which one is right: a changed source means an overwritten or forged backup, a changed copy an intruder",
    });
  }
  return difference.missing;
}

function bytesOf(files: StoredFile[]): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

async function writeMarker(
  config: Config,
  id: string,
  manifests: Map<string, Manifest>,
  listings: Map<string, StoredFile[]>,
): Promise<void> {
  const marker: Marker = {
    version: 1,
    site: config.site,
    id,
    createdAt: new Date().toISOString(),
    repositories: {},
  };
  for (const [repository, manifest] of manifests) {
    const listing = listings.get(repository)!;
    marker.repositories[repository] = {
      backup: manifest.backup,
      manifest: headOf(manifest),
      objects: listing.length,
      bytes: bytesOf(listing),
      listing,
    };
  }
  const path = markerPath(config.site, id);
  const text = JSON.stringify(marker);
  await writeObject(config.copiesBucket, path, text);
  const stored = (await listUnder(config.copiesBucket, markersPrefix(config.site))).get(path);
  if (stored?.md5 !== createHash("md5").update(text).digest("hex")) {
    throw new JobError(`marker ${path} is not what was written`, { value: stored, fix: "start this job again" });
  }
}
