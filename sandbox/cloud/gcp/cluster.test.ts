/** Clusters and node pools as the control plane makes, loses and remakes them. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";
import { nodePoolSpec, regionOf } from "./cluster";

const CLUSTER = "gcp:container/cluster:Cluster";
const POOL = "gcp:container/nodePool:NodePool";
const ID = "projects/p/locations/europe-west1/clusters/c";
const base = { project: "p", name: "c", location: "europe-west1", removeDefaultNodePool: true };

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.end());

const cluster = (change: Props = {}) => cloud.control.create(CLUSTER, "c", { ...base, ...change }, "me@x");
const pool = (change: Props = {}) =>
  cloud.control.create(POOL, "db", { project: "p", cluster: ID, name: "db", ...change }, "me@x");
const lose = (target: string) => cloud.control.fault({ kind: "region", target, state: "lost" });

test("a cluster's outputs lead to its API server", async () => {
  const { id, outputs } = await cluster();
  assert.equal(id, ID);
  assert.equal(outputs.endpoint, "127.0.0.1:6443");
  assert.deepEqual(outputs.masterAuth, { clusterCaCertificate: Buffer.from("PEM").toString("base64") });
  await refused(cluster(), 409, /already exists/);
});

test("what GKE refuses: names, locations, foreign zones, pools of other projects, networks that are not there", async () => {
  await refused(cluster({ name: "Upper" }), 400, /cluster name: "Upper"/);
  await refused(cluster({ location: undefined }), 400, /required field location/);
  await refused(cluster({ location: "europe" }), 400, /cluster location: "europe"/);
  await refused(cluster({ nodeLocations: ["europe-west10-a"] }), 400, /"europe-west10-a" is no zone of europe-west1/);
  await refused(cluster({ workloadIdentityConfig: { workloadPool: "q.svc.id.goog" } }), 400, /is not p\.svc\.id/);
  await refused(cluster({ network: "projects/p/global/networks/none" }), 404, /networks\/none/);
  const link = "https://www.googleapis.com/compute/v1/projects/p/regions/europe-west1/subnetworks/none";
  await refused(cluster({ subnetwork: link }), 404, /subnetworks\/none/);
  assert.equal(cloud.clusters.running.size, 0);
});

test("the kinds of managed collection come with it, also later, and not without", async () => {
  const { id } = await cluster({ monitoringConfig: { managedPrometheus: { enabled: false } } });
  assert.deepEqual([...cloud.clusters.collecting], []);
  const later = { ...base, monitoringConfig: { managedPrometheus: { enabled: true } } };
  await cloud.control.update(CLUSTER, id, later, "me@x");
  assert.deepEqual([...cloud.clusters.collecting], [id]);
});

test("the default pool stays unless its removal is asked for", async () => {
  await cluster({ removeDefaultNodePool: undefined, initialNodeCount: 2 });
  assert.equal(cloud.clusters.pools.get(`${ID}/default-pool`)?.nodesPerZone, 2);
});

test("a lost region takes its regional and zonal clusters and no others; they can be made again", async () => {
  await cluster({ deletionProtection: true });
  await pool();
  await cluster({ location: "europe-west1-b" });
  const { id: other } = await cluster({ location: "europe-west10" });
  await lose("europe-west1");
  assert.deepEqual([...cloud.clusters.running.keys()], [other]);
  assert.equal(await cloud.control.read(CLUSTER, ID), undefined);
  assert.equal(await cloud.control.read(POOL, `${ID}/nodePools/db`), undefined);
  await cloud.control.delete(CLUSTER, ID, "me@x");
  await cloud.control.delete(POOL, `${ID}/nodePools/db`, "me@x");
  await cluster();
  await pool();
  assert.ok(await cloud.control.read(POOL, `${ID}/nodePools/db`));
});

test("clusters that ended with the daemon are gone: deleted in spite of protection, or made again", async () => {
  await cluster({ deletionProtection: true });
  await pool();
  await cloud.clusters.stopAll();
  const again = cloud.restart();
  assert.equal(await again.read(POOL, `${ID}/nodePools/db`), undefined);
  await again.delete(CLUSTER, ID, "me@x");
  await again.create(CLUSTER, "c", base, "me@x");
  await cloud.clusters.stopAll();
  await cloud.restart().create(CLUSTER, "c", base, "me@x");
});

test("a pool needs a running cluster and is taken off it", async () => {
  await refused(pool(), 404, /clusters\/c was not found/);
  await cluster();
  const { id } = await pool({ autoscaling: { minNodeCount: 0, maxNodeCount: 3 } });
  assert.equal(cloud.clusters.pools.get(`${ID}/db`)?.nodesPerZone, 1, "at least one node to run on");
  await cloud.control.update(POOL, id, { project: "p", cluster: ID, name: "db", nodeCount: 3 }, "me@x");
  assert.equal(cloud.clusters.pools.get(`${ID}/db`)?.nodesPerZone, 3);
  await refused(pool({ name: "p2", nodeLocations: ["us-east1-b"] }), 400, /no zone of europe-west1/);
  await cloud.control.delete(POOL, id, "me@x");
  assert.equal(cloud.clusters.pools.size, 0);
});

test("machine types, zones and taints", () => {
  const spec = (machineType: string, location = "us-east1") =>
    nodePoolSpec({ name: "n", nodeConfig: { machineType } }, { location });
  const gib = 2 ** 30;
  assert.deepEqual([spec("n2-standard-8").cpu, spec("n2-standard-8").memoryBytes], [8, 32 * gib]);
  assert.equal(spec("n2-highmem-4").memoryBytes, 32 * gib);
  assert.deepEqual(spec("e2-medium", "us-east1-d").zones, ["us-east1-d"]);
  assert.deepEqual(spec("e2-medium").zones, ["us-east1-b", "us-east1-c"]);
  const taints = [{ key: "k", effect: "SOMETIMES" }];
  assert.throws(
    () => nodePoolSpec({ nodeConfig: { taints } }, { location: "us-east1" }),
    /"?SOMETIMES"? is not one of/,
  );
  assert.deepEqual(["us-east1", "us-east1-b"].map(regionOf), ["us-east1", "us-east1"]);
});
