/**
 * The gate that says whether a Cassandra backup is complete. Medusa itself calls a backup done when it holds nothing (a failed
 * nodetool is only logged), so every node's own manifest is compared with the objects.
 *
 * The bucket is read as ordered streams, and only the folders of the backup's own hosts and Medusa's index: other datacenters'
 * lie beside them. In memory is what one node's manifest lists, one node at a time, and a page of a listing; the list of the
 * backup's objects goes where `add` takes it.
 */

import { byBytes, Findings, zip } from "./listing";
import type { KeyedFile } from "./lists";
import type { CassandraManifest } from "./manifest";
import { md5Hex, metaPath, type NodeMeta, nodeSections, nodeTokens, release, schemaDigest, tablesOf } from "./medusa";
import { isOfParts } from "./parts";
import type { StoredFile } from "./rclone";

/** Where the gate reads a backup. */
export interface BackupSource {
  /** Hosts that have written Medusa's manifest of it. */
  hosts: readonly string[];
  /** What a host's backup says of itself. */
  meta: (host: string) => Promise<NodeMeta>;
  /** Objects of a folder (with a slash at its end), by their whole names and in order. */
  listing: (folder: string) => AsyncIterable<KeyedFile>;
}

/** What the gate found: problems, or everything a manifest needs. */
export interface Verdict {
  problems: string[];
  nodes: CassandraManifest["nodes"];
  tables: CassandraManifest["tables"];
  schemaDigest: string;
  /** The schema of one of the nodes: of all of them, when there is no problem. */
  schema: string;
  versions: string[];
  /** Backups that Medusa's index has, those of every datacenter. */
  indexed: Set<string>;
}

/** Findings about single objects that a message shows. */
const SHOWN = 20;

/**
 * Is the backup complete? Every expected node and rack is in it, no node's backup is empty, every object that Medusa lists
 * lies in the bucket with its size and md5 (with its size alone, when it went to S3 in parts), every table of the schema is in every node's manifest, all nodes run one version,
 * and Medusa's index names each node as finished.
 * @param expected how many nodes and which racks the datacenter has
 * @param add takes the backup's objects, in the order of their names
 */
export function gate(
  prefix: string,
  backup: string,
  expected: { nodes: number; racks: readonly string[] },
  source: BackupSource,
  add: (file: StoredFile) => Promise<void>,
): Promise<Verdict> {
  return new Gate(prefix, backup, source, add).run(expected);
}

class Gate {
  private readonly problems: string[] = [];
  private readonly objects = new Findings(SHOWN);
  private readonly topology = new Map<string, { rack: string; tokens: string[] }>();
  private readonly tables = new Map<string, { objects: number; bytes: number; nodes: Record<string, number> }>();
  private readonly digests = new Set<string>();
  private readonly versions = new Set<string>();
  private readonly finished = new Set<string>();
  private readonly indexed = new Set<string>();
  private schema = "";

  constructor(
    private readonly prefix: string,
    private readonly backup: string,
    private readonly source: BackupSource,
    private readonly add: (file: StoredFile) => Promise<void>,
  ) {}

  async run(expected: { nodes: number; racks: readonly string[] }): Promise<Verdict> {
    const { hosts } = this.source;
    // One list for all of them: folders in the order of what lies in them.
    for (const folder of [...hosts.map((host) => `${host}/`), INDEX].sort(byBytes)) {
      if (folder === INDEX) await this.index();
      else await this.node(folder.slice(0, -1));
    }
    const unfinished = hosts.filter((host) => ![...this.finished].some((name) => name.startsWith(`finished_${host}_`)));
    this.problems.push(
      ...unfinished.map(
        (host) => `${this.indexFolder()}finished_${host}_… is missing: Medusa does not call node ${host} finished`,
      ),
    );
    this.judgeTopology(expected);
    if (this.digests.size > 1) this.problems.push("nodes disagree about the schema");
    if (this.versions.size > 1) this.problems.push(`nodes run different versions: ${[...this.versions].join(", ")}`);
    return {
      problems: [...this.problems, ...this.objects.shown()],
      nodes: [...this.topology].map(([host, node]) => ({ host, ...node })),
      tables: [...this.tables]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, sum]) => ({ keyspace: name.split(".")[0]!, table: name.split(".")[1]!, ...sum })),
      schemaDigest: [...this.digests][0] ?? "",
      schema: this.schema,
      versions: [...this.versions],
      indexed: this.indexed,
    };
  }

  private indexFolder(): string {
    return `${this.prefix}/${INDEX}${this.backup}/`;
  }

  /** Medusa's index of this backup belongs to it. */
  private async index(): Promise<void> {
    for await (const file of this.source.listing(`${this.prefix}/${INDEX}`)) {
      this.indexed.add(file.name.slice(this.prefix.length + 1 + INDEX.length).split("/")[0]!);
      if (!file.name.startsWith(this.indexFolder())) continue;
      this.finished.add(file.name.slice(this.indexFolder().length));
      await this.take(file);
    }
  }

  private async take(file: StoredFile): Promise<void> {
    if (file.md5 === "") this.objects.add(`${file.name} has no md5`);
    await this.add(file);
  }

  private async node(host: string): Promise<void> {
    const { backup, prefix, problems } = this;
    const meta = await this.source.meta(host);
    const where = (file: string) => metaPath(prefix, host, backup, file);
    for (const [each, node] of nodeTokens(meta.tokenmap, where("tokenmap.json"))) this.topology.set(each, node);
    this.schema ||= meta.schema;
    this.digests.add(schemaDigest(meta.schema));
    this.versions.add(release(meta.version));
    const tables = tablesOf(meta.schema);
    const wanted = this.wanted(meta, tables, where("manifest.json"));
    if (meta.schema.trim() === "") problems.push(`${where("schema.cql")} is empty`);
    // The rest of the meta folder belongs to the backup, too.
    const own = where("");
    for await (const [expected, found] of zip<Wanted | KeyedFile>([
      stream(wanted),
      this.source.listing(`${prefix}/${host}/`),
    ])) {
      const [listed, file] = [expected as Wanted | undefined, found as KeyedFile | undefined];
      if (listed !== undefined) this.compare(listed, file);
      if (file !== undefined && (listed !== undefined || file.name.startsWith(own)))
        await this.take(ofParts(file, listed));
    }
  }

  /** What a node's manifest lists, in the order of names, counted by table. */
  private wanted({ host, manifest }: NodeMeta, tables: ReadonlySet<string>, where: string): Wanted[] {
    const present = new Set<string>();
    const wanted: Wanted[] = [];
    let bytes = 0;
    for (const { table, objects } of nodeSections(manifest, where)) {
      present.add(table);
      const sum = this.tables.get(table) ?? { objects: 0, bytes: 0, nodes: {} };
      sum.nodes[host] ??= 0;
      for (const { path, size, MD5 } of objects) {
        wanted.push({ key: path, size, md5: MD5 === null ? null : md5Hex(MD5) });
        bytes += size;
        sum.objects++;
        sum.bytes += size;
        sum.nodes[host] += size;
      }
      if (tables.has(table)) this.tables.set(table, sum);
    }
    if (bytes === 0) this.problems.push(`the backup of node ${host} is empty`);
    const lacking = [...tables].filter((table) => !present.has(table));
    this.problems.push(...lacking.map((table) => `table ${table} is not in the backup of node ${host}`));
    return wanted.sort((a, b) => byBytes(a.key, b.key));
  }

  private compare({ key, size, md5 }: Wanted, found: KeyedFile | undefined): void {
    if (found === undefined) this.objects.add(`${key} is missing`);
    else if (found.size !== size) this.objects.add(`${key} has ${found.size} bytes, expected ${size}`);
    // Listings have no checksum of it: S3 took its parts as Medusa sent them, and Medusa wrote down what S3 answered.
    else if (md5 !== null && !isOfParts(md5) && found.md5 !== md5)
      this.objects.add(`${key} has md5 ${found.md5}, expected ${md5}`);
  }

  private judgeTopology({ nodes, racks }: { nodes: number; racks: readonly string[] }): void {
    const { hosts } = this.source;
    if (hosts.length !== nodes)
      this.problems.push(`${hosts.length} of ${nodes} nodes are in it: ${hosts.join(", ") || "none"}`);
    const absent = [...this.topology.keys()].filter((host) => !hosts.includes(host));
    this.problems.push(...absent.map((host) => `node ${host} of the token map has no finished backup`));
    const found = new Set([...this.topology.values()].map(({ rack }) => rack));
    this.problems.push(...racks.filter((rack) => !found.has(rack)).map((rack) => `no node of ${rack}`));
    const others = [...found].filter((rack) => !racks.includes(rack));
    this.problems.push(...others.map((rack) => `${rack} is no rack of the datacenter: ${racks.join(", ")}`));
  }
}

/** An object with the ETag of its parts, which listings do not have. */
function ofParts(file: KeyedFile, listed: Wanted | undefined): KeyedFile {
  const { md5 } = listed ?? {};
  return file.md5 === "" && md5 && isOfParts(md5) ? { ...file, md5 } : file;
}

/** Medusa's index of backups, below its prefix. */
const INDEX = "index/backup_index/";

/** An object that a node's manifest lists; without an md5 it is not compared. */
interface Wanted {
  key: string;
  size: number;
  md5: string | null;
}

/** Each name once: what is listed twice is the same object. */
async function* stream(sorted: readonly Wanted[]): AsyncGenerator<Wanted> {
  for (const [place, each] of sorted.entries()) if (sorted[place - 1]?.key !== each.key) yield each;
}
