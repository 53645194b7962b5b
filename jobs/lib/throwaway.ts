/**
 * The throwaway Cassandra beside a verification: a container that shares a folder with the job, starts the server while the
 * file `run` is there and ends it when it goes. Each node of a backup becomes that server in turn, as a restore would make it:
 * its own tokens, its SSTables, its schema. Nothing outside the pod hears of it.
 */
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, policies } from "cassandra-driver";
import type { Limits } from "./cql";
import { TimeOver } from "./verifying";
import { waitFor } from "./wait";

/** Files in the shared folder. The component's script knows them too. */
const RUN = "run";
const STOPPED = "stopped";
export const SERVER_LOG = "server.log";

/** Name of the server's cluster; it has one member. */
const CLUSTER = "verification";

/** Where a node's SSTables go. */
export function dataFolder(work: string): string {
  return join(work, "cassandra", "data");
}

/** `cassandra.yaml` of a server that is one node of a backup and talks to nobody. */
export function serverConfig(work: string, host: string, tokens: readonly string[]): Record<string, unknown> {
  const below = (name: string) => join(work, "cassandra", name);
  return {
    cluster_name: CLUSTER,
    // As in the datacenters: a server without it refuses the files.
    uuid_sstable_identifiers_enabled: true,
    num_tokens: tokens.length,
    initial_token: tokens.join(","),
    auto_bootstrap: false,
    partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
    endpoint_snitch: "GossipingPropertyFileSnitch",
    // Roles come with the backup; who is in this pod has read it already.
    authenticator: "AllowAllAuthenticator",
    authorizer: "AllowAllAuthorizer",
    seed_provider: [{ class_name: "org.apache.cassandra.locator.SimpleSeedProvider", parameters: [{ seeds: host }] }],
    listen_address: host,
    rpc_address: host,
    start_native_transport: true,
    native_transport_port: 9042,
    storage_port: 7000,
    data_file_directories: [dataFolder(work)],
    commitlog_directory: below("commitlog"),
    saved_caches_directory: below("saved_caches"),
    hints_directory: below("hints"),
    cdc_raw_directory: below("cdc_raw"),
    commitlog_sync: "periodic",
    commitlog_sync_period: "10000ms",
    // What cannot be read is to be told, not to stop the server.
    disk_failure_policy: "ignore",
    concurrent_compactors: 1,
    // Wide rows and cold files take longer here than a service would wait.
    range_request_timeout: "120s",
    read_request_timeout: "120s",
  };
}

/** The server ended over what it was given: that is a finding about the copy. */
export class ServerEnded extends Error {}

/**
 * Starts the server over what lies in {@link dataFolder}.
 * @throws ServerEnded with its last lines; TimeOver when it does not answer in time
 */
export async function startServer(
  work: string,
  host: string,
  node: { rack: string; tokens: readonly string[]; datacenter: string },
  limits: Limits,
): Promise<Client> {
  const conf = join(work, "conf");
  await mkdir(conf, { recursive: true });
  // JSON is YAML.
  await writeFile(join(conf, "cassandra.yaml"), JSON.stringify(serverConfig(work, host, node.tokens)));
  await writeFile(join(conf, "cassandra-rackdc.properties"), `dc=${node.datacenter}\nrack=${node.rack}\n`);
  await rm(join(work, STOPPED), { force: true });
  await writeFile(join(work, RUN), "");
  return waitFor<Client, string>(
    async () => {
      if (await exists(join(work, STOPPED))) {
        throw new ServerEnded(`the server does not start from it: ${await lastLines(work)}`);
      }
      const client = new Client({
        contactPoints: [host],
        localDataCenter: node.datacenter,
        policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
        socketOptions: { readTimeout: 120_000 },
      });
      try {
        await client.connect();
        return { done: client };
      } catch (error) {
        await client.shutdown().catch(() => undefined);
        return { seen: (error as Error).message };
      }
    },
    {
      ...limits,
      onTimeout: (seen) => new TimeOver(`the throwaway Cassandra did not answer in time: ${seen}`),
    },
  );
}

/** Ends the server and waits until it is gone. @throws TimeOver when it is not in time */
export async function stopServer(work: string, limits: Limits): Promise<void> {
  await rm(join(work, RUN), { force: true });
  await waitFor<true, string>(
    async () => ((await exists(join(work, STOPPED))) ? { done: true } : { seen: "it runs" }),
    { ...limits, onTimeout: () => new TimeOver("the throwaway Cassandra did not end in time") },
  );
}

/** What the server said about files that it could not read or left out; each kind of line once, at most `limit` of them. */
export async function complaints(work: string, limit = 20): Promise<string[]> {
  const log = await readFile(join(work, SERVER_LOG), "utf8").catch(() => "");
  const lines = log
    .split("\n")
    .filter((line) =>
      /Corrupt(SSTable|Block|File)Exception|Corrupt sstable|FS(Read)?Error|Cannot (open|read) sstable/.test(line),
    );
  return [...new Set(lines.map((line) => line.replace(/^.*?(ERROR|WARN)\s+/, "").slice(0, 300)))].slice(0, limit);
}

async function lastLines(work: string): Promise<string> {
  return (await readFile(join(work, SERVER_LOG), "utf8").catch(() => "")).trim().slice(-800);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
