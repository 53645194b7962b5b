/** Makes the services' keyspace, tables and role. It is the superuser for that, which no service ever is. */

import type { z } from "zod";
import { cassandra, credentials } from "./cassandra";
import { log } from "./log";
import { roleStatements, schema } from "./schema";
import type { prepareSettings } from "./settings";

/** A ring that just came up or was just restored is asked until then. */
const PATIENCE_MS = 10 * 60_000;
const PAUSE_MS = 2_000;
/** Tables are made in every region before the statement ends. */
const SCHEMA_MS = 60_000;

/** Runs once and ends. @throws the last error when Cassandra does not take the statements */
export async function prepare(options: z.output<typeof prepareSettings>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await attempt(options);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      log({ waits: (error as Error).message });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function attempt(options: z.output<typeof prepareSettings>): Promise<void> {
  const [role, password] = await credentials(options.ROLE_CREDENTIALS);
  const client = await cassandra(options, "system");
  try {
    for (const statement of schema(options.DATACENTERS, options.REPLICATION_FACTOR))
      await client.execute(statement, [], { prepare: false, readTimeout: SCHEMA_MS });
    for (const statement of roleStatements(role, password))
      await client.execute(statement, [], { prepare: false, readTimeout: SCHEMA_MS });
  } finally {
    await client.shutdown();
  }
}
