/**
 * Pulls the vault's newest copy of a site into S3 (S7), laid out as in the vault, and names it by the same marker, written last.
 *
 * The fence of the night's replication holds here too: only what a signed marker of the vault names is copied, the lists of its
 * objects are compared with their digests, and every object is compared (size and MD5) afterwards. Nothing is ever removed; what
 * is there under a name with other content is an error. May be killed at any point and run again: without its marker a copy is
 * none, and what lies there already is not copied again. Memory does not grow with the copy: a page of each listing and a batch
 * of names; the lists of objects are kept on disk, about 150 bytes an object.
 */
import { join } from "node:path";
import { events } from "../plan/events";
import { copyFolder, markerPath, markersPrefix, momentOf } from "../plan/layout";
import type { JobConfig } from "./config";
import { difference, foldersOf } from "./lib/compare";
import { contractProblems } from "./lib/contract";
import { BATCH, totals } from "./lib/copy-repository";
import { batches, Findings, listFolders, zip } from "./lib/listing";
import { fetchList, type KeyedFile, readList, withScratch } from "./lib/lists";
import { type Fields, JobError, log } from "./lib/log";
import type { Marker, MarkerEntry } from "./lib/manifest";
import { noMarker, readMarker } from "./lib/markers";
import { bucketUrl, copy, listUnder } from "./lib/rclone";

type Config = JobConfig<"copy-to-s3">;

/**
 * Runs the job.
 * @throws JobError when there is no copy, it is not what its lists say, or (with the copy made) it is late or the standby could
 * not take it
 */
export async function copyToS3(config: Config): Promise<Fields> {
  const marker = await readMarker(config.copiesBucket, config.site, "latest", config.markerKeys);
  if (marker === undefined) throw noMarker(config.site, "latest");
  const path = markerPath(config.site, marker.id);
  const there = (await listUnder(config.bucket, markersPrefix(config.site))).has(path);
  const copied = there ? 0 : await withScratch((folder) => copyMarked(config, marker, folder));
  if (there) log("already copied", { marker: marker.id });
  else await name(config, path);
  judge(config, marker);
  return { marker: marker.id, copied, ...totals(Object.values(marker.repositories)) };
}

/** Copies whatever a marker names. @returns how many objects were not there */
async function copyMarked(config: Config, marker: Marker, folder: string): Promise<number> {
  let copied = 0;
  for (const [repository, entry] of Object.entries(marker.repositories)) {
    const list = join(folder, `${repository}.jsonl`);
    await fetchList(config.copiesBucket, entry.listing, list);
    copied += await copyListed(config, repository, entry, list);
    // The restore reads it again, from here.
    await copy(root(config.copiesBucket), root(config.bucket), [entry.listing.path], 1);
  }
  return copied;
}

const root = (bucket: string) => ({ bucket, prefix: "" });

async function copyListed(config: Config, repository: string, entry: MarkerEntry, list: string): Promise<number> {
  let missing = 0;
  await compare(config, entry, list, () => missing++);
  log("copying", { repository, backup: entry.backup, objects: entry.listing.objects, missing });
  if (missing > 0) {
    const layers = new Map<string | undefined, ReturnType<typeof batches<string>>>();
    await compare(config, entry, list, async ({ name, layer }) => {
      const prefix = copyFolder(config.site, layer);
      const from = { bucket: config.copiesBucket, prefix };
      const into =
        layers.get(layer) ??
        batches<string>(BATCH, (names) => copy(from, { bucket: config.bucket, prefix }, names, config.transfers));
      layers.set(layer, into);
      await into.add(name);
    });
    for (const layer of layers.values()) await layer.end();
    const lacking = new Findings();
    await compare(config, entry, list, ({ name }) => lacking.add(name));
    if (lacking.count > 0) {
      throw new JobError(`the copy of ${repository} in ${config.bucket} is not complete`, {
        value: lacking.shown(),
        allowed: "every object of the vault's copy with its size and MD5",
        fix: "start this job again: it copies what is missing",
      });
    }
  }
  log("verified", { repository, backup: entry.backup, objects: entry.listing.objects });
  return missing;
}

/**
 * Compares a copy's list with S3.
 * @param lacks is told what is not there
 * @throws JobError when another content is there under a name of the list
 */
async function compare(
  config: Config,
  entry: MarkerEntry,
  list: string,
  lacks: (file: KeyedFile) => unknown,
): Promise<void> {
  const folders = foldersOf(entry.manifest);
  const stored = (layer?: string) => listFolders(config.bucket, `${copyFolder(config.site, layer)}/`, folders);
  const others = new Findings();
  const streams = [readList(list, entry.listing.path), stored(), ...entry.layers.map(stored)];
  for await (const [file, ...places] of zip<KeyedFile>(streams)) {
    if (file === undefined) continue;
    const found = file.layer === undefined ? places[0] : places[1 + entry.layers.indexOf(file.layer)];
    const problem = difference(file, found);
    if (problem === undefined) continue;
    if (found === undefined) await lacks(file);
    else others.add(problem);
  }
  if (others.count === 0) return;
  throw new JobError(`${config.bucket} holds other content than the vault's copy`, {
    value: others.shown(),
    allowed: "objects that never change once they are written",
    fix: "versions show who put what there: find out who acted as standby-copier, and which of the two is right",
    final: true,
  });
}

/** Writes the marker, byte for byte the vault's. @throws JobError when another one is there afterwards */
async function name(config: Config, path: string): Promise<void> {
  await copy(root(config.copiesBucket), root(config.bucket), [path], 1);
  const [theirs, ours] = await Promise.all(
    [config.copiesBucket, config.bucket].map((bucket) => listUnder(bucket, markersPrefix(config.site))),
  );
  const problem = difference(theirs!.get(path)!, ours!.get(path));
  if (problem === undefined) return;
  throw new JobError(`marker ${path} in ${config.bucket} is not the vault's`, {
    value: problem,
    fix: "start this job again",
  });
}

/** The copy is there: is it tonight's, and could the standby take it? @throws JobError when not */
function judge({ site, copiesBucket, topology, maxAgeHours }: Config, marker: Marker): void {
  const problems = contractProblems(marker, topology);
  if (problems.length > 0) {
    log("the standby could not take this backup", {
      event: events.standbyContractBroken,
      severity: "ERROR",
      marker: marker.id,
      problems,
    });
    throw new JobError(`the standby could not take copy ${marker.id} of ${site}, which is in S3 now`, {
      value: problems,
      allowed: "a copy with the standby's nodes, racks and major version",
      fix: "change the standby's configuration to what the site has, and run pulumi up",
      final: true,
    });
  }
  // By repository: a marker of tonight carries on the old copy of what tonight could not copy.
  const old = Object.entries(marker.repositories)
    .map(([repository, { copy }]) => ({ repository, copy, hours: (Date.now() - momentOf(copy).getTime()) / 3_600_000 }))
    .filter(({ hours }) => hours > maxAgeHours);
  if (old.length === 0) return;
  throw new JobError(
    `the vault's newest copy of ${site} is old: ${old.map(({ repository }) => repository).join(", ")}`,
    {
      value: old.map(({ repository, copy, hours }) => `${repository}: ${copy} is ${hours.toFixed(1)} h old`),
      allowed: `copies of tonight in ${bucketUrl(copiesBucket)}, not older than ${maxAgeHours} h`,
      fix: "look at the vault's replication; what there is has been copied",
    },
  );
}
