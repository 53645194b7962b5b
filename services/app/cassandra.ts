/** The services' way to Cassandra: their own region's datacenter, at LOCAL_QUORUM, as a role of their own. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { auth, Client, policies, types } from "cassandra-driver";
import { appKeyspace } from "../../plan/names";

/** Milliseconds after which a second node is asked the same. */
const SILENT_MS = 1_000;
/** Milliseconds that a request may take. */
const READ_TIMEOUT_MS = 5_000;

/** A client that connects with its first request. @throws when a file of the credentials is absent */
export async function cassandra(
  options: { DATACENTER: string; CASSANDRA_CONTACT_POINTS: string[]; CASSANDRA_CREDENTIALS: string },
  keyspace: string | undefined = appKeyspace,
): Promise<Client> {
  const [username, password] = await credentials(options.CASSANDRA_CREDENTIALS);
  return new Client({
    contactPoints: options.CASSANDRA_CONTACT_POINTS,
    localDataCenter: options.DATACENTER,
    keyspace,
    authProvider: new auth.PlainTextAuthProvider(username, password),
    policies: {
      loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
        new policies.loadBalancing.DCAwareRoundRobinPolicy(options.DATACENTER),
      ),
      // A node that says nothing is not waited for: another one is asked beside it.
      speculativeExecution: new policies.speculativeExecution.ConstantSpeculativeExecutionPolicy(SILENT_MS, 1),
    },
    // Every statement can be made twice: what a node that dies had been asked, another one is asked.
    queryOptions: { consistency: types.consistencies.localQuorum, prepare: true, isIdempotent: true },
    socketOptions: { readTimeout: READ_TIMEOUT_MS },
    pooling: { warmup: false },
  });
}

/** Name and password in a folder that a Secret is mounted at. */
export async function credentials(folder: string): Promise<[username: string, password: string]> {
  const read = async (file: string) => (await readFile(join(folder, file), "utf8")).trim();
  return [await read("username"), await read("password")];
}
