/**
 * Ends the recovery of a table: the loader has streamed everything, so each table is asked at LOCAL_QUORUM in the datacenter
 * of the backup, and the recovery is recorded as done. May be repeated.
 */
import type { JobConfig } from "./config";
import { type Fields, JobError, some } from "./lib/log";
import { quotedName, withSession } from "./lib/session";
import { openTableRecovery, wantedTables } from "./restore-table";

type Config = JobConfig<"restore-table-check">;

/** Runs the job. @throws JobError when a table does not answer */
export async function restoreTableCheck(config: Config): Promise<Fields> {
  const recovery = await openTableRecovery(config);
  const { backup, manifest } = recovery;
  if (recovery.done) return { recovery: config.id, backup, note: "done before", ...recovery.result };
  if (manifest.kind !== "cassandra") throw new JobError(`the manifest of ${config.repository} is not Cassandra's`);
  const tables = wantedTables(config, manifest);
  const failed: string[] = [];
  const empty: string[] = [];
  await withSession(config.cql, config.datacenter, async (client) => {
    for (const table of tables) {
      const name = `${quotedName(config.keyspace)}.${quotedName(table)}`;
      try {
        if ((await client.execute(`SELECT * FROM ${name} LIMIT 1`)).rowLength === 0) empty.push(table);
      } catch (error) {
        failed.push(`${table}: ${(error as Error).message}`);
      }
    }
  });
  if (failed.length > 0) {
    throw new JobError("tables do not answer after they were loaded", {
      value: some(failed),
      allowed: "an answer at LOCAL_QUORUM",
      fix: "see the nodes' logs, then start this Job again",
    });
  }
  // No row is no failure: what was deleted later than the backup stays deleted, unless the table was emptied for it.
  const result = { tables: tables.length, ...(empty.length > 0 && { withoutRows: some(empty) }) };
  await recovery.finish(result);
  return { recovery: config.id, backup, ...result };
}
