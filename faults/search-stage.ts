/**
 * A stage for what becomes of a search cluster's backups: one real node with documents in it, the snapshot job, the second copy
 * by the replicator, and its deep verification beside a throwaway node as the pod declares it.
 */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jobConfig } from "../jobs/config";
import { type Elasticsearch, elasticsearchOf } from "../jobs/lib/elastic";
import { startJob } from "../jobs/testing/job";
import { startKms, type TestKms } from "../jobs/testing/kms";
import { replicated } from "../jobs/testing/replicated";
import { startStorage, type TestStorage } from "../jobs/testing/storage";
import { type Verified, verified } from "../jobs/testing/verified";
import { serveMetadata } from "../sandbox/cloud/metadata";
import { Tokens } from "../sandbox/cloud/tokens";
import { opensearchImage } from "../sandbox/images/opensearch";
import { ProcessTable, waitUntil } from "../sandbox/lib/process";
import type { Mount } from "../sandbox/nodes/bubblewrap";
import { ContainerProcess } from "../sandbox/nodes/container";
import { loadTools } from "../sandbox/toolchain";
import { declaredSidecar } from "./declared-sidecar";

const PRIMARY = "iconik-prod-backups";
export const COPIES = "iconik-vault-backup-copies";
export const REPOSITORY = "elasticsearch-emea";
/** Addresses of the site's node and of the throwaway one. */
const [NODE, THROWAWAY] = ["127.77.0.10", "127.77.0.11"];
/** The node itself: nothing asks for passwords before it. */
const url = `http://${NODE}:9201`;

/** Documents of index `assets`. */
export const DOCUMENTS = 200;

/** The node and what its backups go through. */
export interface SearchStage {
  /** For what a test leaves; goes with the stage. */
  dir: string;
  storage: TestStorage;
  kms: TestKms;
  metadata: Server;
  node: ContainerProcess;
}

/** A folder that the server's own user may write to. */
function folder(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
  return path;
}

/** Starts the image with one of its commands. */
function start(dir: string, name: string, command: string, mounts: Mount[], env: Record<string, string>) {
  const { bwrap } = loadTools();
  const image = opensearchImage(loadTools());
  const own = Object.entries(image.mounts).map(([target, source]) => ({ source, target, readOnly: true }));
  const user = image.user && { ...image.user, groups: [] };
  const hosts = folder(join(dir, "hosts"));
  writeFileSync(join(hosts, "hosts"), "127.0.0.1 localhost\n");
  return ContainerProcess.start(
    {
      name,
      bwrap,
      root: { mounts: [...own, ...mounts], hostsFolder: hosts, workingDir: "/", readOnly: false, user },
      command: [...image.entrypoint, command],
      env: { PATH: "/usr/bin:/bin", HOME: "/tmp", HOSTNAME: name, ...image.env, ...env },
      log: join(dir, `${name}.log`),
    },
    new ProcessTable(dir),
  );
}

/** Starts it with documents in it. */
export async function openSearchStage(): Promise<SearchStage> {
  const [storage, kms] = await Promise.all([startStorage(), startKms()]);
  for (const bucket of [PRIMARY, COPIES]) await storage.emptyBucket(bucket);
  storage.appendOnly.add(COPIES);
  const dir = mkdtempSync(join(tmpdir(), "search-stage-"));
  chmodSync(dir, 0o755);
  // A client of Google's storage wants a token, which this one does not look at.
  const [project, email, member] = [
    "iconik-prod",
    "backups@iconik-prod.iam.gserviceaccount.com",
    "serviceAccount:backups",
  ];
  const identity = { project, email, member, decisions: { mayActAs: () => true }, tokens: new Tokens() };
  const metadata = await serveMetadata({ host: "127.0.0.1", port: 0, ...identity });
  const settings = folder(join(dir, "settings"));
  writeFileSync(join(settings, "elasticsearch.yml"), "cluster.name: iconik\ndiscovery.type: single-node\n");
  const mounts = [
    { source: settings, target: "/config", readOnly: true },
    { source: folder(join(dir, "node")), target: "/var/lib/elasticsearch", readOnly: false },
  ];
  const node = start(dir, "search-node", "run", mounts, {
    NODE_IP: NODE,
    GCE_METADATA_HOST: `127.0.0.1:${(metadata.address() as AddressInfo).port}`,
    STORAGE_EMULATOR_HOST: storage.env.STORAGE_EMULATOR_HOST!,
  });
  const call = elasticsearchOf({ url });
  const ready = () =>
    call("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s").then(
      () => true,
      () => false,
    );
  await waitUntil("the search node", ready, { timeoutMs: 120_000, child: node.process, everyMs: 500 });
  await fill(call);
  return { dir, storage, kms, metadata, node };
}

async function fill(call: Elasticsearch): Promise<void> {
  await call("PUT", "/assets", { settings: { number_of_shards: 1, number_of_replicas: 0 } });
  for (let id = 0; id < DOCUMENTS; id++)
    await call("PUT", `/assets/_doc/${id}`, { title: `title ${id}`, tenant: id % 10 });
  await call("POST", "/assets/_flush");
}

export async function closeSearchStage({ dir, storage, kms, metadata, node }: SearchStage): Promise<void> {
  metadata.closeAllConnections();
  await Promise.all([node.stop(0), storage.stop(), kms.stop(), new Promise((resolve) => metadata.close(resolve))]);
  rmSync(dir, { recursive: true, force: true });
}

/** A night of the site and of the vault: the snapshot and its second copy. */
export async function night({ dir, storage, kms }: SearchStage): Promise<void> {
  // Names of nights differ by the second.
  await sleep(1100);
  const nothing = join(dir, "nothing");
  writeFileSync(nothing, "");
  const config = jobConfig("snapshot-elasticsearch", {
    elasticsearch: { url, passwordFile: nothing, caFile: nothing },
    repository: REPOSITORY,
    bucket: PRIMARY,
    keep: 7,
    timeoutSeconds: 120,
    pollSeconds: 0.5,
  });
  const { code, lines } = await (await startJob("snapshot-elasticsearch", config, storage.env)).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  await replicated(storage, kms, { bucket: PRIMARY, copiesBucket: COPIES, repository: REPOSITORY });
}

/** The declared sidecar. @param work a folder that stands for the pod's volume, at the same path for the job and the server */
function sidecar({ dir, kms }: SearchStage, work: string): ContainerProcess {
  const { env } = declaredSidecar(REPOSITORY, COPIES, kms.pem);
  const here = (text: string) => text.replaceAll("/work", work).replaceAll("$(POD_IP)", THROWAWAY);
  const set = env.map(({ name, value }) => [name, value === undefined ? THROWAWAY : here(value)]);
  const shared = { source: dir, target: dir, readOnly: false };
  return start(dir, "throwaway-search-node", "published", [shared], Object.fromEntries(set));
}

/** Runs a verification of the newest copy. */
export async function verify(stage: SearchStage): Promise<Verified> {
  const { dir, storage, kms } = stage;
  const work = folder(mkdtempSync(join(dir, "volume-")));
  const server = sidecar(stage, work);
  try {
    const config = { site: "prod", repository: REPOSITORY, copiesBucket: COPIES, markerKeys: [kms.pem], work };
    return await verified(storage, { ...config, timeoutSeconds: 180, pollSeconds: 0.5 }, THROWAWAY);
  } finally {
    await server.stop(0);
  }
}
