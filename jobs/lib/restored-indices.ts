/**
 * Which living indices a restore has made, by their uuids. Elasticsearch forgets where an index came from: once a primary
 * has moved or its node was started again, its recovery says PEER or EXISTING_STORE. The uuid stays as long as the index.
 */
import { z } from "zod";
import { restoredIndicesPath, restoredIndicesPrefix } from "../../plan/layout";
import { type Elasticsearch, find } from "./elastic";
import { parseDocument } from "./manifest";
import { listUnder, readObject, writeObject } from "./rclone";

/** `restored-indices/<marker>/<repository>.json` in a site's own bucket; `indices` are uuids by name. */
export const restoredIndicesSchema = z.object({
  version: z.literal(1),
  backup: z.string().min(1),
  indices: z.record(z.string(), z.string().min(1)),
});

/** Uuids by name of the indices that there are; of one alone when it is named. */
export async function uuidsOf(call: Elasticsearch, index = "_all"): Promise<Map<string, string>> {
  const url = `/${encodeURIComponent(index)}/_settings/index.uuid?flat_settings=true`;
  const found = await find<Record<string, { settings?: { "index.uuid"?: string } }>>(call, url);
  return new Map(Object.entries(found ?? {}).flatMap(([name, { settings }]) => entry(name, settings?.["index.uuid"])));
}

const entry = (name: string, uuid: string | undefined): [string, string][] =>
  uuid === undefined ? [] : [[name, uuid]];

/** The record of one repository's restore from one copy. */
export class RestoredIndices {
  private constructor(
    private readonly bucket: string,
    private readonly path: string,
    private readonly backup: string,
    private indices: Record<string, string>,
  ) {}

  /** Reads what earlier runs have recorded. */
  static async open(bucket: string, marker: string, repository: string, backup: string): Promise<RestoredIndices> {
    const path = restoredIndicesPath(marker, repository);
    const present = (await listUnder(bucket, restoredIndicesPrefix)).has(path);
    const known = present ? parseDocument(restoredIndicesSchema, await readObject(bucket, path), path) : undefined;
    return new RestoredIndices(bucket, path, backup, known?.backup === backup ? known.indices : {});
  }

  /** Is this living index one that the restore has made? */
  has(name: string, uuid: string | undefined): boolean {
    return uuid !== undefined && this.indices[name] === uuid;
  }

  /** Records indices of the restore with their uuids; nothing is written when they are known. */
  async add(names: readonly string[], uuids: ReadonlyMap<string, string>): Promise<void> {
    const fresh = names.filter((name) => uuids.has(name) && !this.has(name, uuids.get(name)));
    if (fresh.length === 0) return;
    this.indices = { ...this.indices, ...Object.fromEntries(fresh.map((name) => [name, uuids.get(name)!])) };
    const record = { version: 1, backup: this.backup, indices: this.indices };
    await writeObject(this.bucket, this.path, JSON.stringify(record));
  }
}
