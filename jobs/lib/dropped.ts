/**
 * What an earlier backup of a repository had and this one lacks: a dropped table, a deleted or emptied index. The backup is
 * as whole as the data is, so that its manifest is written; but people have to hear of it while an older backup still has
 * it. The manifest carries what nobody confirmed to the next night. Pure, but for {@link previousManifest}.
 */
import { manifestPath, manifestsPrefix, momentOf } from "../../plan/layout";
import { JobError, log, some } from "./log";
import {
  type CassandraManifest,
  type ElasticsearchManifest,
  type Manifest,
  manifestSchema,
  parseDocument,
} from "./manifest";
import { namesBelow, readObject } from "./rclone";

/** A table or index of a backup. */
export interface Part {
  /** `keyspace.table`, that of one node (`keyspace.table@host`), or the index's name. */
  name: string;
  empty: boolean;
}

/** A table or index that is gone. `backup` is the last one that holds it. */
export type Dropped = Manifest["dropped"][number];

/** What a manifest says besides its objects. */
type Described = Omit<CassandraManifest, "files"> | Omit<ElasticsearchManifest, "files">;

/** The tables or indices that a manifest lists. An index without documents has one file a shard, which says so. */
export function partsOf(head: Described): Part[] {
  return head.kind === "cassandra"
    ? head.tables.map(({ keyspace, table, bytes }) => ({ name: `${keyspace}.${table}`, empty: bytes === 0 }))
    : head.indices.map(({ name, shards, files }) => ({ name, empty: files <= shards }));
}

/** Names that are aliases of indices count as parts as well: an index that another one took the place of is not gone. */
export function withAliases(parts: readonly Part[], aliases: Record<string, { aliases: object }>): Part[] {
  const known = new Set(parts.map(({ name }) => name));
  const added = parts.flatMap(({ name, empty }) =>
    Object.keys(aliases[name]?.aliases ?? {})
      .filter((alias) => !known.has(alias))
      .map((alias) => ({ name: alias, empty })),
  );
  return [...parts, ...added];
}

/**
 * What is gone since the previous backup, and what was gone before and nobody confirmed.
 * @param held parts of the previous backup besides those that its manifest lists
 * @param mayEmpty names of parts that lose all their rows by themselves
 * @param approved names or patterns (`*` for anything) that people confirmed
 */
export function dropped(
  previous: Manifest | undefined,
  parts: readonly Part[],
  {
    approved,
    mayEmpty = new Set(),
    held = [],
  }: { approved: readonly string[]; mayEmpty?: ReadonlySet<string>; held?: readonly Part[] },
): Dropped[] {
  if (previous === undefined) return [];
  const now = new Map(parts.map((part) => [part.name, part]));
  const gone = ({ name, empty }: Part) => {
    const found = now.get(name);
    return found === undefined || (found.empty && !empty && !mayEmpty.has(name));
  };
  // What lay empty since is still missed; what has rows again, restored or new, is not.
  const before = previous.dropped.filter(({ name }) => now.get(name)?.empty ?? true);
  const known = new Set(before.map(({ name }) => name));
  const since = [...partsOf(previous), ...held].filter((part) => !known.has(part.name) && gone(part));
  return [...before, ...since.map(({ name }) => ({ name, backup: previous.backup }))]
    .filter(({ name }) => !approved.some((pattern) => fits(pattern, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function fits(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`).test(name);
}

/** Tables of a schema dump whose rows all have an end: they may lose every one of them. */
export function expiringTables(schema: string): Set<string> {
  const pattern =
    /^\s*CREATE TABLE (?:IF NOT EXISTS )?(?:"([^"]+)"|(\w+))\.(?:"([^"]+)"|(\w+))\s*\([^;]*?default_time_to_live\s*=\s*([1-9]\d*)/gim;
  return new Set([...schema.matchAll(pattern)].map((m) => `${m[1] ?? m[2]}.${m[3] ?? m[4]}`));
}

/** The newest manifest before a backup's; undefined when there is none, or none that can be read. */
export async function previousManifest(
  bucket: string,
  repository: string,
  backup: string,
): Promise<Manifest | undefined> {
  const prefix = manifestsPrefix(repository);
  const before = (await namesBelow(bucket, prefix))
    .map((path) => path.slice(prefix.length).replace(/\.json$/, ""))
    .filter((name) => /^night-(?:[a-z][a-z0-9]*-)?\d{8}t\d{6}z$/.test(name) && momentOf(name) < momentOf(backup))
    .sort((a, b) => momentOf(a).getTime() - momentOf(b).getTime())
    .at(-1);
  if (before === undefined) return undefined;
  const path = manifestPath(repository, before);
  try {
    return parseDocument(manifestSchema, await readObject(bucket, path), path);
  } catch (error) {
    // Tonight's backup is whole without it.
    log("cannot compare with the backup before", { severity: "ERROR", path, error: (error as Error).message });
    return undefined;
  }
}

/** The failure of a job whose backup is whole and whose data is not. Another attempt would find the same. */
export function droppedError(kind: "tables" | "indices", gone: readonly Dropped[]): JobError {
  return new JobError(`the backup is complete, but ${kind} of an earlier one are gone or empty`, {
    value: some(
      gone.map(({ name, backup }) => `${name}, last in ${backup}`),
      20,
    ),
    allowed: "what the backup before had, or what approvedDrops of the site's configuration names",
    fix: "not meant: restore it from that backup (docs/runbooks/dropped.md); meant: name it in iconik-dr:approvedDrops and `pulumi up`",
    final: true,
  });
}
