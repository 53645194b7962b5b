/**
 * A stage for faults of Cassandra's data: a ring of two real nodes on two racks that encrypt between each other, each row on
 * both. What operators would do to a node is done to its processes and files, by the same commands.
 */
import { types } from "cassandra-driver";
import { CassandraNode } from "../tests/lib/cassandra-node";

const KEYSPACE = "media";
const TABLE = "assets";
/** A superuser, and its password. */
export const USER = "drill";

/** The ring. */
export interface RingStage {
  nodes: [CassandraNode, CassandraNode];
}

export async function openRing(): Promise<RingStage> {
  const storage = { env: {}, bucket: "unused" };
  const first = await CassandraNode.start({ address: "127.78.0.1" }, storage);
  try {
    const second = await CassandraNode.start({ address: "127.78.0.2", rack: "rack2", joins: first }, storage);
    const replication = "WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 2}";
    await asking(
      first,
      async (execute) => {
        // The superuser that Cassandra comes with needs every node to log in; this one asks the nearest.
        await execute(`CREATE ROLE ${USER} WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${USER}'`);
        await execute(`ALTER KEYSPACE system_auth ${replication}`);
        await first.nodetool("repair", "--full", "system_auth");
        await execute(`CREATE KEYSPACE ${KEYSPACE} ${replication}`);
        await execute(`CREATE TABLE ${KEYSPACE}.${TABLE} (id int PRIMARY KEY, title text)`);
      },
      "cassandra",
    );
    return { nodes: [first, second] };
  } catch (error) {
    await first.stop();
    throw error;
  }
}

export async function closeRing({ nodes }: RingStage): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop()));
}

type Execute = (statement: string, values?: unknown[], consistency?: types.consistencies) => Promise<types.ResultSet>;

/** Asks one node, by a session of its own. */
export async function asking<T>(node: CassandraNode, work: (execute: Execute) => Promise<T>, user = USER): Promise<T> {
  const client = await node.client(user);
  try {
    return await work((statement, values = [], consistency = types.consistencies.localOne) =>
      client.execute(statement, values, { prepare: values.length > 0, consistency, fetchSize: 1_000_000 }),
    );
  } finally {
    await client.shutdown();
  }
}

/** Writes rows with these ids; acknowledged by every node that is to hold them, or by one when the other is away. */
export async function writeRows(
  node: CassandraNode,
  ids: number[],
  consistency = types.consistencies.all,
): Promise<void> {
  await asking(node, async (execute) => {
    for (const id of ids) {
      const values = [id, `title of ${id}${" ".repeat(Math.abs(id) % 50)}`];
      await execute(`INSERT INTO ${KEYSPACE}.${TABLE} (id, title) VALUES (?, ?)`, values, consistency);
    }
  });
}

/** Rows that a node answers with by itself. @throws what it answers instead */
export async function rowsOf(node: CassandraNode, consistency = types.consistencies.localOne): Promise<number> {
  return asking(node, async (execute) => {
    const { rows } = await execute(`SELECT id, title FROM ${KEYSPACE}.${TABLE}`, [], consistency);
    return rows.length;
  });
}

/** {@link rowsOf} while every other node is away: which replica answers is otherwise the coordinator's choice. */
export async function rowsAlone({ nodes }: RingStage, node: CassandraNode): Promise<number> {
  const others = nodes.filter((each) => each !== node);
  await Promise.all(others.map((each) => each.kill()));
  try {
    return await rowsOf(node);
  } finally {
    for (const each of others) await each.restart();
  }
}

/** Lines that a node has logged since it had logged `from` characters. */
export const saidSince = (node: CassandraNode, from: number, what: RegExp): string | undefined =>
  node.words
    .slice(from)
    .split("\n")
    .find((line) => what.test(line));

export const table = [KEYSPACE, TABLE] as const;
