/**
 * Decisions over listings, made as they stream by: what makes the copy of a backup, where the second copy has it, whether a
 * repository kept still while it was copied. Pure; of each stream one object is held.
 */
import { filesPath, isPointer, manifestPath, manifestsPrefix, medusaFolder, parseRepository } from "../../plan/layout";
import { Findings, zip } from "./listing";
import type { KeyedFile, ListedFile } from "./lists";
import type { Manifest } from "./manifest";
import { isOfParts } from "./parts";
import type { StoredFile } from "./rclone";

/**
 * Is it the same content? An object without an md5 equals nothing, but for what went to S3 in parts: no listing has a checksum
 * of it that compares, so that its size decides, and the content when the copy is verified (ADR 40).
 */
export function same(a: StoredFile, b: StoredFile): boolean {
  if (a.size !== b.size) return false;
  if (isOfParts(a.md5) !== isOfParts(b.md5)) return true;
  return a.md5 === b.md5 && a.md5 !== "";
}

/** How an object differs from what is expected, as a line; undefined when it doesn't. */
export function difference(expected: StoredFile, found: StoredFile | undefined): string | undefined {
  if (found === undefined) return `${expected.name} is missing`;
  if (same(found, expected)) return undefined;
  const line = (file: StoredFile) => `${file.size} bytes, md5 ${file.md5 === "" ? "unknown" : file.md5}`;
  return `${expected.name} is ${line(found)}, expected ${line(expected)}`;
}

/** Folders of the site's bucket that hold a backup's objects, each with a slash at its end, none inside another. */
export function foldersOf(manifest: Manifest): string[] {
  const { repository } = manifest;
  const own =
    manifest.kind === "cassandra"
      ? [...manifest.nodes.map(({ host }) => host), "index"].map((each) => `${medusaFolder}/${each}/`)
      : [`${repository}/`];
  return [...own, manifestsPrefix(repository)];
}

/** Elasticsearch's generation files (root `index-N` and each shard's `index-…`) live only until the next snapshot. */
function isGeneration(name: string): boolean {
  return /\/index-[^/]+$/.test(name);
}

/** Has an object of the manifest to be in the repository as long as the backup is? */
function isLasting({ kind }: Manifest, name: string): boolean {
  return !isPointer(name) && !(kind === "elasticsearch" && isGeneration(name));
}

/**
 * Is an object of the repository in the copy of one backup? Elasticsearch: all of it as listed, since its files refer to
 * each other through the generation files; not what its verification of the repository left. Cassandra: the manifest's
 * files, and Medusa's pointers of the nodes in it. Always: the manifest itself.
 */
function isSelected(manifest: Manifest, hosts: ReadonlySet<string>, name: string, inManifest: boolean): boolean {
  const { repository, backup } = manifest;
  if (name === manifestPath(repository, backup) || name === filesPath(repository, backup)) return true;
  if (name.startsWith(manifestsPrefix(repository))) return false;
  if (manifest.kind === "elasticsearch") return !name.startsWith(`${repository}/tests-`);
  const pointers = `${medusaFolder}/index/latest_backup/`;
  return name.startsWith(pointers) ? hosts.has(name.slice(pointers.length).split("/")[0]!) : inManifest;
}

/**
 * Objects of the source that make the copy of one backup, in order.
 * @param source the source's listing of {@link foldersOf}
 * @param files the manifest's list
 * @param damage takes how the source differs from the manifest: then the copy must not be made
 */
export async function* selection(
  manifest: Manifest,
  source: AsyncIterable<KeyedFile>,
  files: AsyncIterable<KeyedFile>,
  damage: Findings,
): AsyncGenerator<KeyedFile> {
  const hosts = new Set(manifest.kind === "cassandra" ? manifest.nodes.map(({ host }) => host) : []);
  for await (const [found, wanted] of zip([source, files])) {
    const problem = wanted && isLasting(manifest, wanted.name) ? difference(wanted, found) : undefined;
    if (problem !== undefined) damage.add(problem);
    if (found === undefined || !isSelected(manifest, hosts, found.name, wanted !== undefined)) continue;
    const md5 = found.md5 === "" && wanted !== undefined && isOfParts(wanted.md5) ? wanted.md5 : found.md5;
    if (problem === undefined && md5 === "") damage.add(`${found.name} has no md5`);
    yield { ...found, md5 };
  }
}

/** An object of a copy with the layer that has it or is to have it, and what is to be done. */
export interface Placed {
  file: ListedFile & { key: string };
  /** The second copy lacks it. */
  missing: boolean;
  /** Another content is known under its name. */
  renamed: boolean;
}

/**
 * Finds each object of a copy in the second copy, or the place where it can be created: nothing there can be overwritten,
 * so a content under a name in use gets into the copy's own layer, as pointers always do.
 * @param objects listing of what lies among the objects
 * @param layers listings of earlier copies' layers by id; names are the source's
 * @param own layer of the copy that is being made; empty as yet
 * @param last list of the newest copy, of which nothing can have changed; `damage` takes what has
 */
export async function* place(
  selected: AsyncIterable<KeyedFile>,
  objects: AsyncIterable<KeyedFile>,
  layers: readonly { id: string; listing: AsyncIterable<KeyedFile> }[],
  own: string,
  last: AsyncIterable<KeyedFile> = nothing(),
  damage: Findings = new Findings(),
): AsyncGenerator<Placed> {
  const streams = [selected, last, objects, ...layers.map(({ listing }) => listing)];
  for await (const [file, before, ...places] of zip(streams)) {
    const known = before && placeOf(before, places, layers);
    // A layer that is looked through no more says nothing.
    const problem = known && difference(before, known.found);
    if (problem !== undefined) damage.add(problem);
    if (file === undefined) continue;
    const { name, size, md5, key } = file;
    const at = places.findIndex((found) => found !== undefined && same(found, file));
    const renamed = places[0] !== undefined || isPointer(name);
    const layer = at > 0 ? layers[at - 1]!.id : at < 0 && renamed ? own : undefined;
    yield {
      file: { name, size, md5, key, ...(layer !== undefined && { layer }) },
      missing: at < 0,
      renamed: at < 0 && places[0] !== undefined,
    };
  }
}

async function* nothing(): AsyncGenerator<KeyedFile> {}

/** What lies at the place that a line of a list names; undefined when its layer is not among these. */
function placeOf(
  { layer }: ListedFile,
  [objects, ...rest]: readonly (KeyedFile | undefined)[],
  layers: readonly { id: string }[],
): { found: KeyedFile | undefined } | undefined {
  if (layer === undefined) return { found: objects };
  const index = layers.findIndex(({ id }) => id === layer);
  return index < 0 ? undefined : { found: rest[index] };
}

/**
 * How the second copy differs from a copy's list; nothing when all of it is there.
 * @param list the copy's
 * @param objects listing of what lies among the objects
 * @param layers listings of the layers that the list names
 */
export async function verify(
  list: AsyncIterable<KeyedFile>,
  objects: AsyncIterable<KeyedFile>,
  layers: readonly { id: string; listing: AsyncIterable<KeyedFile> }[],
  differences: Findings,
): Promise<void> {
  for await (const [file, ...places] of zip([list, objects, ...layers.map(({ listing }) => listing)])) {
    if (file === undefined) continue;
    const problem = difference(file, placeOf(file, places, layers)?.found);
    if (problem !== undefined) differences.add(problem);
  }
}

/** Passes a source's listing on and notes the generations of an Elasticsearch repository: its root `index-N`. */
export async function* withGenerations<T extends StoredFile>(
  repository: string,
  listing: AsyncIterable<T>,
  generations: string[],
): AsyncGenerator<T> {
  const pattern = new RegExp(`^${repository}/(index-\\d+)$`);
  for await (const object of listing) {
    const generation = pattern.exec(object.name)?.[1];
    if (generation !== undefined) generations.push(generation);
    yield object;
  }
}

/** Why the generations of a repository do not allow a copy; undefined when they do. */
export function generationProblem(repository: string, was: string[], is: string[]): string | undefined {
  if (parseRepository(repository).kind !== "elasticsearch") return undefined;
  if (was.length === 0) return `${repository}/index-N is missing: the repository holds no snapshot`;
  return was.join() === is.join()
    ? undefined
    : `generation of ${repository} was ${was.join(", ")}, is ${is.join(", ") || "none"}`;
}
