/** The superuser and the replication of Cassandra's own keyspaces, as the operators keep them. */
import { auth, Client } from "cassandra-driver";

export interface Credentials {
  username: string;
  password: string;
}

/** Who a new node lets in first. */
const DEFAULT: Credentials = { username: "cassandra", password: "cassandra" };
/** Keyspaces that the operator replicates over the datacenters. */
const SYSTEM_KEYSPACES = ["system_auth", "system_distributed", "system_traces"];
const MAX_REPLICAS = 3;

/** A connection to one node of a datacenter. */
function connect(address: string, datacenter: string, credentials: Credentials): Client {
  return new Client({
    contactPoints: [address],
    localDataCenter: datacenter,
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
 * datacenter. Their replicas have data after a repair only.
 */
export async function ensureSuperuser(options: {
  address: string;
  datacenter: string;
  size: number;
  credentials: Credentials;
}): Promise<void> {
  const { address, datacenter, credentials } = options;
  const login = await use(connect(address, datacenter, credentials), async () => true).catch(() => false);
  if (!login) {
    await use(connect(address, datacenter, DEFAULT), (client) => createSuperuser(client, credentials));
  }
  await use(connect(address, datacenter, credentials), async (client) => {
    await client.execute("ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false");
    await replicate(client, datacenter, Math.min(MAX_REPLICAS, options.size));
  });
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
