/** A real cluster: API server, scheduler, controllers and our nodes running pods. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AppsV1Api, BatchV1Api, CoreV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { ProcessTable, reapLeftovers, recordedAlive, waitUntil } from "../lib/process";
import type { ImageTable, NodeAgent, PodIdentities, RunningCluster } from "../lib/types";
import { loadTools } from "../toolchain";
import { LocalClusters } from "./manager";

const shell: ImageTable = (image) =>
  image.startsWith("shell") ? { entrypoint: ["/bin/sh", "-c"], mounts: {}, path: [], env: {} } : undefined;
const nobody: PodIdentities = { open: async () => ({ env: { IDENTITY: "opened" }, close: async () => undefined }) };

/** Seconds that nobody else sleeps. */
const MARK = "86413";

let dir: string;
let clusters: LocalClusters;
let cluster: RunningCluster;
let agent: NodeAgent;
let resolve: (host: string) => string[];
let config: KubeConfig;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "clusters-"));
  const tools = loadTools();
  clusters = new LocalClusters({
    dir,
    binaries: tools,
    processes: new ProcessTable(dir),
    identities: nobody,
    images: shell,
    onStart: async (_, started, names) => {
      agent = started;
      resolve = names;
      return { stop: async () => undefined };
    },
  });
  cluster = await clusters.create({ id: "c", name: "c", project: "p", location: "europe-west1" });
  await clusters.setNodePool("c", {
    name: "pool",
    zones: ["europe-west1-b", "europe-west1-c"],
    nodesPerZone: 1,
    labels: {},
    taints: [],
    cpu: 4,
    memoryBytes: 16 * 2 ** 30,
  });
  config = new KubeConfig();
  config.loadFromString(cluster.adminKubeconfig);
});

after(async () => {
  await clusters.stopAll();
  // The kernel passes the death on; that takes a moment.
  await waitUntil("its end", async () => processesNaming(MARK).length === 0, { timeoutMs: 30_000 });
  assert.deepEqual(recordedAlive(dir), []);
  await reapLeftovers(dir);
  rmSync(dir, { recursive: true, force: true });
});

test("a StatefulSet's pod keeps its disk, has a name and can be entered", async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedService({
    namespace: "default",
    body: {
      metadata: { name: "web" },
      spec: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 80 }] },
    },
  });
  await apps.createNamespacedStatefulSet({
    namespace: "default",
    body: {
      metadata: { name: "web" },
      spec: {
        serviceName: "web",
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            terminationGracePeriodSeconds: 1,
            initContainers: [
              {
                name: "count",
                image: "shell:1",
                args: ["echo run >> /data/runs"],
                volumeMounts: [{ name: "data", mountPath: "/data" }],
              },
            ],
            containers: [
              {
                name: "web",
                image: "shell:1",
                args: ["exec sleep 1000"],
                readinessProbe: { exec: { command: ["test", "-s", "/data/runs"] }, periodSeconds: 1 },
                volumeMounts: [{ name: "data", mountPath: "/data" }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: "data" },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
          },
        ],
      },
    },
  });
  const ready = async () =>
    (await apps.readNamespacedStatefulSet({ namespace: "default", name: "web" })).status?.readyReplicas === 1;
  await waitUntil("web", ready, { timeoutMs: 120_000 });
  await waitUntil("its name", async () => resolve("web-0.web.default.svc").length === 1, { timeoutMs: 30_000 });
  assert.match(resolve("web.default")[0] ?? "", /^127\.\d+\.0\.\d+$/);

  const first = await core.readNamespacedPod({ namespace: "default", name: "web-0" });
  await core.deleteNamespacedPod({ namespace: "default", name: "web-0" });
  await waitUntil(
    "the next web-0",
    async () => {
      // The pod's own word: its set's status may still be of the one before.
      const pod = await core.readNamespacedPod({ namespace: "default", name: "web-0" }).catch(() => undefined);
      const isReady = pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
      return isReady === true && pod?.metadata?.uid !== first.metadata?.uid;
    },
    { timeoutMs: 120_000 },
  );
  const runs = await agent.exec("default", "web-0", "web", ["sh", "-c", 'cat /data/runs; echo "$IDENTITY $HOSTNAME"']);
  assert.deepEqual(runs, { code: 0, stdout: "run\nrun\nopened web-0\n", stderr: "" });
});

test("a container with a user of its own ends with its pod", async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({
    namespace: "default",
    body: {
      metadata: { name: "user" },
      spec: {
        securityContext: { runAsUser: 65534, runAsNonRoot: true },
        containers: [{ name: "main", image: "shell", args: [`test -r /etc/ssl/openssl.cnf && exec sleep ${MARK}`] }],
      },
    },
  });
  await waitUntil("its process", async () => processesNaming(MARK).length > 0, { timeoutMs: 120_000 });
});

/** Processes with a word in their command line. */
function processesNaming(word: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
      } catch {
        return false;
      }
    });
}

test("a Job that fails says why, and one with an unknown image waits", async () => {
  const batch = config.makeApiClient(BatchV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const job = (name: string, image: string) =>
    batch.createNamespacedJob({
      namespace: "default",
      body: {
        metadata: { name },
        spec: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: "Never",
              containers: [{ name: "main", image, args: ["echo not today; exit 3"] }],
            },
          },
        },
      },
    });
  await job("fails", "shell");
  await job("unknown", "elsewhere/thing:1");
  await waitUntil(
    "the failure",
    async () => ((await batch.readNamespacedJob({ namespace: "default", name: "fails" })).status?.failed ?? 0) === 1,
    { timeoutMs: 120_000 },
  );
  const state = async (name: string) =>
    (await core.listNamespacedPod({ namespace: "default", labelSelector: `job-name=${name}` })).items[0]?.status
      ?.containerStatuses?.[0]?.state;
  assert.equal((await state("fails"))?.terminated?.exitCode, 3);
  assert.equal((await state("fails"))?.terminated?.message, "not today");
  await waitUntil("ErrImagePull", async () => (await state("unknown"))?.waiting?.reason === "ErrImagePull", {
    timeoutMs: 120_000,
  });
});

/** A pod with an ephemeral volume, on which its first container writes as another user than its second reads as. */
const ephemeralPod = (name: string, fsGroup?: number) => {
  const volumeMounts = [{ name: "work", mountPath: "/work" }];
  const claim = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "standard-rwo",
    resources: { requests: { storage: "1Gi" } },
  };
  return {
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      securityContext: { runAsUser: 65532, ...(fsGroup && { fsGroup }) },
      initContainers: [
        {
          name: "first",
          image: "shell",
          args: ["mkdir /work/own && echo fetched > /work/own/file"],
          securityContext: { runAsUser: 1000, runAsGroup: 0 },
          volumeMounts,
        },
      ],
      containers: [
        { name: "main", image: "shell", args: ["grep fetched /work/own/file && touch /work/mine"], volumeMounts },
      ],
      volumes: [{ name: "work", ephemeral: { volumeClaimTemplate: { spec: claim } } }],
    },
  };
};

test("an ephemeral volume is shared by the users of a pod's group and goes with it", async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace: "default", body: ephemeralPod("ephemeral", 65532) });
  const at = { namespace: "default", name: "ephemeral" };
  await waitUntil("the pod's end", async () => (await core.readNamespacedPodStatus(at)).status?.phase === "Succeeded", {
    timeoutMs: 120_000,
  });
  const claims = async () => (await core.listNamespacedPersistentVolumeClaim({ namespace: "default" })).items;
  const own = async () => (await claims()).filter(({ metadata }) => metadata?.name === "ephemeral-work");
  assert.equal((await own()).length, 1);
  await core.deleteNamespacedPod(at);
  await waitUntil("the claim's end", async () => (await own()).length === 0, { timeoutMs: 120_000 });
});

test("without a group of the pod's own a volume is root's alone", { skip: process.getuid?.() !== 0 }, async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace: "default", body: ephemeralPod("groupless") });
  const at = { namespace: "default", name: "groupless" };
  await waitUntil("the pod's end", async () => (await core.readNamespacedPodStatus(at)).status?.phase === "Failed", {
    timeoutMs: 120_000,
  });
  await core.deleteNamespacedPod(at);
});

test("what is to be scraped can be said once metrics are collected, with a port and an interval", async () => {
  const objects = config.makeApiClient(CustomObjectsApi);
  const say = (endpoints: unknown[]) =>
    objects.createNamespacedCustomObject({
      group: "monitoring.googleapis.com",
      version: "v1",
      namespace: "default",
      plural: "podmonitorings",
      body: {
        apiVersion: "monitoring.googleapis.com/v1",
        kind: "PodMonitoring",
        metadata: { name: "it" },
        spec: { selector: { matchLabels: { app: "it" } }, endpoints },
      },
    });
  await assert.rejects(say([{ port: "metrics", interval: "60s" }]), /404/);
  await clusters.collectMetrics("c");
  await clusters.collectMetrics("c");
  await assert.rejects(say([{ port: "metrics" }]), /interval/);
  const kept = await say([{ port: "metrics", interval: "60s", path: "/m" }]);
  const selector = { matchLabels: { app: "it" } };
  assert.deepEqual(kept.spec, { selector, endpoints: [{ port: "metrics", interval: "60s", path: "/m" }] });
});

test("without its control plane pods go on, and what changed meanwhile is seen when it is back", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const body = {
    metadata: { name: "steady" },
    spec: { containers: [{ name: "c", image: "shell", args: [`exec sleep ${MARK}`] }] },
  };
  const others = processesNaming(MARK).length;
  await core.createNamespacedPod({ namespace: "default", body });
  const phase = async () =>
    (await core.readNamespacedPod({ namespace: "default", name: "steady" }).catch(() => undefined))?.status?.phase;
  await waitUntil("the pod", async () => (await phase()) === "Running", { timeoutMs: 120_000 });
  await waitUntil("its program", async () => processesNaming(MARK).length === others + 1, { timeoutMs: 120_000 });
  const before = processesNaming(MARK);
  await clusters.stopControlPlane("c");
  await assert.rejects(core.listNode());
  assert.equal((await agent.exec("default", "steady", "c", ["true"])).code, 0);
  // Longer than a watch tries again once.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await clusters.startControlPlane("c");
  assert.deepEqual(processesNaming(MARK), before);
  await core.deleteNamespacedPod({ namespace: "default", name: "steady", gracePeriodSeconds: 0 });
  await waitUntil("its end", async () => processesNaming(MARK).length < before.length, { timeoutMs: 120_000 });
});

test("after a loss of power the same pods are back, with their disks and addresses", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const read = () => core.readNamespacedPod({ namespace: "default", name: "web-0" });
  const ready = async () =>
    (await read().catch(() => undefined))?.status?.containerStatuses?.every(({ ready }) => ready) === true;
  await waitUntil("web-0", ready, { timeoutMs: 120_000 });
  const { metadata, status } = await read();
  const container = (await read()).spec?.containers[0]?.name ?? "";
  const written = await agent.exec("default", "web-0", container, [
    "sh",
    "-c",
    "echo kept > /data/file; cat /data/file",
  ]);
  assert.equal(written.stdout, "kept\n", written.stderr);
  const before = processesNaming(MARK);
  await clusters.powerOn("c");
  assert.deepEqual(processesNaming(MARK), before, "what is on stays as it is");
  await clusters.powerOff("c");
  await clusters.powerOff("c");
  await assert.rejects(core.listNode());
  await clusters.powerOn("c");
  const disk = async () => (await agent.exec("default", "web-0", container, ["cat", "/data/file"])).stdout;
  await waitUntil("web-0 with its disk", async () => (await disk()) === "kept\n", { timeoutMs: 120_000 });
  const again = await read();
  assert.equal(again.metadata?.uid, metadata?.uid);
  assert.equal(again.status?.podIP, status?.podIP);
});
