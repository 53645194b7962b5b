/** What Google Cloud refuses, the control plane refuses; who may do what follows from what is declared. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { CloudError, ClusterManager, NodePoolSpec, ObjectStore, Props, RunningCluster } from "../lib/types";
import { CloudControl } from "./control";

const TYPES = {
  bucket: "gcp:storage/bucket:Bucket",
  policy: "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
  account: "gcp:serviceaccount/account:Account",
  users: "gcp:serviceaccount/iAMBinding:IAMBinding",
  role: "gcp:projects/iAMCustomRole:IAMCustomRole",
  cluster: "gcp:container/cluster:Cluster",
  pool: "gcp:container/nodePool:NodePool",
  network: "gcp:compute/network:Network",
  subnetwork: "gcp:compute/subnetwork:Subnetwork",
};
const dirs: string[] = [];
let objects: Map<string, Map<string, Date>>;
let pools: Map<string, NodePoolSpec>;
let control: CloudControl;
let dir: string;
/** Faults that reached clusters and the network. */
let struck: string[];

function start(): CloudControl {
  const running = new Map<string, RunningCluster>();
  const store: ObjectStore = {
    createBucket: async (name) => void objects.set(name, new Map()),
    deleteBucket: async (name) => void objects.delete(name),
    hasNoncurrent: async () => false,
    empty: async (name) => objects.get(name)?.clear(),
    list: async (name, prefix) =>
      [...(objects.get(name) ?? [])]
        .filter(([object]) => object.startsWith(prefix))
        .map(([object, created]) => ({ name: object, size: 1, created })),
    read: async (bucket, name) => (objects.get(bucket)?.has(name) ? Buffer.from("content") : undefined),
  };
  const clusters = {
    create: async (spec: RunningCluster["spec"]) => {
      const cluster = { spec, endpoint: "127.0.0.1:1", caCertificate: "ca", adminKubeconfig: "" };
      running.set(spec.id, cluster);
      return cluster;
    },
    setNodePool: async (_: string, pool: NodePoolSpec) => void pools.set(pool.name, pool),
    removeNodePool: async (_: string, name: string) => void pools.delete(name),
    collectMetrics: async () => undefined,
    delete: async (id: string) => void running.delete(id),
    lose: async (id: string) => void running.delete(id),
    powerOff: async (id: string) => void struck.push(`${id} off`),
    powerOn: async (id: string) => void struck.push(`${id} on`),
    stopControlPlane: async (id: string) => void struck.push(`${id} down`),
    startControlPlane: async (id: string) => void struck.push(`${id} up`),
    get: (id: string) => running.get(id),
    list: () => [...running.values()],
    serviceAccountKey: "",
    pause: async (id: string, paused: boolean) => void struck.push(`${id} paused ${paused}`),
    pauseZone: async (id: string, zone: string, paused: boolean) => {
      if (!zone.startsWith("europe-west1-")) return 0;
      struck.push(`${id} ${zone} paused ${paused}`);
      return 2;
    },
    setDriver: async () => undefined,
    setAccess: async () => undefined,
    stopAll: async () => undefined,
  } satisfies ClusterManager;
  const network = {
    partition: (region: string, apart: boolean) => void struck.push(`${region} apart ${apart}`),
    slow: (region: string, factor: number) => void struck.push(`${region} x ${factor}`),
  };
  return new CloudControl({ dir, clusters: () => clusters, objects: store, network });
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "control-"));
  dirs.push(dir);
  struck = [];
  objects = new Map();
  pools = new Map();
  control = start();
});
after(() => {
  for (const each of dirs) rmSync(each, { recursive: true, force: true });
});

const make = (type: string, inputs: Props) => control.create(type, "it", inputs, "me@example.com");
const bucket = (change: Props = {}) =>
  make(TYPES.bucket, { project: "proj", name: "bucket-1", location: "EU", uniformBucketLevelAccess: true, ...change });
const account = (accountId: string) => make(TYPES.account, { project: "proj", accountId });
const email = (id: string) => `${id}@proj.iam.gserviceaccount.com`;
const member = (id: string) => `serviceAccount:${email(id)}`;
const policy = (bindings: object[]) =>
  make(TYPES.policy, { bucket: "bucket-1", policyData: JSON.stringify({ bindings }) });
const reader = { project: "proj", roleId: "reader", title: "reader", permissions: ["storage.objects.get"] };

async function refused(work: Promise<unknown>, status: number, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: CloudError) => {
    assert.equal(error.status, status, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test("names, locations and classes that the storage refuses", async () => {
  await refused(bucket({ name: "Bucket" }), 400, /bucket name: "Bucket"/);
  await refused(bucket({ location: "MARS" }), 400, /location constraint is not valid: "MARS"/);
  await refused(bucket({ storageClass: "HOT" }), 400, /Invalid storage class HOT/);
  await refused(bucket({ publicAccessPrevention: "nope" }), 400, /publicAccessPrevention: "nope"/);
  await refused(bucket({ softDeletePolicy: { retentionDurationSeconds: 3600 } }), 400, /between 604800 and 7776000/);
  await bucket();
  await refused(bucket({ project: "other" }), 409, /bucket-1 already exists/);
});

test("a locked retention is not shortened, and what it keeps is not deleted with the bucket", async () => {
  const retentionPolicy = { retentionPeriod: "604800", isLocked: true };
  const { id } = await bucket({ retentionPolicy, forceDestroy: true });
  const shorter = { retentionPolicy: { retentionPeriod: "60", isLocked: true } };
  await refused(
    control.update(TYPES.bucket, id, { project: "proj", name: id, location: "EU", ...shorter }, "me"),
    403,
    /Cannot reduce retention/,
  );
  objects.get(id)?.set("young", new Date());
  await refused(control.delete(TYPES.bucket, id, "me"), 403, /young' is subject to bucket's retention policy/);
  objects.get(id)?.set("young", new Date(Date.now() - 8 * 24 * 3600_000));
  await control.delete(TYPES.bucket, id, "me");
  assert.equal(control.bucket(id), undefined);
});

test("a bucket that holds objects is deleted only by force", async () => {
  const { id } = await bucket();
  objects.get(id)?.set("o", new Date(0));
  await refused(control.delete(TYPES.bucket, id, "me"), 409, /not empty/);
});

test("a policy names roles and accounts that exist, and conditions that can be read", async () => {
  await bucket();
  await refused(policy([{ role: "projects/proj/roles/reader", members: [] }]), 400, /roles\/reader is not supported/);
  await make(TYPES.role, reader);
  const role = "projects/proj/roles/reader";
  await refused(policy([{ role, members: [member("ghost")] }]), 400, /ghost@.* does not exist/);
  await refused(policy([{ role, members: ["robot:x"] }]), 400, /unknown type/);
  const condition = { title: "t", expression: "request.time <" };
  await refused(policy([{ role, members: ["user:a@b.c"], condition }]), 400, /condition .* cannot be used/);
});

test("a policy replaces what a bucket is born with, and conditions end", async () => {
  await bucket();
  const owner = { project: "proj", role: "roles/editor", member: "user:boss@example.com" };
  await make("gcp:projects/iAMMember:IAMMember", owner);
  assert.ok(control.allows("user:boss@example.com", "storage.objects.create", "bucket-1", "o"));
  await account("reader-1");
  await make(TYPES.role, reader);
  const role = "projects/proj/roles/reader";
  const until = (moment: string) => ({ title: "until", expression: `request.time < timestamp("${moment}")` });
  await policy([
    { role, members: [member("reader-1")], condition: until("2999-01-01T00:00:00Z") },
    { role, members: ["user:late@example.com"], condition: until("2020-01-01T00:00:00Z") },
  ]);
  const may = (who: string, permission: string) => control.allows(who, permission, "bucket-1", "o");
  assert.ok(may(member("reader-1"), "storage.objects.get"));
  assert.ok(!may(member("reader-1"), "storage.objects.create"));
  assert.ok(!may("user:late@example.com", "storage.objects.get"));
  assert.ok(!may("user:boss@example.com", "storage.objects.create"), "authoritative");
});

test("a listing can be limited to a prefix", async () => {
  await bucket();
  await make(TYPES.role, { ...reader, permissions: ["storage.objects.list"] });
  const expression = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("markers/")';
  const binding = {
    role: "projects/proj/roles/reader",
    members: ["user:a@b.c"],
    condition: { title: "t", expression },
  };
  await policy([binding]);
  const lists = (prefix: string) => control.allows("user:a@b.c", "storage.objects.list", "bucket-1", undefined, prefix);
  assert.deepEqual([lists("markers/site"), lists(""), lists("data/")], [true, false, false]);
});

test("Workload Identity: the pool exists with the project's first cluster, only bound accounts act", async () => {
  const { id: serviceAccountId } = await account("worker-1");
  const role = "roles/iam.workloadIdentityUser";
  const pod = "serviceAccount:proj.svc.id.goog[ns/ksa]";
  const bind = () => make(TYPES.users, { serviceAccountId, role, members: [pod] });
  await refused(bind(), 400, /Identity Pool does not exist \(proj\.svc\.id\.goog\)/);
  const cluster = {
    project: "proj",
    name: "c",
    location: "europe-west1",
    workloadIdentityConfig: { workloadPool: "proj.svc.id.goog" },
  };
  const { id } = await make(TYPES.cluster, { ...cluster, deletionProtection: false });
  await bind();
  assert.ok(control.mayActAs(pod, email("worker-1")));
  assert.ok(!control.mayActAs("serviceAccount:proj.svc.id.goog[ns/other]", email("worker-1")));
  await control.delete(TYPES.cluster, id, "me");
  assert.ok(control.mayActAs(pod, email("worker-1")), "the pool outlives the cluster");
});

test("a protected cluster stays; a lost one is gone when it is read", async () => {
  const { id } = await make(TYPES.cluster, { project: "proj", name: "c", location: "europe-west1" });
  await refused(control.delete(TYPES.cluster, id, "me"), 400, /deletion_protection is set to true/);
  await control.fault({ kind: "region", target: "europe-west1", state: "lost" });
  assert.equal(await control.read(TYPES.cluster, id), undefined);
  await refused(control.fault({ kind: "region", target: "europe-west1", state: "lost" }), 404, /no cluster runs/);
});

test("a region's faults strike its clusters, their control planes, or the ways to it", async () => {
  const { id } = await make(TYPES.cluster, { project: "proj", name: "c", location: "europe-west1" });
  await make(TYPES.cluster, { project: "proj", name: "d", location: "us-east4" });
  for (const state of ["off", "on", "hung", "resumed", "apart", "joined", "slow", "near"] as const)
    await control.fault({ kind: "region", target: "europe-west1", state });
  for (const state of ["down", "up"] as const)
    await control.fault({ kind: "control-plane", target: "europe-west1", state });
  assert.deepEqual(struck, [
    `${id} off`,
    `${id} on`,
    `${id} paused true`,
    `${id} paused false`,
    "europe-west1 apart true",
    "europe-west1 apart false",
    "europe-west1 x 20",
    "europe-west1 x 1",
    `${id} down`,
    `${id} up`,
  ]);
  struck.length = 0;
  for (const state of ["hung", "resumed"] as const)
    await control.fault({ kind: "zone", target: "europe-west1-b", state });
  assert.ok(
    struck.includes(`${id} europe-west1-b paused true`) && struck.includes(`${id} europe-west1-b paused false`),
  );
  await refused(
    control.fault({ kind: "zone", target: "mars-1-a", state: "hung" }),
    404,
    /no cluster has a node in zone mars-1-a/,
  );
  assert.ok(await control.read(TYPES.cluster, id), "a cluster without power is declared as before");
  await refused(control.fault({ kind: "control-plane", target: "asia-east1", state: "down" }), 404, /asia-east1/);
});

test("node pools become nodes: cores and memory of the machine type, zones of the cluster, taints", async () => {
  const nodeLocations = ["europe-west1-b", "europe-west1-c"];
  const { id } = await make(TYPES.cluster, { project: "proj", name: "c", location: "europe-west1", nodeLocations });
  const nodeConfig = { machineType: "n2-highmem-8", taints: [{ key: "k", value: "v", effect: "NO_SCHEDULE" }] };
  await make(TYPES.pool, { cluster: id, name: "db", nodeCount: 2, nodeConfig });
  assert.deepEqual(pools.get("db"), {
    name: "db",
    zones: nodeLocations,
    nodesPerZone: 2,
    labels: {},
    taints: [{ key: "k", value: "v", effect: "NoSchedule" }],
    cpu: 8,
    memoryBytes: 64 * 2 ** 30,
  });
});

test("subnetworks of a network do not overlap, and a network in use stays", async () => {
  const { id } = await make(TYPES.network, { project: "proj", name: "n" });
  const subnetwork = (name: string, ipCidrRange: string) =>
    make(TYPES.subnetwork, { project: "proj", name, region: "europe-west1", network: id, ipCidrRange });
  await subnetwork("a", "10.0.0.0/16");
  await refused(
    subnetwork("b", "10.0.128.0/20"),
    400,
    /10\.0\.128\.0\/20 conflicts with existing range 10\.0\.0\.0\/16/,
  );
  await refused(subnetwork("c", "10.0.0.0/40"), 400, /Invalid IPCidrRange: "10\.0\.0\.0\/40"/);
  await refused(control.delete(TYPES.network, id, "me"), 400, /already being used/);
});

test("what was created is there after a restart, and gone buckets take their policy along", async () => {
  await bucket();
  await make(TYPES.role, reader);
  await policy([]);
  control = start();
  assert.equal(control.bucket("bucket-1")?.project, "proj");
  await control.delete(TYPES.bucket, "bucket-1", "me");
  assert.equal(await control.read(TYPES.policy, "b/bucket-1"), undefined);
});
