/** The documents that jobs leave in the buckets, with a version each: manifests, markers, restore records. */
import { z } from "zod";
import { maxLayers } from "../../plan/layout";
import { JobError } from "./log";
import { checksumPattern } from "./parts";

const moment = z.iso.datetime();
const copyId = z.string().regex(/^copy-\d{8}t\d{6}z$/);

/** A line of a list of objects. */
export const fileSchema = z.object({
  name: z.string().min(1),
  size: z.int().min(0),
  /** Or the ETag of an object that went to S3 in parts, `<md5 of the parts' md5s>-<parts>`. */
  md5: z.string().regex(checksumPattern),
  /** In the list of a copy: the layer of the second copy that has it; none when it lies among the objects. */
  layer: copyId.optional(),
});

/** A list of objects: an object of its own, one line of JSON each, ordered by the UTF-8 bytes of the names. */
const listRef = z.object({
  path: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  objects: z.int().min(1),
  /** Sum of the objects' sizes. */
  bytes: z.int().min(0),
});

const common = {
  version: z.literal(2),
  /** `cassandra-<dc>` or `elasticsearch-<dc>`. */
  repository: z.string().min(1),
  /** `night-YYYYMMDDthhmmssz`, Cassandra's with the datacenter before the moment */
  backup: z.string().min(1),
  startedAt: moment,
  finishedAt: moment,
  /** The backup's objects. */
  files: listRef,
  /**
   * Tables, tables of a node (`keyspace.table@host`) or indices that an earlier backup had, the last of them `backup`, and that
   * nobody said should be gone.
   */
  dropped: z.array(z.object({ name: z.string().min(1), backup: z.string().min(1) })).default([]),
};

const cassandraManifest = z.object({
  ...common,
  kind: z.literal("cassandra"),
  datacenter: z.string().min(1),
  /** The topology a restore has to meet: as many nodes, the same racks. `host` is Medusa's name of the node. */
  nodes: z.array(z.object({ host: z.string(), rack: z.string(), tokens: z.array(z.string()).min(1) })).min(1),
  racks: z.array(z.string()).min(1),
  /** SHA-256 over the schema's statements, sorted. */
  schemaDigest: z.string(),
  /** Tables of the schema without Cassandra's own; objects and bytes are sums over the nodes. */
  tables: z.array(
    z.object({
      keyspace: z.string(),
      table: z.string(),
      objects: z.int(),
      bytes: z.int(),
      /** Bytes by the node's host. Manifests of before do not have it; readers of before pass over it. */
      nodes: z.record(z.string(), z.int()).optional(),
    }),
  ),
  versions: z.object({ cassandra: z.string() }),
});

const elasticsearchManifest = z.object({
  ...common,
  kind: z.literal("elasticsearch"),
  /** `files` and `bytes` are what the snapshot holds of the index; the digest is SHA-256 of its mappings. */
  indices: z
    .array(z.object({ name: z.string(), shards: z.int(), files: z.int(), bytes: z.int(), mappingsDigest: z.string() }))
    .min(1),
  versions: z.object({ elasticsearch: z.string() }),
});

/** `manifests/<repository>/<backup>.json`: exists only for a backup that was found complete. */
export const manifestSchema = z.discriminatedUnion("kind", [cassandraManifest, elasticsearchManifest]);

/** What a marker says of one repository. */
const markerEntry = z.object({
  backup: z.string(),
  /** The copy's id: the marker's own, unless it was copied by an earlier run or a later attempt. */
  copy: copyId,
  /** The backup's manifest. */
  manifest: manifestSchema,
  /** Every object of the copy by its name in the primary bucket. */
  listing: listRef,
  /** Layers of the second copy that the listing names. */
  layers: z.array(copyId).max(maxLayers),
});

/** `markers/<site>/<id>.json` in the vault: a copy that is complete and verified. */
export const markerSchema = z.object({
  version: z.literal(2),
  site: z.string().min(1),
  id: copyId,
  createdAt: moment,
  repositories: z.record(z.string(), markerEntry),
});

/** `restores/started.json` in a site's own bucket: the copy that is brought in, and no other. */
export const restoreStartedSchema = z.object({
  version: z.literal(1),
  marker: copyId,
  source: z.string().min(1),
  startedAt: moment,
});

/** `restores/<marker>.json` in a site's own bucket: the copy has been brought in whole. */
export const restoredSchema = z.object({
  version: z.literal(2),
  marker: z.string().min(1),
  source: z.string().min(1),
  copiedAt: moment,
  objects: z.int(),
  bytes: z.int(),
  repositories: z.record(z.string(), z.object({ backup: z.string(), manifest: manifestSchema })),
});

export type ListRef = z.infer<typeof listRef>;
export type CassandraManifest = z.infer<typeof cassandraManifest>;
export type ElasticsearchManifest = z.infer<typeof elasticsearchManifest>;
export type Manifest = z.infer<typeof manifestSchema>;
export type Marker = z.infer<typeof markerSchema>;
export type MarkerEntry = z.infer<typeof markerEntry>;
export type RestoreStarted = z.infer<typeof restoreStartedSchema>;
export type Restored = z.infer<typeof restoredSchema>;

/** Reads a document of one of the schemas. @throws JobError naming the object and everything wrong in it. */
export function parseDocument<S extends z.ZodType>(schema: S, text: string, where: string): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JobError(`${where} is no JSON: ${(error as Error).message}`, { value: text.slice(0, 100) });
  }
  const result = schema.safeParse(value);
  const version = (value as { version?: unknown } | null)?.version;
  if (!result.success) {
    throw new JobError(`${where} is not what this version reads`, {
      value: z.prettifyError(result.error),
      allowed: "a document of a version that it knows",
      fix: `use the dr-jobs image that wrote it (the document says version ${JSON.stringify(version) ?? "none"})`,
    });
  }
  return result.data;
}
