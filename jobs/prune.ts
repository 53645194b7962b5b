/**
 * Removes second copies of a site that no tier keeps: their markers first, then lists that no marker names, then objects that no
 * list of a copy that stays names. A kill leaves objects that nobody names, which the next run removes; it leaves no marker
 * whose objects are gone.
 *
 * Never removed: what is inside the protection period, the newest copy of the site and of each of its repositories, anything at
 * all while one marker is not believed or one list of a copy that stays cannot be read. More than the breaker allows is removed
 * only when people approve it. Bucket lock and soft delete lie beneath.
 *
 * Memory does not grow with the copies: the markers' heads, a page of the bucket's listing, a line of each of two lists. On the
 * scratch disk lies the union of the lists: about 150 bytes an object that stays, twice.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { copyPath, listingsPrefix, markerOfPath, markerPath, markersPrefix } from "../plan/layout";
import { markerMaxBytes } from "../plan/markers";
import type { JobConfig } from "./config";
import { batches, Findings, zip } from "./lib/listing";
import { fetchList, type KeyedFile, ListWriter, readList, withScratch } from "./lib/lists";
import { type Fields, JobError, log } from "./lib/log";
import type { ListRef, Marker } from "./lib/manifest";
import { openMarker } from "./lib/markers";
import { readObjects } from "./lib/rclone";
import { keptByTiers, lastGood } from "./lib/tiers";
import { liveObjects, type ObjectVersion, removeLive } from "./lib/versions";

type Config = JobConfig<"prune">;

/** Removals under way at once. */
const PARALLEL = 16;
/** Markers read at once. */
const STEP = 20;
const DAY_MS = 24 * 3600 * 1000;

/** A marker of the site as the bucket has it. */
interface Found {
  id: string;
  version: ObjectVersion;
  /** Undefined: people have said that it is none. */
  marker?: Pick<Marker, "id"> & { lists: ListRef[]; repositories: string[] };
}

/** What is to go, counted. */
interface Survey {
  /** Objects of the site in the bucket, and those of them that no copy that stays names and that are past protection. */
  objects: number;
  removable: number;
  bytes: number;
}

/**
 * Runs the job.
 * @throws JobError when a marker is not believed, a list cannot be read, or the breaker is open: nothing was removed then
 * @throws StorageError when the storage refuses
 */
export async function prune(config: Config): Promise<Fields> {
  const { leaseIn: namespace, leaseSeconds: seconds } = config;
  if (namespace === undefined) return pruneSite(config, () => undefined);
  // Loaded here: a run that takes no lease starts without Kubernetes' client.
  const { withLease } = await import("./lib/lease");
  // A copy that is being made takes what lies there for granted: while it is, nothing may go, and the other way around.
  return withLease({ namespace, name: `replicate-${config.site}`, seconds }, (held) => pruneSite(config, held));
}

async function pruneSite(config: Config, held: () => void): Promise<Fields> {
  const now = config.now === undefined ? new Date() : new Date(config.now);
  const found = await readMarkers(config);
  const gone = removable(config, found, now);
  const staying = found.filter((each) => !gone.includes(each));
  const lists = new Map(staying.flatMap(({ marker }) => marker?.lists ?? []).map((list) => [list.path, list]));
  return withScratch(async (folder) => {
    const layers = await union(config, [...lists.values()], folder);
    const survey = await surveyed(config, layers, lists, now);
    const counts = { site: config.site, copies: staying.length, copiesRemoved: gone.length, ...survey };
    log("surveyed", { ...counts, gone: gone.map(({ id }) => id) });
    breaker(config, survey, now);
    if (config.dryRun) return { ...counts, note: "dry run: nothing was removed" };
    const removing = batches<ObjectVersion>(PARALLEL, async (some) => {
      held();
      await Promise.all(some.map((version) => removeLive(config.copiesBucket, version)));
    });
    for (const { version } of gone) await removing.add(version);
    await removing.end();
    for await (const version of doomed(config, layers, lists, now)) await removing.add(version);
    await removing.end();
    return counts;
  });
}

/** Every marker of the site. @throws JobError when one is not believed that people have not named */
async function readMarkers(config: Config): Promise<Found[]> {
  const { copiesBucket, site, markerKeys, distrusted } = config;
  const found: Found[] = [];
  const refused = new Findings();
  for await (const version of liveObjects(copiesBucket, markersPrefix(site))) {
    const id = markerOfPath(site, version.name);
    if (id === undefined || !/^copy-\d{8}t\d{6}z$/.test(id)) refused.add(`${version.name} is no marker's name`);
    else if (Number(version.size) > markerMaxBytes) refused.add(`${version.name} has ${version.size} bytes`);
    else found.push({ id, version });
  }
  for (let from = 0; from < found.length; from += STEP) {
    const some = found.slice(from, from + STEP).filter(({ id }) => !distrusted.includes(id));
    const texts = await readObjects(
      copiesBucket,
      some.map(({ id }) => markerPath(site, id)),
    );
    for (const each of some) {
      try {
        const marker = openMarker(texts.get(markerPath(site, each.id))!, site, each.id, markerKeys);
        const entries = Object.entries(marker.repositories);
        each.marker = {
          id: each.id,
          lists: entries.map(([, { listing }]) => listing),
          repositories: entries.map(([name]) => name),
        };
      } catch (error) {
        refused.add((error as Error).message);
      }
    }
  }
  if (refused.count === 0) return found;
  throw new JobError(`${refused.count} markers of site "${site}" are not believed: nothing is removed`, {
    value: refused.shown(),
    allowed: "markers that the vault's key has signed; without a key of an old one its copy would look like none",
    fix: "are all of the vault's keys there? If they are, find out who wrote these, and name their copies in copies.distrusted of the vault",
    final: true,
  });
}

/** Markers that go: no tier keeps them, they are past protection, and no repository's last copy is among them. */
function removable({ tiers, protectionDays }: Config, found: readonly Found[], now: Date): Found[] {
  const good = found.flatMap(({ marker }) => marker ?? []);
  const kept = new Set([
    ...keptByTiers(
      good.map(({ id }) => id),
      tiers,
    ),
    ...lastGood(good),
  ]);
  return found.filter(({ id, version }) => !kept.has(id) && isPast(version, protectionDays, now));
}

/** Is an object so old that it may go? At the very end of the period it may, as Google has it. */
export function isPast({ timeCreated }: Pick<ObjectVersion, "timeCreated">, days: number, now: Date): boolean {
  return now.getTime() - Date.parse(timeCreated) >= days * DAY_MS;
}

/** What lies among the objects; layers have their ids. */
const OBJECTS = "objects";

/** The lists' union on disk, a file a layer. @returns the files' layers in the bucket's order */
async function union(config: Config, lists: readonly ListRef[], folder: string): Promise<Map<string, string>> {
  const layers = new Map<string, string>();
  const list = join(folder, "list.jsonl");
  for (const ref of lists) {
    await fetchList(config.copiesBucket, ref, list);
    const named = new Set<string>();
    for await (const { layer } of readList(list, ref.path)) named.add(layer ?? OBJECTS);
    for (const layer of named) {
      const file = join(folder, `${layer}.jsonl`);
      const writer = new ListWriter(`${file}.new`);
      const known = layers.get(layer);
      const own = ofLayer(readList(list, ref.path), layer);
      for await (const [one, other] of zip(known === undefined ? [own] : [own, readList(known, "the union")])) {
        await writer.add((one ?? other)!);
      }
      await writer.end();
      await rename(`${file}.new`, file);
      layers.set(layer, file);
    }
  }
  // "layers/…" comes before "objects/…".
  return new Map([...layers].sort(([a], [b]) => (a === OBJECTS ? 1 : b === OBJECTS ? -1 : a < b ? -1 : 1)));
}

async function* ofLayer(list: AsyncIterable<KeyedFile>, wanted: string): AsyncGenerator<KeyedFile> {
  for await (const file of list) if ((file.layer ?? OBJECTS) === wanted) yield file;
}

/** Paths in the second copy that stay, in order. */
async function* staying(site: string, layers: ReadonlyMap<string, string>): AsyncGenerator<{ key: string }> {
  for (const [layer, file] of layers) {
    for await (const { key } of readList(file, "the union")) {
      yield { key: copyPath(site, { name: key, ...(layer !== OBJECTS && { layer }) }) };
    }
  }
}

/** Lists and objects that go, past protection and named by no copy that stays; `seen` is told of every object of the site. */
async function* doomed(
  { copiesBucket, site, protectionDays }: Config,
  layers: ReadonlyMap<string, string>,
  lists: ReadonlyMap<string, ListRef>,
  now: Date,
  seen: () => void = () => undefined,
): AsyncGenerator<ObjectVersion> {
  for await (const version of liveObjects(copiesBucket, listingsPrefix(site))) {
    seen();
    if (!lists.has(version.name) && isPast(version, protectionDays, now)) yield version;
  }
  const streams: AsyncIterable<{ key: string } & Partial<ObjectVersion>>[] = [
    staying(site, layers),
    liveObjects(copiesBucket, `${site}/`),
  ];
  for await (const [named, version] of zip(streams)) {
    if (version === undefined) continue;
    seen();
    if (named === undefined && isPast(version as ObjectVersion, protectionDays, now)) yield version as ObjectVersion;
  }
}

async function surveyed(
  config: Config,
  layers: ReadonlyMap<string, string>,
  lists: ReadonlyMap<string, ListRef>,
  now: Date,
): Promise<Survey> {
  const survey: Survey = { objects: 0, removable: 0, bytes: 0 };
  for await (const { size } of doomed(config, layers, lists, now, () => survey.objects++)) {
    survey.removable++;
    survey.bytes += Number(size);
  }
  return survey;
}

/** @throws JobError when more would go than one run may remove */
function breaker({ site, breaker, approvals }: Config, { objects, removable }: Survey, now: Date): void {
  const day = now.toISOString().slice(0, 10);
  const approved = Math.max(0, ...approvals.filter(({ date }) => date === day).map((each) => each.objects));
  const limit = Math.max(approved, breaker.floor, Math.floor(breaker.share * objects));
  if (removable <= limit) return;
  throw new JobError(
    `the pruner's breaker is open: ${removable} of ${objects} objects of site "${site}" would go; none did`,
    {
      value: removable,
      allowed: `${limit} objects (the greater of ${breaker.share * 100} % and ${breaker.floor}, or what is approved)`,
      fix: `find out why so much is named by no copy. If it is meant, set copies.pruneApprovals of the vault to [{ site: ${site}, date: "${day}", objects: ${removable} }] and start the job again that day (UTC)`,
      final: true,
    },
  );
}
