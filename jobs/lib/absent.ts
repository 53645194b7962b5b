/**
 * A datacenter that is restored without the others of its site. Its nodes would remember the others' members, and keyspaces count
 * on replicas there: Cassandra refuses to change replication while it knows members that it cannot see, and statements that need
 * every datacenter (roles are written at EACH_QUORUM) fail.
 */
import type { Client } from "cassandra-driver";
import { readReplications } from "./cql";
import { metaPath } from "./medusa";
import { readObjects, writeObject } from "./rclone";
import { quotedName } from "./session";

/**
 * Lets a backup's nodes forget whom they knew, before it is restored: the tables with other members come back empty, and nodes find
 * each other by their seeds. Written into Medusa's manifests in the site's own bucket, of which the second copy keeps the originals.
 * May be repeated.
 */
export async function forgetMembers(
  bucket: string,
  prefix: string,
  backup: string,
  hosts: readonly string[],
): Promise<void> {
  const paths = hosts.map((host) => metaPath(prefix, host, backup, "manifest.json"));
  for (const [path, text] of await readObjects(bucket, paths)) {
    const changed = withoutMembers(text);
    if (changed !== undefined) await writeObject(bucket, path, changed);
  }
}

/** A node's manifest with no file of `system.peers` and `system.peers_v2`; undefined when it has none. */
export function withoutMembers(manifest: string): string | undefined {
  const sections = JSON.parse(manifest) as { keyspace: string; columnfamily: string; objects: unknown[] }[];
  const known = ({ keyspace, columnfamily }: { keyspace: string; columnfamily: string }) =>
    keyspace === "system" && /^peers(_v2)?-/.test(columnfamily);
  if (!sections.some((section) => known(section) && section.objects.length > 0)) return undefined;
  // An empty table, and not an absent one: Medusa empties what the node has of it so far.
  return JSON.stringify(sections.map((section) => (known(section) ? { ...section, objects: [] } : section)));
}

/**
 * Takes datacenters that are not `present` out of every keyspace, Cassandra's own included. May be repeated.
 * @param client of the superuser
 * @returns the keyspaces that were changed
 */
export async function leaveAbsent(client: Client, present: readonly string[]): Promise<string[]> {
  const changed: string[] = [];
  for (const { name, replication } of await readReplications(client)) {
    const statement = withoutOthers(name, replication, present);
    if (statement === undefined) continue;
    await client.execute(statement);
    changed.push(name);
  }
  return changed.sort();
}

/**
 * The statement that takes datacenters which are not `present` out of a keyspace; undefined when it has none, or would be left
 * with no replica at all: that is for people to see.
 */
export function withoutOthers(
  keyspace: string,
  { class: strategy = "", ...replicas }: Record<string, string>,
  present: readonly string[],
): string | undefined {
  if (!strategy.endsWith("NetworkTopologyStrategy")) return undefined;
  const names = Object.keys(replicas);
  const stay = names.filter((name) => present.includes(name));
  if (stay.length === names.length || stay.length === 0) return undefined;
  const options = stay.map((name) => `'${name}': ${replicas[name]}`).join(", ");
  return `ALTER KEYSPACE ${quotedName(keyspace)} WITH replication = {'class': 'NetworkTopologyStrategy', ${options}}`;
}
