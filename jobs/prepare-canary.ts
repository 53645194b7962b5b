/** Makes the canaries' keyspace, table and role: the superuser's only part in them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobConfig } from "./config";
import { prepareCassandra } from "./lib/canaries";
import { askUntilAnswered } from "./lib/cql";
import type { Fields } from "./lib/log";

/** Runs the job; may be repeated. @throws JobError when Cassandra does not take the statements in time */
export async function prepareCanary(config: JobConfig<"prepare-canary">): Promise<Fields> {
  const read = async (file: string) => (await readFile(join(config.roleFolder, file), "utf8")).trim();
  const role = { username: await read("username"), password: await read("password") };
  const changed = await askUntilAnswered(config.cql, config.datacenter, config, (client) =>
    prepareCassandra(client, config.datacenters, config.replicas, role),
  );
  return { datacenters: config.datacenters, replicationChanged: changed };
}
