/** The drill's writes to Cassandra, through one region each. */
import { auth, Client, policies, types } from "cassandra-driver";
import { insertStatement, parameters, partitionOf } from "./dataset";
import type { Row, Table } from "./tables";

/** How often a request is repeated that timed out; all of the drill's requests may be. */
const TRIES = 8;

export interface CassandraAccess {
  addresses: string[];
  datacenter: string;
  username: string;
  password: string;
}

class RepeatTimeouts extends policies.retry.RetryPolicy {
  override onWriteTimeout(
    info: policies.retry.OperationInfo,
    consistency: types.consistencies,
  ): policies.retry.DecisionInfo {
    return info.nbRetry < TRIES ? this.retryResult(consistency, false) : this.rethrowResult();
  }

  override onReadTimeout(
    info: policies.retry.OperationInfo,
    consistency: types.consistencies,
  ): policies.retry.DecisionInfo {
    return info.nbRetry < TRIES ? this.retryResult(consistency, false) : this.rethrowResult();
  }
}

/**
 * A client of one datacenter.
 * @param only talk to this node and no other
 */
export async function connect(access: CassandraAccess, only?: string): Promise<Client> {
  const { addresses, datacenter, username, password } = access;
  const nearby = new policies.loadBalancing.DCAwareRoundRobinPolicy(datacenter);
  const client = new Client({
    contactPoints: only ? [only] : addresses,
    localDataCenter: datacenter,
    authProvider: new auth.PlainTextAuthProvider(username, password),
    policies: {
      loadBalancing: only
        ? new policies.loadBalancing.WhiteListPolicy(nearby, [`${only}:9042`])
        : new policies.loadBalancing.TokenAwarePolicy(nearby),
      retry: new RepeatTimeouts(),
    },
    queryOptions: { consistency: types.consistencies.localQuorum, isIdempotent: true },
    socketOptions: { readTimeout: 60_000, connectTimeout: 20_000 },
    protocolOptions: { maxSchemaAgreementWaitSeconds: 60 },
  });
  try {
    await client.connect();
  } catch (error) {
    await client.shutdown();
    throw error;
  }
  return client;
}

/** Part of a table's partitions: every `of`-th, beginning with `first`. */
export interface Part {
  first: number;
  of: number;
}

/** Partitions of one row share a request; Cassandra logs a warning above ten. */
const PARTITIONS_AT_ONCE = 10;

/** Writes a part of a table, a partition per request, or several where a partition is a row. */
export async function writePart(
  client: Client,
  table: Table,
  rows: number,
  part: Part,
  inFlight: number,
): Promise<number> {
  const query = insertStatement(table);
  const partitions = Math.ceil(rows / table.partitionRows);
  const atOnce = table.partitionRows === 1 ? PARTITIONS_AT_ONCE : 1;
  let next = part.first;
  let written = 0;
  const batchOf = () => {
    const taken: Row[] = [];
    for (let count = 0; count < atOnce && next < partitions; count++, next += part.of) {
      taken.push(...partitionOf(table, next, rows));
    }
    return taken.map((row) => ({ query, params: parameters(table, row) }));
  };
  const worker = async () => {
    for (let batch = batchOf(); batch.length > 0; batch = batchOf()) {
      await client.batch(batch, { prepare: true, logged: false });
      written += batch.length;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return written;
}

/** Runs schema statements one after the other; each waits for all nodes to agree. */
export async function createSchema(client: Client, statements: string[]): Promise<void> {
  for (const statement of statements) await client.execute(statement);
}
