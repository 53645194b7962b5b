/**
 * What objects were before: noncurrent versions and soft-deleted objects, in front of a storage server that keeps one
 * content a name. Sources: "Object Versioning", "Soft delete", "Object Lifecycle Management".
 *
 * A content that is about to go is copied into a bucket of the storage server that no request can name, and noted in a
 * ledger on disk. That comes first: a version with the generation of the live object (a kill came between) is none yet.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BucketSettings } from "../lib/types";
import type { CloudClock } from "./clock";
import { isDue, touchesLive, type VersionAge } from "./lifecycle";
import type { ObjectResource, Upstream } from "./upstream";

/** An object's content that is not the live one. */
export interface KeptVersion {
  /** As the API shows it, `timeDeleted` included. */
  resource: ObjectResource & { timeDeleted: string };
  /** Set when it was really deleted: until `hardDeleteTime` it can be restored, and by nobody removed. */
  soft?: { softDeleteTime: string; hardDeleteTime: string };
}

type Line = { kept: KeptVersion } | { gone: { name: string; generation: string } };

/** Versions of one bucket: by name, then by generation. */
type Ledger = Map<string, Map<string, KeptVersion>>;

export interface VersionsOptions {
  /** State folder. */
  dir: string;
  upstream: Upstream;
  clock: CloudClock;
  bucket(name: string): BucketSettings | undefined;
  /** Names of all buckets. */
  buckets(): string[];
}

/** Milliseconds between two looks at what became due without the clock being moved. */
const LOOK_MS = 60_000;
const DAY_S = 24 * 3600;

export class Versions {
  private readonly ledgers = new Map<string, Ledger>();
  private readonly locks = new Map<string, Promise<unknown>>();
  private readonly looked = new Map<string, number>();
  private readonly hidden = new Set<string>();
  private readonly folder: string;

  constructor(private readonly options: VersionsOptions) {
    this.folder = join(options.dir, "versions");
    mkdirSync(this.folder, { recursive: true });
  }

  /** One after another for each object: what is there must not change between the look and the deed. */
  async exclusively<T>(bucket: string, name: string, work: () => Promise<T>): Promise<T> {
    const key = `${bucket}/${name}`;
    const before = this.locks.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.locks.set(key, settled);
    await settled;
    if (this.locks.get(key) === settled) this.locks.delete(key);
    return mine;
  }

  /** The live object, or undefined. */
  live(bucket: string, name: string): Promise<ObjectResource | undefined> {
    return this.options.upstream.object(bucket, name);
  }

  /** Noncurrent versions and soft-deleted objects of a name, the oldest first; the live generation is not among them. */
  of(bucket: string, name: string, live: ObjectResource | undefined): KeptVersion[] {
    return [...(this.ledger(bucket).get(name)?.values() ?? [])]
      .filter(({ resource }) => resource.generation !== live?.generation)
      .sort((a, b) => Number(a.resource.generation) - Number(b.resource.generation));
  }

  /** A name's noncurrent version or soft-deleted object. */
  async find(bucket: string, name: string, generation: string, soft: boolean): Promise<KeptVersion | undefined> {
    const found = this.ledger(bucket).get(name)?.get(generation);
    if (!found || (found.soft !== undefined) !== soft) return undefined;
    const live = await this.live(bucket, name);
    return live?.generation === generation ? undefined : found;
  }

  /** Every name that has something kept. */
  names(bucket: string): IterableIterator<string> {
    return this.ledger(bucket).keys();
  }

  /**
   * Keeps the live content before it goes: as a noncurrent version where the bucket has versioning (unless `forever`),
   * else as a soft-deleted object where it has soft delete.
   */
  async keep(bucket: string, live: ObjectResource, forever = false): Promise<void> {
    const settings = this.options.bucket(bucket);
    const softSeconds = settings?.softDeleteSeconds ?? 0;
    const noncurrent = (settings?.versioning ?? false) && !forever;
    if (!noncurrent && softSeconds === 0) return;
    await this.hide(bucket, live);
    const now = this.options.clock.now();
    const kept: KeptVersion = { resource: { ...live, timeDeleted: now.toISOString() } };
    this.write(bucket, { kept: noncurrent ? kept : { ...kept, soft: softTimes(now, softSeconds) } });
  }

  /** What was kept did not go after all. */
  async drop(bucket: string, { name, generation }: Pick<ObjectResource, "name" | "generation">): Promise<void> {
    if (!this.ledger(bucket).get(name)?.has(generation)) return;
    this.write(bucket, { gone: { name, generation } });
    await this.options.upstream.remove(hiddenBucket(bucket), keyOf(name, generation));
  }

  /** Deletes a noncurrent version: it is soft-deleted, or gone where the bucket has no soft delete. */
  async remove(bucket: string, version: KeptVersion): Promise<void> {
    const softSeconds = this.options.bucket(bucket)?.softDeleteSeconds ?? 0;
    if (softSeconds === 0) return this.drop(bucket, version.resource);
    this.write(bucket, { kept: { ...version, soft: softTimes(this.options.clock.now(), softSeconds) } });
  }

  /** Makes a kept content live; the caller has seen to what is live now. */
  async restore(bucket: string, { resource }: KeptVersion): Promise<ObjectResource> {
    const { name, generation } = resource;
    return this.options.upstream.copy(hiddenBucket(bucket), keyOf(name, generation), bucket, name);
  }

  /** Where the storage server has a kept content. */
  place(bucket: string, { resource }: KeptVersion): { bucket: string; name: string } {
    return { bucket: hiddenBucket(bucket), name: keyOf(resource.name, resource.generation) };
  }

  /** Does the bucket hold noncurrent versions? Soft-deleted objects are no content of it. */
  async hasNoncurrent(bucket: string): Promise<boolean> {
    for (const [name, versions] of this.ledger(bucket)) {
      const candidates = [...versions.values()].filter(({ soft }) => !soft);
      if (candidates.length === 0) continue;
      const live = await this.live(bucket, name);
      if (candidates.some(({ resource }) => resource.generation !== live?.generation)) return true;
    }
    return false;
  }

  /** The bucket is gone, and everything that was kept of it. */
  async purge(bucket: string): Promise<void> {
    this.ledgers.delete(bucket);
    this.hidden.delete(bucket);
    rmSync(this.file(bucket), { force: true });
    await this.options.upstream.removeBucket(hiddenBucket(bucket));
  }

  /** Deletes what became due, at most once a minute of real time. */
  async look(bucket: string): Promise<void> {
    const now = Date.now();
    if (now - (this.looked.get(bucket) ?? 0) < LOOK_MS) return;
    this.looked.set(bucket, now);
    await this.settle(bucket);
  }

  /**
   * Moves the clock and deletes what became due, day by day: a move of N days is N days with the deletions of each. Google
   * takes up to a day for them, this takes none.
   * @throws CloudError 400 for a move that the clock does not make
   */
  async move(seconds: number): Promise<void> {
    const { clock } = this.options;
    clock.check(seconds);
    for (let left = seconds; left > 0; left -= DAY_S) {
      clock.move(Math.min(left, DAY_S));
      for (const bucket of this.options.buckets()) await this.settle(bucket, true);
    }
  }

  /** Applies the lifecycle's deletions and ends what was soft-deleted for long enough. */
  private async settle(bucket: string, moved = false): Promise<void> {
    const settings = this.options.bucket(bucket);
    if (!settings) return;
    const { clock, upstream } = this.options;
    const now = clock.now();
    for (const [name, versions] of this.ledger(bucket)) {
      for (const version of [...versions.values()]) {
        const { resource, soft } = version;
        if (soft) {
          if (new Date(soft.hardDeleteTime) <= now) await this.drop(bucket, resource);
          continue;
        }
        const timeCreated = new Date(resource.timeCreated);
        const newer = [...versions.values()].filter(
          (each) => Number(each.resource.generation) > Number(resource.generation) && !each.soft,
        );
        const age: VersionAge = { name, timeCreated, timeDeleted: new Date(resource.timeDeleted), newer: newer.length };
        if (isRetained(settings, timeCreated, now)) continue;
        const live = settings.lifecycle.some(({ condition }) => condition.numNewerVersions !== undefined)
          ? await this.live(bucket, name)
          : undefined;
        if (live?.generation === resource.generation) continue;
        if (isDue(settings.lifecycle, { ...age, newer: age.newer + (live ? 1 : 0) }, now))
          await this.remove(bucket, version);
      }
    }
    if (!moved || !touchesLive(settings.lifecycle)) return;
    for (const object of await upstream.list(bucket, "", "")) {
      const timeCreated = new Date(object.timeCreated);
      if (isRetained(settings, timeCreated, now)) continue;
      if (!isDue(settings.lifecycle, { name: object.name, timeCreated, newer: 0 }, now)) continue;
      await this.exclusively(bucket, object.name, async () => {
        const live = await this.live(bucket, object.name);
        if (live?.generation !== object.generation) return;
        await this.keep(bucket, live);
        await upstream.remove(bucket, object.name);
      });
    }
  }

  /** Copies a live content to where no request can name it. */
  private async hide(bucket: string, { name, generation }: ObjectResource): Promise<void> {
    const { upstream } = this.options;
    if (!this.hidden.has(bucket)) await upstream.createBucket(hiddenBucket(bucket));
    this.hidden.add(bucket);
    await upstream.copy(bucket, name, hiddenBucket(bucket), keyOf(name, generation));
  }

  private ledger(bucket: string): Ledger {
    const known = this.ledgers.get(bucket);
    if (known) return known;
    const ledger: Ledger = new Map();
    this.ledgers.set(bucket, ledger);
    const file = this.file(bucket);
    if (!existsSync(file)) return ledger;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const read = parsed(line);
      if (read) apply(ledger, read);
    }
    // Without what is gone; written beside and renamed, so that a kill leaves the old file or the new one.
    const lines = [...ledger.values()].flatMap((versions) => [...versions.values()]);
    writeFileSync(`${file}.new`, lines.map((kept) => `${JSON.stringify({ kept })}\n`).join(""));
    renameSync(`${file}.new`, file);
    return ledger;
  }

  private write(bucket: string, line: Line): void {
    apply(this.ledger(bucket), line);
    appendFileSync(this.file(bucket), `${JSON.stringify(line)}\n`);
  }

  private file(bucket: string): string {
    return join(this.folder, `${bucket}.jsonl`);
  }
}

/** Is the object younger than the bucket's retention? */
export function isRetained(settings: BucketSettings | undefined, timeCreated: Date, now: Date): boolean {
  return timeCreated.getTime() + (settings?.retentionSeconds ?? 0) * 1000 > now.getTime();
}

function apply(ledger: Ledger, line: Line): void {
  if ("kept" in line) {
    const { name, generation } = line.kept.resource;
    const versions = ledger.get(name) ?? new Map<string, KeptVersion>();
    versions.set(generation, line.kept);
    ledger.set(name, versions);
    return;
  }
  const versions = ledger.get(line.gone.name);
  versions?.delete(line.gone.generation);
  if (versions?.size === 0) ledger.delete(line.gone.name);
}

/** Undefined for a line that a kill cut off. */
function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

function softTimes(now: Date, seconds: number): KeptVersion["soft"] {
  const hardDeleteTime = new Date(now.getTime() + seconds * 1000).toISOString();
  return { softDeleteTime: now.toISOString(), hardDeleteTime };
}

/** A dot cannot be in the name of a bucket of the sandbox. */
const hiddenBucket = (bucket: string): string => `${bucket}.versions`;

/** Flat, as the storage server's names are files, and unique: generations are so for one name alone. */
const keyOf = (name: string, generation: string): string =>
  `${generation}-${createHash("sha256").update(name).digest("hex").slice(0, 24)}`;
