/**
 * The fenced copy of one repository's newest backup into the vault: it counts only if the source kept still meanwhile, is
 * complete (manifest against objects) and every object was compared (size and md5) afterwards.
 *
 * Both buckets' listings are read as ordered streams, twice each: before the copy and after it. Memory does not grow with
 * the repository: some pages of each listing and one batch of names. The list of the copy's objects is kept on disk.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { events } from "../../plan/events";
import { copyFolder, listingPath, manifestPath, markerId, maxLayers } from "../../plan/layout";
import type { JobConfig } from "../config";
import { difference, foldersOf, generationProblem, place, selection, verify, withGenerations } from "./compare";
import { batches, Findings, listFolders, listOrdered, zip } from "./listing";
import {
  fetchList,
  type KeyedFile,
  ListWriter,
  readList,
  readManifest,
  storeList,
  type Written,
  withScratch,
} from "./lists";
import { JobError, log } from "./log";
import type { ListRef, Manifest, MarkerEntry } from "./manifest";
import { bucketUrl, copy } from "./rclone";

type Config = JobConfig<"replicate">;

/** What became of a repository. */
export interface CopiedRepository {
  entry: MarkerEntry;
  /** Objects that were not in the second copy before. */
  copied: number;
  copiedBytes: number;
}

/** The repository moved while it was copied: another attempt may find it still. */
class MovedError extends JobError {}

/** Names handed to rclone at once; the job holds that many in memory for each of two places. */
export const BATCH = 10_000;

/**
 * Copies a backup's objects that the second copy lacks.
 * @param copyId the run's id: the copy's own layer, and where its list lies. Another attempt takes a layer of its own, as nothing
 * can be overwritten; the list is written by the one that succeeds alone, so that its name says whose marker vouches for it
 * @param last what the newest copy has of the repository: its layers are looked through
 * @throws JobError when the source is incomplete or moves in every attempt, or the copy is not what it should be
 */
export async function copyRepository(
  config: Config,
  repository: string,
  backup: string,
  copyId: string,
  last?: MarkerEntry,
): Promise<CopiedRepository> {
  const manifest = await readManifest(config.bucket, repository, backup);
  if (manifest.repository !== repository || manifest.backup !== backup) {
    throw new JobError(`${manifestPath(repository, backup)} is the manifest of another backup`, {
      value: `${manifest.backup} of ${manifest.repository}`,
      fix: "take a new snapshot, and find out who wrote it there",
    });
  }
  const layers = [...(last?.layers ?? [])].sort().slice(1 - maxLayers);
  for (let attempt = 1, id = copyId; ; attempt++) {
    try {
      return await withScratch((folder) =>
        new Attempt(config, manifest, layers, { run: copyId, layer: id }, folder, last).run(),
      );
    } catch (error) {
      if (!(error instanceof MovedError) || attempt >= config.attempts) throw error;
      log("source moved, trying again", { repository, attempt, reasons: error.details.value });
      id = await unusedId(config);
    }
  }
}

/** An id under which no run or attempt has kept a layer. */
export async function unusedId(config: Config): Promise<string> {
  for (;;) {
    const id = markerId(new Date());
    const layer = listOrdered(config.copiesBucket, `${copyFolder(config.site, id)}/`);
    const { done } = await layer.next();
    await layer.return(undefined);
    if (done) return id;
    await sleep(1000);
  }
}

/** Counts and findings of the first pass. */
interface Survey {
  /** Layers that the copy's list names. */
  layers: Set<string>;
  missing: number;
  missingBytes: number;
  /** Objects that get into the copy's layer as their names hold other content. */
  renamed: number;
  generations: string[];
}

class Attempt {
  private readonly listFile: string;
  private readonly missingFile: string;

  constructor(
    private readonly config: Config,
    private readonly manifest: Manifest,
    private readonly layers: readonly string[],
    private readonly ids: { run: string; layer: string },
    private readonly folder: string,
    private readonly last: MarkerEntry | undefined,
  ) {
    this.listFile = join(folder, "listing.jsonl");
    this.missingFile = join(folder, "missing.jsonl");
  }

  async run(): Promise<CopiedRepository> {
    const { repository, backup } = this.manifest;
    const { copiesBucket, site } = this.config;
    const survey = await this.survey();
    const { missing, renamed, written } = survey;
    const layers = [...survey.layers].sort();
    log("copying", { repository, backup, missing, ...(renamed > 0 && { severity: "WARNING", renamed }) });
    await this.copyMissing();
    // What moved at the source is the reason for what differs in the copy.
    for (const check of await Promise.allSettled([this.fence(survey.generations), this.verifyCopy(layers)])) {
      if (check.status === "rejected") throw check.reason;
    }
    const listing = await storeList(copiesBucket, listingPath(site, this.ids.run, repository), this.listFile, written);
    log("verified", { repository, backup, objects: listing.objects });
    return {
      entry: { backup, copy: this.ids.layer, manifest: this.manifest, listing, layers },
      copied: missing,
      copiedBytes: survey.missingBytes,
    };
  }

  private source() {
    return listFolders(this.config.bucket, "", foldersOf(this.manifest));
  }

  private stored(layer?: string) {
    const { copiesBucket, site } = this.config;
    return listFolders(copiesBucket, `${copyFolder(site, layer)}/`, foldersOf(this.manifest));
  }

  private layered(ids: readonly string[]) {
    return ids.map((id) => ({ id, listing: this.stored(id) }));
  }

  /** First pass: writes the copy's list and what the second copy lacks of it. @throws JobError when the source is damaged */
  private async survey(): Promise<Survey & { written: Written }> {
    const { manifest, config } = this;
    const survey: Survey = { layers: new Set(), missing: 0, missingBytes: 0, renamed: 0, generations: [] };
    const writer = new ListWriter(this.listFile);
    const files = join(this.folder, "files.jsonl");
    await fetchList(config.bucket, manifest.files, files);
    const damage = new Findings();
    const source = withGenerations(manifest.repository, this.source(), survey.generations);
    const selected = selection(manifest, source, readList(files, manifest.files.path), damage);
    const lacking = new ListWriter(this.missingFile);
    const harmed = new Findings();
    let own = 0;
    const last = await this.lastList(harmed);
    const stored = [this.stored(), this.layered(this.layers), this.ids.layer] as const;
    for await (const { file, missing, renamed } of place(selected, ...stored, last, harmed)) {
      await writer.add(file);
      if (file.layer !== undefined) survey.layers.add(file.layer);
      if (file.name === manifestPath(manifest.repository, manifest.backup) || file.name === manifest.files.path) own++;
      if (!missing) continue;
      survey.missing++;
      survey.missingBytes += file.size;
      if (renamed) survey.renamed++;
      await lacking.add(file);
    }
    this.tellHarm(harmed);
    await lacking.end();
    const written = await writer.end();
    if (own !== 2) throw new MovedError("a manifest is gone", { value: [manifest.files.path] });
    if (damage.count > 0) throw damaged(manifest, config.bucket, damage);
    return { ...survey, written };
  }

  /** What the newest copy has, so that its objects are looked at each night. A list that is gone is harm as well. */
  private async lastList(harmed: Findings): Promise<AsyncIterable<KeyedFile> | undefined> {
    if (this.last === undefined) return undefined;
    const { listing } = this.last;
    const file = join(this.folder, "last.jsonl");
    try {
      await fetchList(this.config.copiesBucket, listing, file);
    } catch (error) {
      harmed.add(`${listing.path}: ${(error as Error).message}`);
      return undefined;
    }
    return readList(file, listing.path);
  }

  /** Nobody may change what is in the second copy: if it is another, this copy gets its own, and people have to look. */
  private tellHarm(harmed: Findings): void {
    if (harmed.count === 0) return;
    const { repository } = this.manifest;
    const about = { site: this.config.site, repository, copy: this.last?.copy, value: harmed.shown() };
    const what = `${harmed.count} objects of the newest copy are not what was copied`;
    log(what, { severity: "ERROR", event: events.copyDamaged, ...about });
  }

  private async copyMissing(): Promise<void> {
    const { bucket, copiesBucket, site, transfers } = this.config;
    const from = { bucket, prefix: "" };
    const into = (layer?: string) =>
      batches<string>(BATCH, (names) =>
        copy(from, { bucket: copiesBucket, prefix: copyFolder(site, layer) }, names, transfers),
      );
    const [objects, own] = [into(), into(this.ids.layer)];
    for await (const { name, layer } of readList(this.missingFile, "what is to be copied")) {
      await (layer === undefined ? objects : own).add(name);
    }
    await objects.end();
    // Pointers last: they lead to the rest.
    await own.end();
  }

  /** Did the source keep still? @throws MovedError when not */
  private async fence(was: string[]): Promise<void> {
    const { repository } = this.manifest;
    const reasons = new Findings();
    const is: string[] = [];
    const after = withGenerations(repository, this.source(), is);
    for await (const [copied, found] of zip<KeyedFile>([readList(this.listFile, "the copy"), after])) {
      const problem = copied && difference(copied, found);
      if (problem !== undefined) reasons.add(problem);
    }
    const problem = generationProblem(repository, was, is);
    if (problem !== undefined) reasons.add(problem);
    if (reasons.count === 0) return;
    throw new MovedError(`${repository} changed while it was copied`, {
      value: reasons.shown(),
      allowed: "a repository that nothing writes to during the copy",
      fix: "keep other snapshots and purges out of the night's window, then start this job again",
    });
  }

  /** Is all of it in the second copy? @throws JobError when not */
  private async verifyCopy(layers: readonly string[]): Promise<void> {
    const differences = new Findings();
    await verify(readList(this.listFile, "the copy"), this.stored(), this.layered(layers), differences);
    if (differences.count === 0) return;
    throw new JobError(`the copy of ${this.manifest.repository} is not complete`, {
      value: differences.shown(),
      allowed: "every object of the source with its size and md5",
      fix: "start this job again: it copies what is missing, and what differs into a layer of its own; find out who wrote it there",
    });
  }
}

function damaged({ repository, backup }: Manifest, bucket: string, damage: Findings): JobError {
  return new JobError(`backup ${backup} of ${repository} in ${bucketUrl(bucket)} is not what its manifest says`, {
    value: damage.shown(),
    allowed: "every object of the manifest with its size and md5",
    fix: "take a new snapshot (start the snapshot CronJob), then start this job again",
  });
}

/** Objects and bytes of some repositories' copies. */
export function totals(entries: Iterable<{ listing: ListRef }>): { objects: number; bytes: number } {
  const sum = { objects: 0, bytes: 0 };
  for (const { listing } of entries) {
    sum.objects += listing.objects;
    sum.bytes += listing.bytes;
  }
  return sum;
}
