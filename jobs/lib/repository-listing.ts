/**
 * Elasticsearch's own listing of its snapshot repository (the root `index-N`) held against the objects. What lies inside a
 * shard's files is the deep verification's to read.
 */
import { z } from "zod";
import { byBytes, zip } from "./listing";
import { parseDocument } from "./manifest";

/** State of a snapshot in the listing that is whole. */
const SUCCESS = 1;

const listingSchema = z.object({
  snapshots: z.array(z.object({ name: z.string(), uuid: z.string(), state: z.int().optional() })),
  indices: z.record(
    z.string(),
    // Members by their uuid, or by their place among the snapshots.
    z.object({ id: z.string().min(1), snapshots: z.array(z.union([z.string(), z.int()])) }),
  ),
});

/** Names of a repository's objects in order; it may be read more than once. */
export type Names = () => AsyncIterable<{ key: string }>;

/** Path of the newest root listing; undefined: the repository has none. */
export async function rootListing(repository: string, names: Names): Promise<string | undefined> {
  const pattern = new RegExp(`^${repository}/index-(\\d+)$`);
  let newest: { name: string; generation: number } | undefined;
  for await (const { key } of names()) {
    const generation = Number(pattern.exec(key)?.[1] ?? Number.NaN);
    if (!Number.isNaN(generation) && (newest === undefined || generation > newest.generation))
      newest = { name: key, generation };
  }
  return newest?.name;
}

/**
 * Why a snapshot is not whole in its repository; empty when it is. In memory are the names that the snapshot's shards need, not
 * what lies in the repository.
 * @param shards number of shards by index
 * @param read reads an object
 */
export async function repositoryProblems(
  repository: string,
  snapshot: { snapshot: string; uuid: string },
  shards: ReadonlyMap<string, number>,
  names: Names,
  read: (name: string) => Promise<string>,
): Promise<string[]> {
  const root = await rootListing(repository, names);
  if (root === undefined) return [`${repository}/index-N, the repository's own listing, is missing`];
  const { snapshots, indices } = parseDocument(listingSchema, await read(root), root);
  const place = snapshots.findIndex(({ name, uuid }) => name === snapshot.snapshot && uuid === snapshot.uuid);
  if (place < 0) return [`${root} does not list ${snapshot.snapshot}`];
  const { state = SUCCESS } = snapshots[place]!;
  const problems = state === SUCCESS ? [] : [`${root} lists it with state ${state}; ${SUCCESS} is allowed`];
  const needed = ["snap", "meta"].map((part) => `${repository}/${part}-${snapshot.uuid}.dat`);
  for (const [name, count] of shards) {
    const index = indices[name];
    if (!index?.snapshots.some((member) => member === snapshot.uuid || member === place)) {
      problems.push(`${root} does not list index ${name} in it`);
      continue;
    }
    for (let shard = 0; shard < count; shard++) {
      needed.push(`${repository}/indices/${index.id}/${shard}/snap-${snapshot.uuid}.dat`);
    }
  }
  for await (const [name, found] of zip([inOrder(needed), names()])) {
    if (name !== undefined && found === undefined) problems.push(`${name.key} is missing`);
  }
  return problems;
}

async function* inOrder(names: Iterable<string>): AsyncGenerator<{ key: string }> {
  for (const key of [...new Set(names)].sort(byBytes)) yield { key };
}
