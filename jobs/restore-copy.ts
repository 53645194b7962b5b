/**
 * Brings one copy from the vault into the new site's own bucket, at the paths the backups were written to, verifies all of
 * it and says so in `restores/<marker>.json`, written last. May be killed and repeated: which copy it is, is decided once
 * (`restores/started.json`), so that no two are mixed whatever has come to the vault meanwhile; equal objects stay. Memory does
 * not grow with the copy: some pages of a listing and a batch of names a layer; the lists of its objects are kept on disk.
 */
import { join } from "node:path";
import { copyFolder, copyPath, markerOfRestored, momentOf, restoredPath, restoreStartedPath } from "../plan/layout";
import type { JobConfig } from "./config";
import { difference, foldersOf, verify } from "./lib/compare";
import { BATCH, totals } from "./lib/copy-repository";
import { batches, Findings, listFolders, zip } from "./lib/listing";
import { fetchList, type KeyedFile, readList, withScratch } from "./lib/lists";
import { type Fields, JobError, log } from "./lib/log";
import {
  type Marker,
  type MarkerEntry,
  parseDocument,
  type Restored,
  type RestoreStarted,
  restoredSchema,
} from "./lib/manifest";
import { noMarker, readMarker } from "./lib/markers";
import { bucketUrl, copy, createObject, isS3, listUnder, readObject, StorageError } from "./lib/rclone";
import { restoreStarted } from "./lib/restored";
import { waitFor } from "./lib/wait";

type Config = JobConfig<"restore-copy">;

/** Runs the job. @throws JobError when the copy doesn't exist, is damaged, or the bucket holds something else already. */
export async function restoreCopy(config: Config): Promise<Fields> {
  const found = await awaitCopy(config);
  if ("done" in found) {
    log("already brought in", { marker: found.done });
    const note = `${restoredPath(found.done)} says that it was brought in and verified before`;
    return { marker: found.done, copied: 0, note };
  }
  const marker = wantedOf(config, found.marker);
  const copied = await withScratch((folder) => bringIn(config, { ...found, marker }, folder));
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
  await createObject(config.bucket, restoredPath(marker.id), JSON.stringify(restored));
  return { marker: marker.id, copied, objects: restored.objects, bytes: restored.bytes };
}

/** The copy with the repositories that are wanted. @throws JobError when one of them is not in it */
function wantedOf({ repositories: wanted }: Config, marker: Marker): Marker {
  if (wanted === undefined) return marker;
  const missing = wanted.filter((name) => marker.repositories[name] === undefined);
  if (missing.length > 0) {
    throw new JobError(`copy ${marker.id} has no ${missing.join(" and no ")}`, {
      value: Object.keys(marker.repositories),
      allowed: "repositories of the copy",
      fix: "give the new site a datacenter's name that the copied one had",
      final: true,
    });
  }
  return { ...marker, repositories: Object.fromEntries(wanted.map((name) => [name, marker.repositories[name]!])) };
}

/** What there is to do: a copy to bring in, `begun` when its objects may be there in part; or one that is there, `done`. */
type Found = { marker: Marker; begun: boolean } | { done: string };

/** The copy, as soon as the grant has taken effect on both buckets. */
async function awaitCopy(config: Config): Promise<Found> {
  return waitFor<Found, StorageError>(
    async () => {
      try {
        return { done: await findCopy(config) };
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

async function findCopy(config: Config): Promise<Found> {
  const { bucket, copiesBucket, source, markerKeys } = config;
  const present = await listUnder(bucket, "restores");
  const begun = await begunWith(bucket, present);
  if (begun !== undefined) {
    if (!isAskedFor(config, begun)) throw anotherCopy(config, begun);
    if (present.has(restoredPath(begun.marker))) return { done: begun.marker };
  }
  const wanted = begun?.marker ?? config.marker;
  const marker = await readMarker(copiesBucket, source, wanted, markerKeys, begun ? undefined : config.before);
  if (marker === undefined) throw noMarker(source, config.before ? `latest before ${config.before}` : wanted);
  return { marker, begun: begun !== undefined };
}

/** The copy that this bucket is for, once a restore into it has begun. */
type Begun = Pick<RestoreStarted, "marker" | "source">;

/** @param paths every object below `restores/` */
async function begunWith(bucket: string, paths: ReadonlyMap<string, unknown>): Promise<Begun | undefined> {
  const started = await restoreStarted(bucket, paths);
  if (started !== undefined) return started;
  const restored = [...paths.keys()].filter(markerOfRestored).sort().at(-1);
  return restored === undefined
    ? undefined
    : parseDocument(restoredSchema, await readObject(bucket, restored), restored);
}

/** `latest` is whatever was begun with, within `before`. */
function isAskedFor({ source, marker, before }: Config, begun: Begun): boolean {
  if (source !== begun.source) return false;
  if (marker !== "latest") return marker === begun.marker;
  return before === undefined || momentOf(begun.marker).getTime() <= Date.parse(before);
}

function anotherCopy({ bucket, source, marker, before }: Config, begun: Begun): JobError {
  return new JobError(`${bucketUrl(bucket)} is being restored from another copy already`, {
    value: `${before ? `latest before ${before}` : marker} of site "${source}"`,
    allowed: `${begun.marker} of site "${begun.source}", or latest: two copies in one bucket would be neither`,
    fix: `name that copy; for another one ${elsewhere(bucket)}`,
    final: true,
  });
}

/** How another copy gets a bucket: in this one nothing is replaced. S3's is the standby's. */
function elsewhere(bucket: string): string {
  return isS3(bucket)
    ? "raise iconik-dr:activation of the standby by one, so that it has a bucket of its own (docs/runbooks/d4-google-lost.md)"
    : "take a fresh site: a new name, project and bucket (docs/runbooks/d2-regions-lost.md)";
}

/** A repository's copy with its list on disk. */
interface Listed {
  entry: MarkerEntry;
  list: string;
}

/** Copies what is missing and verifies all of it. @returns how many objects were copied */
async function bringIn(
  config: Config,
  { marker, begun }: { marker: Marker; begun: boolean },
  folder: string,
): Promise<number> {
  const { id, repositories } = marker;
  const all: Listed[] = [];
  for (const [name, entry] of Object.entries(repositories)) {
    const list = join(folder, `${name}.jsonl`);
    await fetchList(config.copiesBucket, entry.listing, list);
    all.push({ entry, list });
  }
  // All of both sides is looked through first: nothing is begun that cannot end, or beside something else that is there.
  const missing: number[] = [];
  for (const each of all) {
    let lacks = 0;
    await compare(config, each, () => lacks++);
    missing.push(lacks);
  }
  if (!begun) {
    await whole(config, id, all);
    await begin(config, id);
  }
  let copied = 0;
  for (const [index, each] of all.entries()) copied += await bringRepository(config, each, missing[index]!);
  const lacking = new Findings();
  for (const each of all) await compare(config, each, (path) => lacking.add(path));
  if (lacking.count > 0) {
    throw new JobError(`copy ${id} could not be brought in whole`, {
      value: lacking.shown(),
      allowed: "every object that the marker lists",
      fix: `start this job again; if the same objects are missing, look into the second copy; for an older one ${elsewhere(config.bucket)}`,
    });
  }
  log("verified", { marker: id });
  return copied;
}

/** Does the second copy have every object of a copy? @throws JobError when not */
async function whole({ copiesBucket, source }: Config, id: string, all: readonly Listed[]): Promise<void> {
  const damage = new Findings();
  for (const { entry, list } of all) {
    const { manifest, listing, layers } = entry;
    const stored = (layer?: string) => listFolders(copiesBucket, `${copyFolder(source, layer)}/`, foldersOf(manifest));
    const layered = layers.map((layer) => ({ id: layer, listing: stored(layer) }));
    await verify(readList(list, listing.path), stored(), layered, damage);
  }
  if (damage.count === 0) return;
  throw new JobError(`copy ${id} is damaged: ${bucketUrl(copiesBucket)} is not what its marker lists`, {
    value: damage.shown(),
    allowed: "every object with its size and md5",
    fix: "name an older copy (restore.marker or restore.before); nothing was brought in. Keep this one for the search of the cause",
    final: true,
  });
}

/** Writes down which copy it is, before anything of it comes in. Nobody can replace it, in S3 by its bucket's policy: a second one that began loses. */
async function begin({ bucket, source }: Config, marker: string): Promise<void> {
  const started: RestoreStarted = { version: 1, marker, source, startedAt: new Date().toISOString() };
  await createObject(bucket, restoreStartedPath, JSON.stringify(started));
  log("begins", { marker });
}

async function bringRepository(config: Config, listed: Listed, missing: number): Promise<number> {
  const { backup, manifest, listing } = listed.entry;
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
  throw new JobError(`${bucketUrl(config.bucket)} holds other content than the marker lists`, {
    value: other.shown(),
    allowed: "the marker's objects with their size and md5",
    fix: elsewhere(config.bucket),
  });
}
