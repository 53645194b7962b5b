/** What a deep verification leaves behind: the proof that a copy was restored and read, or what was wrong with it. */
import { z } from "zod";

const counted = z.object({
  name: z.string().min(1),
  /** Rows, or documents. */
  rows: z.int().min(0),
  /** Sum of the SHA-256 of every row as JSON, modulo 2^128, in hexadecimal: the same in any order. */
  digest: z.string().regex(/^[0-9a-f]{32}$/),
});

/** `evidence/<site>/<marker>/<repository>-<moment>-<ok|failed>.json` in the copies bucket. */
export const evidenceSchema = z.object({
  version: z.literal(1),
  site: z.string().min(1),
  marker: z.string().min(1),
  repository: z.string().min(1),
  backup: z.string().min(1),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  result: z.enum(["ok", "failed"]),
  /** Empty when the result is ok. */
  problems: z.array(z.string()),
  /** Things that are no damage: replicas that differ, checks that the server does not have. */
  notes: z.array(z.string()),
  /** Version of the server that read the copy. */
  server: z.string(),
  /** Objects and bytes that were read and compared with the marker's md5. Elasticsearch reads by itself: 0. */
  objects: z.int().min(0),
  bytes: z.int().min(0),
  /** What each node of the backup holds, or the search cluster as one. */
  nodes: z.array(z.object({ host: z.string(), parts: z.array(counted) })),
});

export type Evidence = z.infer<typeof evidenceSchema>;
export type Counted = z.infer<typeof counted>;
