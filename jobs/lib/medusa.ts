/**
 * Medusa's files in the bucket: where they lie and what they say. Pure.
 *
 * Layout below `<prefix>/`: `<host>/<backup>/meta/{manifest.json,schema.cql,tokenmap.json,…}`, data in `<host>/data/…`
 * (differential) or `<host>/<backup>/data/…` (full), and `index/backup_index/<backup>/…`.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { parseDocument } from "./manifest";
import { checksumPattern } from "./parts";

const sections = z.array(
  z.object({
    keyspace: z.string(),
    /** `<table>-<id>`, for a secondary index `<table>-<id>.<index>`. */
    columnfamily: z.string(),
    objects: z.array(z.object({ path: z.string(), MD5: z.string().nullable(), size: z.number() })),
  }),
);
const tokenmap = z.record(
  z.string(),
  z.object({ tokens: z.array(z.union([z.number(), z.string()])), rack: z.string() }),
);

/** What a node's backup says, as texts out of its `meta/` folder. */
export interface NodeMeta {
  host: string;
  manifest: string;
  schema: string;
  tokenmap: string;
  version: string;
}

/** Hosts that have written Medusa's manifest of a backup, by the names of its meta files. */
export function hostsOf(prefix: string, backup: string, names: readonly string[]): string[] {
  const end = `/${backup}/meta/manifest.json`;
  const manifests = names.filter((name) => name.startsWith(`${prefix}/`) && name.endsWith(end));
  return manifests.map((name) => name.slice(prefix.length + 1, -end.length)).sort();
}

/** Path of one file of a host's `meta/` folder. */
export function metaPath(prefix: string, host: string, backup: string, file: string): string {
  return `${prefix}/${host}/${backup}/meta/${file}`;
}

/** An object of a node's backup with the table or index it belongs to; `columnfamily` as Medusa writes it, with the id. */
export interface NodeObject {
  keyspace: string;
  columnfamily: string;
  path: string;
}

/** Every object that a node's own manifest names. */
export function nodeObjects(manifest: string, where: string): NodeObject[] {
  return parseDocument(sections, manifest, where).flatMap(({ keyspace, columnfamily, objects }) =>
    objects.map(({ path }) => ({ keyspace, columnfamily, path })),
  );
}

/** `keyspace.table` of every table in a schema dump, Cassandra's own keyspaces left out. */
export function tablesOf(schema: string): Set<string> {
  const name = `(?:"([^"]+)"|(\\w+))`;
  const pattern = new RegExp(`^\\s*CREATE TABLE (?:IF NOT EXISTS )?${name}\\.${name}\\s*\\(`, "gim");
  const tables = [...schema.matchAll(pattern)].map((m) => ({ keyspace: m[1] ?? m[2]!, table: m[3] ?? m[4]! }));
  return new Set(tables.filter((t) => !/^system(_|$)/.test(t.keyspace)).map((t) => `${t.keyspace}.${t.table}`));
}

/** SHA-256 over a schema's statements in sorted order: nodes dump them in any order. */
export function schemaDigest(schema: string): string {
  const statements = schema.split(/;\s*(?:\n|$)/).map((statement) => statement.trim());
  return createHash("sha256").update(statements.sort().join(";\n")).digest("hex");
}

/** Base64 as Google and Medusa write an md5, to the hexadecimal of listings; hexadecimal and ETags of parts pass. */
export function md5Hex(text: string): string {
  return checksumPattern.test(text) ? text : Buffer.from(text, "base64").toString("hex");
}

/** Objects of one table in a node's backup. */
export interface NodeTables {
  keyspace: string;
  table: string;
  paths: string[];
}

/** What a node's backup has of each table, by its own manifest; files of secondary indices are left out: they are built anew. */
export function nodeTables(text: string, where: string): NodeTables[] {
  return parseDocument(sections, text, where).map(({ keyspace, columnfamily, objects }) => ({
    keyspace,
    table: tableName(columnfamily),
    // Below `<table>-<id>/.<index>/`.
    paths: objects.map(({ path }) => path).filter((path) => !/\/\.[^/]+\/[^/]+$/.test(path)),
  }));
}

/** Objects of a table, or of one of its indices, in a node's backup as Medusa lists them. */
export interface NodeSection {
  /** `keyspace.table`. */
  table: string;
  objects: { path: string; MD5: string | null; size: number }[];
}

/** What a node's manifest lists, by table. */
export function nodeSections(text: string, where: string): NodeSection[] {
  return parseDocument(sections, text, where).map(({ keyspace, columnfamily, objects }) => ({
    table: `${keyspace}.${tableName(columnfamily)}`,
    objects,
  }));
}

/** Racks and tokens of the nodes by host, as a node's token map has them. */
export function nodeTokens(text: string, where: string): Map<string, { rack: string; tokens: string[] }> {
  return new Map(
    Object.entries(parseDocument(tokenmap, text, where)).map(([host, { rack, tokens }]) => [
      host,
      { rack, tokens: tokens.map(String) },
    ]),
  );
}

/** Cassandra's release by a node's server_version.json; `unknown` when it does not say. */
export function release(version: string): string {
  try {
    return String((JSON.parse(version) as { release_version?: string }).release_version ?? "unknown");
  } catch {
    return "unknown";
  }
}

const tableName = (columnfamily: string) => columnfamily.replace(/-[0-9a-f]{32}.*$/, "");
