/**
 * Copies a site's newest backups into the vault, append-only, and names the copy by a marker written last.
 *
 * A copy counts only if its source kept still while it was copied (fence), is complete (manifest against objects) and is
 * verified (size and md5 of every object). Without its marker it is no copy, so a run may be killed at any point and be
 * repeated: what lies there already is not copied again.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  copyPath,
  isPointer,
  manifestPath,
  manifestsPrefix,
  markerId,
  markerPath,
  markersPrefix,
  newestMarker,
} from "../plan/layout";
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
      const names = new Map<string, string[]>();
      for (const repository of config.repositories) {
        names.set(repository, [...(await listUnder(config.bucket, manifestsPrefix(repository))).keys()]);
      }
      const found = freshManifests(names, config.maxAgeHours, new Date());
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

async function copyAll(config: Config, manifests: Map<string, Manifest>, id: string): Promise<Fields> {
  const marker: Marker = {
    version: 1,
    site: config.site,
    id,
    createdAt: new Date().toISOString(),
    repositories: {},
  };
  let copied = 0;
  for (const [repository, manifest] of manifests) {
    const result = await copyRepository(config, manifest, id);
    copied += result.copied;
    marker.repositories[repository] = {
      backup: manifest.backup,
      manifest: headOf(manifest),
      objects: result.listing.length,
      bytes: result.listing.reduce((sum, file) => sum + file.size, 0),
      listing: result.listing,
    };
  }
  const path = markerPath(config.site, id);
  const text = JSON.stringify(marker);
  await writeObject(config.copiesBucket, path, text);
  const stored = (await listUnder(config.copiesBucket, markersPrefix(config.site))).get(path);
  if (stored?.md5 !== createHash("md5").update(text).digest("hex")) {
    throw new JobError(`marker ${path} is not what was written`, { value: stored, fix: "run the job again" });
  }
  const repositories = Object.values(marker.repositories);
  const sum = (of: (r: (typeof repositories)[number]) => number) => repositories.reduce((total, r) => total + of(r), 0);
  return { marker: id, copied, objects: sum((r) => r.objects), bytes: sum((r) => r.bytes) };
}

/** Copies what is missing of one repository and verifies all of it. */
async function copyRepository(
  config: Config,
  manifest: Manifest,
  id: string,
): Promise<{ listing: StoredFile[]; copied: number }> {
  const { repository, backup } = manifest;
  const before = await listUnder(config.bucket, repository);
  const damage = describe(compare(lasting(repository, manifest.files), (file) => before.get(file.name)));
  if (damage.length > 0) {
    throw new JobError(`backup ${backup} in gs://${config.bucket}/${repository} is not what its manifest says`, {
      value: some(damage),
      allowed: "every object of the manifest with its size and md5",
      fix: "take a new snapshot (start the snapshot CronJob), then start this job again",
    });
  }
  const ownManifest = manifestPath(repository, backup);
  const manifestFile = (await listUnder(config.bucket, manifestsPrefix(repository))).get(ownManifest);
  if (manifestFile === undefined) {
    throw new MovedError(`${ownManifest} is gone`, { value: [ownManifest] });
  }
  const listing = [...selection(repository, manifest.files, before), manifestFile];

  const missing = outcome(config, id, listing, await targets(config, repository, id)).missing;
  log("copying", { repository, backup, marker: id, objects: listing.length, missing: missing.length });
  const source = { bucket: config.bucket, prefix: "" };
  const names = (pointers: boolean) => missing.map((file) => file.name).filter((name) => isPointer(name) === pointers);
  await copy(source, { bucket: config.copiesBucket, prefix: config.site }, names(false), config.transfers);
  const pointers = { bucket: config.copiesBucket, prefix: `${config.site}/pointers/${id}` };
  await copy(source, pointers, names(true), config.transfers);

  const after = await listUnder(config.bucket, repository);
  const moved = fence(repository, listing.slice(0, -1), before, after);
  if (moved.length > 0) {
    throw new MovedError(`${repository} changed while it was copied`, {
      value: some(moved),
      allowed: "a repository that nothing writes to during the copy",
      fix: "keep other snapshots and purges out of the night's window, then start this job again",
    });
  }
  const lacking = outcome(config, id, listing, await targets(config, repository, id)).missing;
  if (lacking.length > 0) {
    throw new JobError(`the copy of ${repository} is not complete`, {
      value: some(lacking.map((file) => copyPath(config.site, id, file.name))),
      allowed: "every object of the source with its size and md5",
      fix: "start this job again: it copies what is missing",
    });
  }
  log("verified", { repository, objects: listing.length });
  return { listing, copied: missing.length };
}

async function targets(config: Config, repository: string, id: string): Promise<Map<string, StoredFile>> {
  const prefixes = [repository, manifestsPrefix(repository), `pointers/${id}`];
  const listings = [];
  for (const prefix of prefixes) {
    listings.push(await listUnder(config.copiesBucket, `${config.site}/${prefix}`));
  }
  return new Map(listings.flatMap((listing) => [...listing]));
}

/** What the second copy lacks. @throws JobError when it holds other content under a name: nothing there can be overwritten. */
function outcome(config: Config, id: string, listing: StoredFile[], target: Map<string, StoredFile>) {
  const difference = compare(listing, (file) => target.get(copyPath(config.site, id, file.name)));
  if (difference.different.length > 0) {
    throw new JobError(`gs://${config.copiesBucket} holds other content under names that the source uses`, {
      value: some(describe({ missing: [], different: difference.different })),
      allowed: "objects that never change once they are written",
      fix: "find out which one is right: a changed source means an overwritten or forged backup, a changed copy an intruder",
    });
  }
  return difference;
}
