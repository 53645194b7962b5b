/**
 * The fenced copy of one repository's newest backup into the vault: it counts only if the source kept still meanwhile, is
 * complete (manifest against objects) and every object was compared (size and md5) afterwards.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  copyFolder,
  copyPath,
  isPointer,
  manifestPath,
  manifestsPrefix,
  markerId,
  repositoryFolder,
} from "../../plan/layout";
import type { JobConfig } from "../config";
import { compare, describe, fence, lasting, selection } from "./compare";
import { JobError, log, some } from "./log";
import { headOf, type Manifest, type MarkerEntry, manifestSchema, parseDocument } from "./manifest";
import { copy, listUnder, readObject, type StoredFile } from "./rclone";

type Config = JobConfig<"replicate">;

/** What became of a repository. */
export interface CopiedRepository {
  entry: MarkerEntry;
  /** Objects that were not in the second copy before. */
  copied: number;
}

/** The repository moved while it was copied: another attempt may find it still. */
class MovedError extends JobError {}

/**
 * Copies a backup's objects that the second copy lacks.
 * @param copyId under which its pointers are kept; another attempt takes an id of its own, as pointers cannot be overwritten
 * @throws JobError when the source is incomplete or moves in every attempt, or the copy is not what it should be
 */
export async function copyRepository(
  config: Config,
  repository: string,
  backup: string,
  copyId: string,
): Promise<CopiedRepository> {
  const path = manifestPath(repository, backup);
  const manifest = parseDocument(manifestSchema, await readObject(config.bucket, path), path);
  for (let attempt = 1, id = copyId; ; attempt++) {
    try {
      return await attemptCopy(config, manifest, id);
    } catch (error) {
      if (!(error instanceof MovedError) || attempt >= config.attempts) throw error;
      log("source moved, trying again", { repository, attempt, reasons: error.details.value });
      id = await unusedId(config);
    }
  }
}

/** An id under which no run or attempt has kept pointers. */
export async function unusedId(config: Config): Promise<string> {
  for (;;) {
    const id = markerId(new Date());
    const pointers = await listUnder(config.copiesBucket, copyFolder(config.site, id, true));
    if (pointers.size === 0) return id;
    await sleep(1000);
  }
}

async function attemptCopy(config: Config, manifest: Manifest, id: string): Promise<CopiedRepository> {
  const { repository, backup } = manifest;
  const { bucket, copiesBucket, site, transfers } = config;
  const before = await sourceListing(config, repository);
  const listing = listingOf(config, manifest, before);
  const missing = lacking(config, id, listing, await targetListing(config, repository, id));
  log("copying", { repository, backup, objects: listing.length, missing: missing.length });
  for (const pointers of [false, true]) {
    const names = missing.map((file) => file.name).filter((name) => isPointer(name) === pointers);
    const to = { bucket: copiesBucket, prefix: copyFolder(site, id, pointers) };
    await copy({ bucket, prefix: "" }, to, names, transfers);
  }
  const moved = fence(repository, listing, before, await sourceListing(config, repository));
  if (moved.length > 0) {
    throw new MovedError(`${repository} changed while it was copied`, {
      value: some(moved),
      allowed: "a repository that nothing writes to during the copy",
      fix: "keep other snapshots and purges out of the night's window, then start this job again",
    });
  }
  const absent = lacking(config, id, listing, await targetListing(config, repository, id));
  if (absent.length > 0) {
    throw new JobError(`the copy of ${repository} is not complete`, {
      value: some(absent.map((file) => copyPath(site, id, file.name))),
      allowed: "every object of the source with its size and md5",
      fix: "start this job again: it copies what is missing",
    });
  }
  log("verified", { repository, backup, objects: listing.length });
  const bytes = listing.reduce((sum, { size }) => sum + size, 0);
  return {
    entry: { backup, copy: id, manifest: headOf(manifest), objects: listing.length, bytes, listing },
    copied: missing.length,
  };
}

type Listing = ReadonlyMap<string, StoredFile>;

/** The repository's objects and manifests in the site's bucket. */
async function sourceListing({ bucket }: Config, repository: string): Promise<Listing> {
  return listings(bucket, [repositoryFolder(repository), manifestsPrefix(repository)]);
}

/** What the second copy has of them, by its names there. */
async function targetListing({ copiesBucket, site }: Config, repository: string, id: string): Promise<Listing> {
  const folder = repositoryFolder(repository);
  const places = [
    `${site}/${folder}`,
    `${site}/${manifestsPrefix(repository)}`,
    `${copyFolder(site, id, true)}/${folder}`,
  ];
  return listings(copiesBucket, places);
}

async function listings(bucket: string, prefixes: string[]): Promise<Listing> {
  const found = await Promise.all(prefixes.map((prefix) => listUnder(bucket, prefix)));
  return new Map(found.flatMap((each) => [...each]));
}

/** Every object of one backup's copy, its manifest last. @throws JobError when the source is not what the manifest says. */
function listingOf(config: Config, manifest: Manifest, before: Listing): StoredFile[] {
  const { repository, backup } = manifest;
  const damage = describe(compare(lasting(repository, manifest.files), (file) => before.get(file.name)));
  if (damage.length > 0) {
    throw new JobError(`backup ${backup} of ${repository} in gs://${config.bucket} is not what its manifest says`, {
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
function lacking(config: Config, id: string, all: StoredFile[], target: Listing): StoredFile[] {
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
