/** The superuser and the replication of Cassandra's own keyspaces, as the operators keep them. */
import { auth, Client, policies } from "cassandra-driver";
import type { Replication } from "./decommission";

export interface Credentials {
  username: string;
  password: string;
}

/** Who a new node lets in first. */
const DEFAULT: Credentials = { username: "cassandra", password: "cassandra" };
/** Keyspaces that the operator replicates over the datacenters. */
const SYSTEM_KEYSPACES = ["system_auth", "system_distributed", "system_traces"];
const MAX_REPLICAS = 3;

/** A connection to one node; without a datacenter to that node only, wherever it is. */
function connect(address: string, credentials: Credentials, datacenter?: string): Client {
  return new Client({
    contactPoints: [address],
    ...(datacenter
      ? { localDataCenter: datacenter }
      : {
          policies: {
            loadBalancing: new policies.loadBalancing.AllowListPolicy(new policies.loadBalancing.RoundRobinPolicy(), [
              `${address}:9042`,
            ]),
          },
        }),
    authProvider: new auth.PlainTextAuthProvider(credentials.username, credentials.password),
    socketOptions: { connectTimeout: 5000, readTimeout: 20_000 },
  });
}

async function use<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.shutdown();
  }
}

/**
 * Makes sure that the superuser can log in, that the default one cannot, and that system keyspaces have replicas in the
 * datacenter. May be repeated. A node of a second datacenter knows nobody until it holds a part of system_auth: then a node
 * of another datacenter is asked to give it one.
 * @throws while nobody lets the superuser in
 */
export async function ensureSuperuser(options: {
  address: string;
  datacenter: string;
  size: number;
  credentials: Credentials;
  /** Nodes of other datacenters. */
  others: string[];
  /** Copies the data of a keyspace, whose replication has changed, to the datacenter's nodes. */
  repair(keyspace: string): Promise<void>;
}): Promise<void> {
  const { address, datacenter, credentials, others, repair } = options;
  const replicas = Math.min(MAX_REPLICAS, options.size);
  const refusal = await refused(connect(address, credentials, datacenter));
  if (refusal) {
    if (!(await refused(connect(address, DEFAULT, datacenter)))) {
      await use(connect(address, DEFAULT, datacenter), (client) => createSuperuser(client, credentials));
    } else {
      const [other] = others;
      if (!other) throw refusal;
      await use(connect(other, credentials), (client) => replicate(client, datacenter, replicas));
      // Not only when something was changed just now: an earlier try may have ended before its repair.
      for (const keyspace of SYSTEM_KEYSPACES) await repair(keyspace);
    }
  }
  await use(connect(address, credentials, datacenter), async (client) => {
    await client.execute("ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false");
    await replicate(client, datacenter, replicas);
  });
  // The replicas that a keyspace has gained are empty until a repair; of these keyspaces only the roles matter yet.
  await repair("system_auth");
}

/** Replication of every keyspace, as a node knows it. */
export async function readReplication(address: string, credentials: Credentials): Promise<Replication> {
  return use(connect(address, credentials), async (client) => {
    const { rows } = await client.execute("SELECT keyspace_name, replication FROM system_schema.keyspaces");
    return Object.fromEntries(rows.map((row) => [row.keyspace_name, row.replication]));
  });
}

/** Why a connection is not let in; undefined: it is. */
async function refused(client: Client): Promise<Error | undefined> {
  return use(client, async () => undefined).catch((error: Error) => error);
}

async function createSuperuser(client: Client, { username, password }: Credentials): Promise<void> {
  const quoted = (text: string) => text.replaceAll("'", "''");
  await client.execute(
    `CREATE ROLE IF NOT EXISTS "${username.replaceAll('"', '""')}" WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${quoted(password)}'`,
  );
}

/** Gives the datacenter its replicas; what other datacenters have stays. */
async function replicate(client: Client, datacenter: string, replicas: number): Promise<void> {
  for (const keyspace of SYSTEM_KEYSPACES) {
    const row = (
      await client.execute("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", [keyspace], {
        prepare: true,
      })
    ).first();
    const before = { ...(row?.get("replication") as Record<string, string>) };
    const strategy = before.class ?? "";
    delete before.class;
    delete before.replication_factor;
    const others = strategy.endsWith("NetworkTopologyStrategy") ? before : {};
    if (others[datacenter] === String(replicas)) continue;
    const all = { ...others, [datacenter]: String(replicas) };
    const options = Object.entries(all).map(([name, count]) => `'${name}': ${count}`);
    await client.execute(
      `ALTER KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', ${options.join(", ")}}`,
    );
  }
}
