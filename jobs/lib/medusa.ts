/**
 * Medusa's files in the bucket, and the gate that says whether a backup is complete. Medusa itself calls a backup done when
 * it holds nothing (a failed nodetool is only logged), so every node's own manifest is compared with the objects. Pure.
 *
 * Layout below `<prefix>/`: `<host>/<backup>/meta/{manifest.json,schema.cql,tokenmap.json,…}`, data in `<host>/data/…`
 * (differential) or `<host>/<backup>/data/…` (full), and `index/backup_index/<backup>/…`.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { parseDocument } from "./manifest";
import { checksumPattern, isOfParts } from "./parts";
import type { StoredFile } from "./rclone";

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

/** What the gate found: problems, or everything a manifest needs. */
export interface Verdict {
  problems: string[];
  files: StoredFile[];
  nodes: { host: string; rack: string; tokens: string[] }[];
  tables: { keyspace: string; table: string; objects: number; bytes: number }[];
  schemaDigest: string;
  versions: string[];
}

/** Hosts that have written Medusa's manifest of a backup, by the listing of the prefix. */
export function hostsOf(prefix: string, backup: string, listing: ReadonlyMap<string, StoredFile>): string[] {
  const end = `/${backup}/meta/manifest.json`;
  const names = [...listing.keys()].filter((name) => name.startsWith(`${prefix}/`) && name.endsWith(end));
  return names.map((name) => name.slice(prefix.length + 1, -end.length)).sort();
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

/**
 * Is the backup complete? Every expected node and rack is in it, no node's backup is empty, every object that Medusa lists
 * lies in the bucket with its size and md5 (without md5 when it went to S3 in parts), every table of the schema is in every node's manifest, and Medusa's index
 * names each node as finished.
 * @param expected how many nodes and which racks the datacenter has
 */
export function gate(
  prefix: string,
  backup: string,
  expected: { nodes: number; racks: readonly string[] },
  listing: ReadonlyMap<string, StoredFile>,
  metas: readonly NodeMeta[],
): Verdict {
  const verdict: Verdict = { problems: [], files: [], nodes: [], tables: [], schemaDigest: "", versions: [] };
  const wanted = new Map<string, string>();
  const sums = new Map<string, { objects: number; bytes: number }>();
  const topologies = new Map<string, { rack: string; tokens: string[] }>();
  for (const meta of metas) {
    checkNode(prefix, backup, meta, { listing, wanted, sums, topologies, verdict });
  }
  const hosts = new Set(metas.map(({ host }) => host));
  if (hosts.size !== expected.nodes) {
    verdict.problems.push(`${hosts.size} of ${expected.nodes} nodes are in it: ${[...hosts].join(", ") || "none"}`);
  }
  for (const [host, { rack, tokens }] of topologies) {
    verdict.nodes.push({ host, rack, tokens });
    if (!hosts.has(host)) {
      verdict.problems.push(`node ${host} of the token map has no finished backup`);
    }
  }
  const racks = new Set(verdict.nodes.map(({ rack }) => rack));
  verdict.problems.push(...expected.racks.filter((rack) => !racks.has(rack)).map((rack) => `no node of ${rack}`));
  const others = [...racks].filter((rack) => !expected.racks.includes(rack));
  verdict.problems.push(...others.map((rack) => `${rack} is no rack of the datacenter: ${expected.racks.join(", ")}`));

  // The index and the rest of each node's meta folder belong to the backup too.
  const belongs = (name: string) =>
    name.startsWith(`${prefix}/index/backup_index/${backup}/`) || name.includes(`/${backup}/meta/`);
  verdict.files = [...listing.values()]
    .filter((file) => wanted.has(file.name) || belongs(file.name))
    .map((file) => (file.md5 === "" ? { ...file, md5: wanted.get(file.name) ?? "" } : file));
  verdict.problems.push(...verdict.files.filter(({ md5 }) => md5 === "").map(({ name }) => `${name} has no md5`));
  verdict.tables = [...sums]
    .map(([name, sum]) => ({ keyspace: name.split(".")[0]!, table: name.split(".")[1]!, ...sum }))
    .sort((a, b) => (`${a.keyspace}.${a.table}` < `${b.keyspace}.${b.table}` ? -1 : 1));
  const digests = new Set(metas.map(({ schema }) => schemaDigest(schema)));
  if (digests.size > 1) {
    verdict.problems.push("nodes disagree about the schema");
  }
  verdict.schemaDigest = [...digests][0] ?? "";
  verdict.versions = [...new Set(metas.map(({ version }) => release(version)))];
  return verdict;
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
    table: columnfamily.replace(/-[0-9a-f]{32}.*$/, ""),
    // Below `<table>-<id>/.<index>/`.
    paths: objects.map(({ path }) => path).filter((path) => !/\/\.[^/]+\/[^/]+$/.test(path)),
  }));
}

interface Findings {
  listing: ReadonlyMap<string, StoredFile>;
  /** Objects that the backup needs, with the ETag of those that went to S3 in parts, else empty. */
  wanted: Map<string, string>;
  /** Objects and bytes by `keyspace.table`. */
  sums: Map<string, { objects: number; bytes: number }>;
  topologies: Map<string, { rack: string; tokens: string[] }>;
  verdict: Verdict;
}

function checkNode(prefix: string, backup: string, meta: NodeMeta, findings: Findings): void {
  const { listing, wanted, sums, verdict } = findings;
  const where = (file: string) => metaPath(prefix, meta.host, backup, file);
  const manifest = parseDocument(sections, meta.manifest, where("manifest.json"));
  for (const [host, node] of Object.entries(parseDocument(tokenmap, meta.tokenmap, where("tokenmap.json")))) {
    findings.topologies.set(host, { rack: node.rack, tokens: node.tokens.map(String) });
  }
  const present = new Set<string>();
  const tables = tablesOf(meta.schema);
  let bytes = 0;
  for (const section of manifest) {
    const name = `${section.keyspace}.${section.columnfamily.replace(/-[0-9a-f]{32}.*$/, "")}`;
    present.add(name);
    const sum = sums.get(name) ?? { objects: 0, bytes: 0 };
    for (const object of section.objects) {
      const found = listing.get(object.path);
      const checksum = object.MD5 === null ? "" : md5Hex(object.MD5);
      // Listings have no checksum of it: S3 took its parts as Medusa sent them, and Medusa wrote down what S3 answered.
      const ofParts = isOfParts(checksum);
      wanted.set(object.path, ofParts ? checksum : "");
      bytes += object.size;
      sum.objects++;
      sum.bytes += object.size;
      if (found === undefined) {
        verdict.problems.push(`${object.path} is missing`);
      } else if (found.size !== object.size) {
        verdict.problems.push(`${object.path} has ${found.size} bytes, expected ${object.size}`);
      } else if (!ofParts && object.MD5 !== null && found.md5 !== checksum) {
        verdict.problems.push(`${object.path} has md5 ${found.md5}, expected ${checksum}`);
      }
    }
    if (tables.has(name)) {
      sums.set(name, sum);
    }
  }
  if (bytes === 0) {
    verdict.problems.push(`the backup of node ${meta.host} is empty`);
  }
  if (meta.schema.trim() === "") {
    verdict.problems.push(`${where("schema.cql")} is empty`);
  }
  const lacking = [...tables].filter((table) => !present.has(table));
  verdict.problems.push(...lacking.map((table) => `table ${table} is not in the backup of node ${meta.host}`));
  const finished = `${prefix}/index/backup_index/${backup}/finished_${meta.host}_`;
  if (![...listing.keys()].some((name) => name.startsWith(finished))) {
    verdict.problems.push(`${finished}… is missing: Medusa does not call node ${meta.host} finished`);
  }
}

function release(version: string): string {
  try {
    return String((JSON.parse(version) as { release_version?: string }).release_version ?? "unknown");
  } catch {
    return "unknown";
  }
}
