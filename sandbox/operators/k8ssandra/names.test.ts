import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cleaned, labels, rackSizes, serviceNames, statefulSetName } from "./names";
import type { CassandraDatacenter } from "./types";

test("names are those of cass-operator", () => {
  assert.equal(statefulSetName("Main", "east", "rack1"), "main-east-rack1-sts");
  assert.deepEqual(serviceNames("Main", "east"), {
    cql: "main-east-service",
    // One name for all datacenters: it selects the seeds of the cluster.
    seeds: "main-seed-service",
    additionalSeeds: "main-east-additional-seed-service",
    allPods: "main-east-all-pods-service",
  });
});

test("a cleaned name is fit for resources, and cleaning it again changes nothing", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const clean = cleaned(name);
      assert.match(clean, /^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/);
      assert.equal(cleaned(clean), clean);
    }),
  );
});

test("racks differ by one node at most, the first have more, and none is lost", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(60), (count, extra) => {
      const size = count + extra;
      const racks = Array.from({ length: count }, (_, index) => ({ name: `rack${index}` }));
      const nodes = rackSizes(size, racks).map((each) => each.nodes);
      assert.equal(
        nodes.reduce((sum, each) => sum + each, 0),
        size,
      );
      assert.ok(nodes[0]! - nodes.at(-1)! <= 1);
      assert.deepEqual(
        nodes,
        [...nodes].sort((a, b) => b - a),
      );
    }),
  );
});

test("a rack's labels are the datacenter's and its own", () => {
  const datacenter: CassandraDatacenter = { metadata: { name: "east" }, spec: { clusterName: "Main" } as never };
  const shared = labels(datacenter);
  assert.equal(shared["cassandra.datastax.com/datacenter"], "east");
  assert.equal("cassandra.datastax.com/rack" in shared, false);
  assert.deepEqual(labels(datacenter, "rack2"), { ...shared, "cassandra.datastax.com/rack": "rack2" });
});
