/** Backups as the stores write them, small, for tests of the copy and restore jobs. */
import { createHash } from "node:crypto";
import { filesPath, manifestPath, medusaFolder, repository, restoredPath } from "../../plan/layout";
import { byBytes } from "../lib/listing";
import type { Manifest, Restored } from "../lib/manifest";
import type { StoredFile } from "../lib/rclone";

/** Size and md5 of a content under a name. */
export function fileOf(name: string, content: string | Buffer): StoredFile {
  return { name, size: Buffer.byteLength(content), md5: createHash("md5").update(content).digest("hex") };
}

/** Objects of one Cassandra backup below `cassandra/`; `count` data files besides Medusa's own. */
export function cassandraObjects(backup: string, count: number): Record<string, string> {
  const prefix = medusaFolder;
  const objects: Record<string, string> = {
    [`${prefix}/node-1/${backup}/meta/manifest.json`]: "[]",
    [`${prefix}/node-1/${backup}/meta/schema.cql`]: `-- ${backup}`,
    [`${prefix}/index/backup_index/${backup}/finished_node-1_1.timestamp`]: "1",
    [`${prefix}/index/latest_backup/node-1/backup_name.txt`]: backup,
  };
  for (let i = 0; i < count; i++) {
    objects[`${prefix}/node-1/data/media/files-0a/nb-${i}-big-Data.db`] = `sstable ${i}`;
  }
  return objects;
}

/** Objects of an Elasticsearch repository of that generation below `elasticsearch-emea/`. */
export function elasticsearchObjects(generation: number): Record<string, string> {
  const prefix = repository("elasticsearch", "emea");
  return {
    [`${prefix}/index-${generation}`]: `{"generation":${generation}}`,
    [`${prefix}/index.latest`]: `\0\0${generation}`,
    [`${prefix}/snap-u${generation}.dat`]: `snapshot ${generation}`,
    [`${prefix}/indices/abc/0/__blob`]: "segments",
    [`${prefix}/indices/abc/0/index-g${generation}`]: "shard generation",
  };
}

/** Objects that the manifest of such a backup lists. */
function filesOf(objects: Record<string, string>): StoredFile[] {
  const files = Object.entries(objects)
    .filter(([name]) => !name.includes("/latest_backup/"))
    .map(([name, content]) => fileOf(name, content));
  return files.sort((a, b) => byBytes(a.name, b.name));
}

/** Manifest of such a backup, with the list of its objects, each as the text of its object. */
export function manifestOf(
  kind: "cassandra" | "elasticsearch",
  backup: string,
  objects: Record<string, string>,
): { manifest: Manifest; list: string } {
  const now = new Date().toISOString();
  const files = filesOf(objects);
  const list = files.map((file) => `${JSON.stringify(file)}\n`).join("");
  const common = {
    version: 2 as const,
    repository: repository(kind, "emea"),
    backup,
    startedAt: now,
    finishedAt: now,
    files: {
      path: filesPath(repository(kind, "emea"), backup),
      sha256: createHash("sha256").update(list).digest("hex"),
      objects: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
    },
    dropped: [],
  };
  const manifest: Manifest =
    kind === "cassandra"
      ? {
          ...common,
          kind,
          datacenter: "emea",
          nodes: [{ host: "node-1", rack: "rack1", tokens: ["0"] }],
          racks: ["rack1"],
          schemaDigest: "00",
          tables: [{ keyspace: "media", table: "files", objects: 1, bytes: 1 }],
          versions: { cassandra: "5.0.4" },
        }
      : {
          ...common,
          kind,
          indices: [{ name: "assets", shards: 1, files: 1, bytes: 1, mappingsDigest: "00" }],
          versions: { elasticsearch: "9.2.0" },
        };
  return { manifest, list };
}

/** Puts a backup with its manifest into a bucket. @returns its objects, the manifest among them */
export async function putBackup(
  storage: { put(bucket: string, object: string, content: string): Promise<void> },
  bucket: string,
  kind: "cassandra" | "elasticsearch",
  backup: string,
  objects: Record<string, string>,
): Promise<Record<string, string>> {
  const { manifest, list } = manifestOf(kind, backup, objects);
  const all = {
    ...objects,
    [manifest.files.path]: list,
    [manifestPath(repository(kind, "emea"), backup)]: JSON.stringify(manifest),
  };
  for (const [name, content] of Object.entries(all)) {
    await storage.put(bucket, name, content);
  }
  return all;
}

/** Writes the record of a copy of site `prod` that was brought into a site's own bucket. */
export async function putRestored(
  storage: { put(bucket: string, object: string, content: string): Promise<void> },
  bucket: string,
  marker: string,
  repositories: Restored["repositories"],
): Promise<void> {
  const record: Restored = {
    version: 2,
    marker,
    source: "prod",
    copiedAt: new Date().toISOString(),
    objects: 1,
    bytes: 1,
    repositories,
  };
  await storage.put(bucket, restoredPath(marker), JSON.stringify(record));
}
