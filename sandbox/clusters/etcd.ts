/** One etcd for all API servers of the sandbox; each keeps its keys below a prefix of its own. */
import { join } from "node:path";
import { freePorts, type ProcessTable, type Running, waitUntil } from "../lib/process";

export interface Etcd {
  endpoint: string;
  /** Removes every key below a prefix: the lost memory of a lost cluster. */
  removePrefix(prefix: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts etcd below `dir` and waits for its health. Writes are not synced to disk: a sandbox may lose them with the machine. */
export async function startEtcd(options: { dir: string; binary: string; processes: ProcessTable }): Promise<Etcd> {
  const [client, peer] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const log = join(options.dir, "etcd.log");
  const process: Running = options.processes.run({
    name: "etcd",
    command: options.binary,
    args: [
      `--data-dir=${join(options.dir, "etcd")}`,
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    env: { PATH: "/usr/bin:/bin", GOMAXPROCS: "2" },
    log,
  });
  const healthy = async () =>
    fetch(`${endpoint}/health`)
      .then((response) => response.ok)
      .catch(() => false);
  await waitUntil("etcd", healthy, { timeoutMs: 120_000, child: process, log });
  return {
    endpoint,
    removePrefix: async (prefix) => {
      const key = Buffer.from(prefix);
      const end = Buffer.from(key);
      end[end.length - 1]! += 1; // the first key after all that begin with the prefix
      const response = await fetch(`${endpoint}/v3/kv/deleterange`, {
        method: "POST",
        body: JSON.stringify({ key: key.toString("base64"), range_end: end.toString("base64") }),
      });
      if (!response.ok)
        throw new Error(`etcd did not remove ${prefix}: HTTP ${response.status} ${await response.text()}`);
    },
    stop: () => process.stop(),
  };
}
