/**
 * A table that one node has lost while its peers have rows: removed files, a disk swapped by hand, a restore that left it out.
 * Sums over the nodes do not show it. Pure.
 *
 * When is a node without rows an alarm? Where a keyspace has as many replicas in the datacenter as there are nodes, every node has
 * every row, so that none is a loss, however small the table was. Where it has fewer, a node owns only some partitions: the few
 * that it had of a small table may have been deleted, with nobody at fault. There the node must have held {@link CERTAIN_BYTES}
 * and own the same tokens as before: so much of a table does not go by itself while the rest stays. A table all of whose rows
 * expire tells nothing in either case, nor does a node that came or went, nor one whose peers are empty: that is the table's.
 */
import { type Dropped, type Part, partsOf } from "./dropped";
import type { CassandraManifest, Manifest } from "./manifest";
import type { Keyspace } from "./replication";

/** Held by a node where not every node has every row: less may be a few partitions that were deleted. */
const CERTAIN_BYTES = 1024 * 1024;

type Head = Omit<CassandraManifest, "files">;

/** What the tables are judged by. */
export interface TableRules {
  keyspaces: readonly Keyspace[];
  /** Tables that lose all their rows by themselves. */
  mayEmpty: ReadonlySet<string>;
}

/** A table of one node as a part that {@link Dropped} and approvals name: `keyspace.table@host`. */
const partName = (table: string, host: string) => `${table}@${host}`;

/** The tables of a backup, and of each of its nodes. Manifests of before say nothing of nodes. */
export function withNodes(head: Head): Part[] {
  return [
    ...partsOf(head),
    ...head.tables.flatMap(({ keyspace, table, nodes = {} }) =>
      Object.entries(nodes).map(([host, bytes]) => ({
        name: partName(`${keyspace}.${table}`, host),
        empty: bytes === 0,
      })),
    ),
  ];
}

/** What nodes had of tables in an earlier backup and have to have in this one. */
export function heldByNodes(previous: Manifest | undefined, head: Head, { keyspaces, mayEmpty }: TableRules): Part[] {
  if (previous?.kind !== "cassandra") return [];
  const tokens = ({ nodes }: Head, host: string) =>
    nodes
      .find((node) => node.host === host)
      ?.tokens.toSorted()
      .join();
  const now = new Map(head.tables.map((each) => [`${each.keyspace}.${each.table}`, each.nodes ?? {}]));
  return previous.tables.flatMap(({ keyspace, table, nodes = {} }) => {
    const name = `${keyspace}.${table}`;
    const found = now.get(name) ?? {};
    if (mayEmpty.has(name)) return [];
    const replicas = Number(keyspaces.find((each) => each.name === keyspace)?.replication[head.datacenter] ?? 0);
    const everywhere = replicas >= head.nodes.length;
    return Object.entries(nodes)
      .filter(([host, bytes]) => bytes > 0 && found[host] !== undefined)
      .filter(
        ([host, bytes]) => everywhere || (bytes >= CERTAIN_BYTES && tokens(previous, host) === tokens(head, host)),
      )
      .filter(([host]) => Object.entries(found).some(([peer, bytes]) => peer !== host && bytes > 0))
      .map(([host]) => ({ name: partName(name, host), empty: false }));
  });
}
