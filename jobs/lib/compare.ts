/** Decisions over listings: what is missing, what differs, whether a repository kept still while it was copied. Pure. */
import { isPointer, parseRepository, repositoryFolder } from "../../plan/layout";
import type { StoredFile } from "./rclone";

/** How what is there differs from what has to be there. Extra objects are nobody's business here. */
export interface Difference {
  missing: StoredFile[];
  /** Present with another size or md5. */
  different: { expected: StoredFile; found: StoredFile }[];
}

/** Compares every expected object with what `lookup` finds under its name. An object without an md5 equals nothing. */
export function compare(
  expected: Iterable<StoredFile>,
  lookup: (file: StoredFile) => StoredFile | undefined,
): Difference {
  const difference: Difference = { missing: [], different: [] };
  for (const file of expected) {
    const found = lookup(file);
    if (found === undefined) {
      difference.missing.push(file);
    } else if (found.size !== file.size || found.md5 !== file.md5 || file.md5 === "") {
      difference.different.push({ expected: file, found });
    }
  }
  return difference;
}

/** One line for each object that is missing or different. */
export function describe(difference: Difference): string[] {
  const line = (file: StoredFile) => `${file.size} bytes, md5 ${file.md5 === "" ? "unknown" : file.md5}`;
  return [
    ...difference.missing.map((file) => `${file.name} is missing`),
    ...difference.different.map((d) => `${d.expected.name} is ${line(d.found)}, expected ${line(d.expected)}`),
  ];
}

/** The part of a listing that lies in a repository's folder. */
function within(repository: string, listing: ReadonlyMap<string, StoredFile>): StoredFile[] {
  return [...listing.values()].filter((file) => file.name.startsWith(`${repositoryFolder(repository)}/`));
}

/** Elasticsearch's generation files (root `index-N` and each shard's `index-…`) live only until the next snapshot. */
function isGeneration(name: string): boolean {
  return /\/index-[^/]+$/.test(name);
}

/** Temporary objects of Elasticsearch's repository verification: no part of a repository. */
function isVerification(repository: string, name: string): boolean {
  return name.startsWith(`${repository}/tests-`);
}

/**
 * What of a repository makes the copy of one backup. Elasticsearch: all of it as listed, since its files refer to each
 * other through the generation files. Cassandra: the manifest's files and Medusa's pointers of the nodes in it.
 * @param listing the repository's objects; others may be in it
 */
export function selection(
  repository: string,
  manifestFiles: readonly StoredFile[],
  listing: ReadonlyMap<string, StoredFile>,
): StoredFile[] {
  if (parseRepository(repository).kind === "elasticsearch") {
    return within(repository, listing).filter((file) => !isVerification(repository, file.name));
  }
  const folder = repositoryFolder(repository);
  const hosts = new Set(manifestFiles.map(({ name }) => name.slice(folder.length + 1).split("/")[0]));
  const hostOf = (pointer: string) => pointer.slice(`${folder}/index/latest_backup/`.length).split("/")[0];
  const pointers = within(repository, listing).filter(({ name }) => isPointer(name) && hosts.has(hostOf(name)));
  return [...manifestFiles.filter((file) => !isPointer(file.name)), ...pointers];
}

/** The manifest's files that have to be in the repository as long as the backup is. */
export function lasting(repository: string, manifestFiles: readonly StoredFile[]): StoredFile[] {
  const elastic = parseRepository(repository).kind === "elasticsearch";
  return manifestFiles.filter((file) => !isPointer(file.name) && !(elastic && isGeneration(file.name)));
}

/**
 * Did the source keep still between two listings? Returns why not; empty means it did. The copied objects have to be the
 * same, and in an Elasticsearch repository no generation may have come or gone.
 */
export function fence(
  repository: string,
  selected: readonly StoredFile[],
  before: ReadonlyMap<string, StoredFile>,
  after: ReadonlyMap<string, StoredFile>,
): string[] {
  const reasons = describe(compare(selected, (file) => after.get(file.name)));
  if (parseRepository(repository).kind === "elasticsearch") {
    const was = generations(repository, before);
    const is = generations(repository, after);
    if (was.length === 0) {
      reasons.push(`${repository}/index-N is missing: the repository holds no snapshot`);
    } else if (was.join() !== is.join()) {
      reasons.push(`generation of ${repository} was ${was.join(", ")}, is ${is.join(", ") || "none"}`);
    }
  }
  return reasons;
}

function generations(repository: string, listing: ReadonlyMap<string, StoredFile>): string[] {
  const pattern = new RegExp(`^${repository}/(index-\\d+)$`);
  return [...listing.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? []).sort();
}
