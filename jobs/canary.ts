/**
 * Writes a canary into both stores of a region each minute, and serves when each last took one: what it cannot write grows
 * old, as the alert wants it. Only its own successes count, so that what a restore brought back is nobody's freshness.
 */

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { Client } from "cassandra-driver";
import { Gauge, Registry } from "prom-client";
import { type CanaryStore, canaryMetric, canaryStores } from "../plan/canary";
import type { JobConfig } from "./config";
import { prepareIndex, removeOldDocuments, writeDocument, writeRow } from "./lib/canaries";
import { cqlClient } from "./lib/cql";
import { type Elasticsearch, elasticsearchOf } from "./lib/elastic";
import { serveMetrics } from "./lib/exporter";
import { type Fields, log } from "./lib/log";

type Config = JobConfig<"canary">;

/** Rounds that may be missed before the process counts as stuck and is started again. */
const STUCK_ROUNDS = 10;
/** Milliseconds between two removals of old documents. */
const REMOVE_MS = 3_600_000;

/** A store that takes canaries. What it holds open is made anew after a failure: passwords and certificates change. */
interface Store {
  write(at: Date): Promise<void>;
  reset(): Promise<void>;
}

/** Runs until it is ended. */
export async function canary(config: Config): Promise<Fields> {
  const registry = new Registry();
  const success = new Gauge({
    name: canaryMetric,
    help: "When the newest canary was written; 0: not yet",
    labelNames: ["store", "datacenter"],
    registers: [registry],
  });
  const { datacenter } = config;
  for (const store of canaryStores) success.set({ store, datacenter }, 0);
  const stores: Record<CanaryStore, Store> = { cassandra: cassandra(config), elasticsearch: elasticsearch(config) };
  const rounds = { cassandra: Date.now(), elasticsearch: Date.now() };
  const stuckMs = STUCK_ROUNDS * config.everySeconds * 1000;
  const well = () => canaryStores.every((store) => Date.now() - rounds[store] <= stuckMs);
  const server = await serveMetrics(registry, config.port, well);
  log("serving", { port: config.port, datacenter });
  // Each on its own: one that hangs is no reason for the other to be late.
  const keepWriting = async (store: CanaryStore) => {
    while (server.listening) {
      const at = new Date();
      rounds[store] = at.getTime();
      try {
        await stores[store].write(at);
        success.set({ store, datacenter }, at.getTime() / 1000);
      } catch (error) {
        log("no canary", { severity: "ERROR", store, datacenter, error: (error as Error).message });
        await stores[store].reset();
      }
      await sleep(Math.max(0, at.getTime() + config.everySeconds * 1000 - Date.now()));
    }
  };
  await Promise.all(canaryStores.map(keepWriting));
  throw new Error("the server of the metrics has ended");
}

function cassandra({ cql, datacenter }: Config): Store {
  let client: Client | undefined;
  return {
    async write(at) {
      client ??= await cqlClient(cql, datacenter);
      await writeRow(client, datacenter, at);
    },
    async reset() {
      const last = client;
      client = undefined;
      await last?.shutdown().catch(() => undefined);
    },
  };
}

function elasticsearch({ elasticsearch: access, datacenter }: Config): Store {
  let call: Elasticsearch | undefined;
  let removed = 0;
  return {
    async write(at) {
      if (call === undefined) {
        call = await connect(access);
        await prepareIndex(call);
      }
      await writeDocument(call, datacenter, at);
      if (at.getTime() - removed < REMOVE_MS) return;
      removed = at.getTime();
      try {
        const documents = await removeOldDocuments(call, at);
        if (documents > 0) log("removed old canaries", { documents });
      } catch (error) {
        // The canary is written all the same.
        log("cannot remove old canaries", { severity: "ERROR", error: (error as Error).message });
      }
    },
    async reset() {
      call = undefined;
    },
  };
}

/** The certificate's authority is asked of Kubernetes, because a Secret of another namespace cannot be mounted. */
async function connect({
  url,
  authority,
  usernameFile,
  passwordFile,
}: Config["elasticsearch"]): Promise<Elasticsearch> {
  const kube = new KubeConfig();
  kube.loadFromDefault();
  const { data } = await kube
    .makeApiClient(CoreV1Api)
    .readNamespacedSecret({ namespace: authority.namespace, name: authority.secret });
  const encoded = data?.["ca.crt"];
  if (encoded === undefined) throw new Error(`Secret ${authority.namespace}/${authority.secret} has no ca.crt`);
  const read = async (file: string) => (await readFile(file, "utf8")).trim();
  return elasticsearchOf({
    url,
    ca: Buffer.from(encoded, "base64").toString("utf8"),
    user: await read(usernameFile),
    password: await read(passwordFile),
  });
}
