/**
 * Brings one copy from the vault into the new site's own bucket, at the paths the backups were written to, verifies all of
 * it and says so in `restores/<marker>.json`, written last. May be killed and repeated: equal objects stay. Memory does not
 * grow with the copy: some pages of a listing and a batch of names a layer; the lists of its objects are kept on disk.
 */
import { join } from "node:path";
import { copyFolder, copyPath, restoredPath } from "../plan/layout";
import type { JobConfig } from "./config";
import { difference, foldersOf } from "./lib/compare";
import { BATCH, totals } from "./lib/copy-repository";
import { batches, Findings, listFolders, zip } from "./lib/listing";
import { fetchList, type KeyedFile, readList, withScratch } from "./lib/lists";
import { type Fields, JobError, log } from "./lib/log";
import type { Marker, MarkerEntry, Restored } from "./lib/manifest";
import { noMarker, readMarker } from "./lib/markers";
import { copy, listUnder, StorageError, writeObject } from "./lib/rclone";
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
  const copied = await withScratch((folder) => bringIn(config, marker, folder));
  const restored: Restored = {
    version: 2,
    marker: marker.id,
    source: config.source,
    copiedAt: new Date().toISOString(),
    ...totals(Object.values(marker.repositories)),
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
        const marker = await readMarker(config.copiesBucket, config.source, config.marker, config.markerKeys);
        if (marker === undefined) throw noMarker(config.source, config.marker);
        return { done: marker };
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

/** A repository's copy with its list on disk. */
interface Listed {
  entry: MarkerEntry;
  list: string;
}

/** Copies what is missing and verifies all of it. @returns how many objects were copied */
async function bringIn(config: Config, { id, repositories }: Marker, folder: string): Promise<number> {
  const all: Listed[] = [];
  for (const [name, entry] of Object.entries(repositories)) {
    const list = join(folder, `${name}.jsonl`);
    await fetchList(config.copiesBucket, entry.listing, list);
    all.push({ entry, list });
  }
  let copied = 0;
  for (const each of all) copied += await bringRepository(config, each);
  const lacking = new Findings();
  for (const each of all) await compare(config, each, (path) => lacking.add(path));
  if (lacking.count > 0) {
    throw new JobError(`copy ${id} could not be brought in whole`, {
      value: lacking.shown(),
      allowed: "every object that the marker lists",
      fix: "start this job again; if the same objects are missing, restore an older marker and look into the second copy",
    });
  }
  log("verified", { marker: id });
  return copied;
}

async function bringRepository(config: Config, listed: Listed): Promise<number> {
  const { backup, manifest, listing } = listed.entry;
  // Looked through first: nothing is copied beside something else that is there.
  let missing = 0;
  await compare(config, listed, () => missing++);
  log("copying", { repository: manifest.repository, backup, objects: listing.objects, missing });
  if (missing === 0) return 0;
  const layers = new Map<string | undefined, ReturnType<typeof batches<string>>>();
  await compare(config, listed, async (_, { name, layer }) => {
    const place = { bucket: config.copiesBucket, prefix: copyFolder(config.source, layer) };
    const into =
      layers.get(layer) ??
      batches<string>(BATCH, (names) => copy(place, { bucket: config.bucket, prefix: "" }, names, config.transfers));
    layers.set(layer, into);
    await into.add(name);
  });
  for (const layer of layers.values()) await layer.end();
  return missing;
}

/**
 * Compares a copy's list with the site's own bucket.
 * @param lacks is told what the bucket does not have, with its path in the second copy
 * @throws JobError when the bucket holds another content under a name of the list
 */
async function compare(
  config: Config,
  { entry, list }: Listed,
  lacks: (path: string, file: { name: string; layer?: string }) => unknown,
): Promise<void> {
  const other = new Findings();
  const present = listFolders(config.bucket, "", foldersOf(entry.manifest));
  for await (const [file, found] of zip<KeyedFile>([readList(list, entry.listing.path), present])) {
    const problem = file && difference(file, found);
    if (problem === undefined) continue;
    if (found === undefined) await lacks(copyPath(config.source, file!), file!);
    else other.add(problem);
  }
  if (other.count === 0) return;
  throw new JobError(`gs://${config.bucket} holds other content than the marker lists`, {
    value: other.shown(),
    allowed: "the marker's objects with their size and md5",
    fix: "after a damaged second copy: an older marker; after another restore into this bucket: a fresh site name",
  });
}
