import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { rangesOf, regionCapacity, regionRanges } from "./addresses";
import { actions, allowed, identities, identity, identityOfAccount, stores } from "./identities";
import * as layout from "./layout";
import { mediaBucket, mediaBucketProblem, mediaBuckets, mediaBucketsOf } from "./media";
import {
  administration,
  type BucketStore,
  bindings,
  customRole,
  customRoles,
  expiry,
  isBucketStore,
  permissionOf,
} from "./permissions";
import { allowedCopyRegions, copyLocationProblem, multiRegions, regions } from "./regions";
import { databaseNodesPerZone } from "./sizing";
import { systems } from "./systems";
import { detectionSeconds, failoverSeconds, healthCheck, outlierDetection } from "./traffic";

/** First and last address of a range. */
function span(cidr: string): [number, number] {
  const [address, bits] = cidr.split("/") as [string, string];
  const first = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [first, first + 2 ** (32 - Number(bits)) - 1];
}

test("no two ranges of any two regions overlap, and each starts on its own boundary", () => {
  const region = fc.integer({ min: 0, max: regionCapacity - 1 });
  fc.assert(
    fc.property(region, region, (a, b) => {
      const ranges = [...new Set([a, b])].flatMap((index) => Object.values(rangesOf(index)));
      const spans = ranges.map(span).sort((x, y) => x[0] - y[0]);
      for (const [index, [first, last]] of spans.entries()) {
        assert.equal(first % (last - first + 1), 0, ranges.join(" "));
        assert.ok(index === 0 || first > spans[index - 1]![1], ranges.join(" "));
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(regions.size <= regionCapacity);
  assert.throws(() => regionRanges("moon-east1"), /region "moon-east1" is unknown; allowed: europe-central2/);
});

test("roles carry exactly the cell's permissions, and nothing on buckets but for deployers", () => {
  for (const row of identities) {
    for (const store of stores.filter(isBucketStore)) {
      const role = customRole(row.id, store);
      const onObjects = allowed(row.id, store).map((action) => permissionOf[action]);
      const onBuckets = row.administers?.includes(store) ? administration : [];
      assert.deepEqual(role?.permissions ?? [], [...onBuckets, ...onObjects]);
      // Who reads objects does not administer them too.
      assert.ok(onBuckets.length === 0 || onObjects.length === 0, `${row.id} on ${store}`);
      assert.ok(onBuckets.length === 0 || row.home === "deployer", row.id);
      assert.match(role?.roleId ?? "abc", /^[a-zA-Z0-9_.]{3,64}$/);
      assert.ok((role?.title.length ?? 0) <= 100);
    }
  }
  assert.ok(Object.values(permissionOf).every((permission) => permission.startsWith("storage.objects.")));
  const ofDeployer = stores.filter((store) => identity("deployer").access[store]);
  assert.deepEqual(ofDeployer.filter(isBucketStore), ["state"]);
});

test("what the plan promises about the second copy holds in the matrix", () => {
  const writers = identities.filter((row) => row.access.primaryBackups?.includes("delete"));
  assert.deepEqual(
    writers.map((row) => row.id),
    ["cassandra-backup", "elasticsearch-backup"],
  );
  for (const row of identities.filter((candidate) => candidate.home === "site")) {
    assert.deepEqual(allowed(row.id, "secondCopy"), [], row.id);
  }
  assert.deepEqual(allowed("backup-replicator", "primaryBackups"), ["get", "list"]);
  assert.ok(!allowed("backup-replicator", "secondCopy").includes("delete"));
  const destroyers = identities.filter((row) => row.access.secondCopy?.includes("delete")).map((row) => row.id);
  assert.deepEqual(destroyers, ["pruner"]);
});

test("bindings never give more than the matrix, whatever grants are asked for", () => {
  const grant = fc.record({
    identity: fc.constantFrom(...identities.map((row) => row.id)),
    member: fc.stringMatching(/^serviceAccount:[a-c]@p$/),
    condition: fc.option(fc.constant(expiry("2030-01-01T00:00:00+01:00")), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(grant), fc.constantFrom<BucketStore>("primaryBackups", "secondCopy"), (grants, store) => {
      const roles = new Map(customRoles(store).map((role) => [`projects/p/roles/${role.roleId}`, role]));
      for (const binding of bindings(store, "p", grants)) {
        const role = roles.get(binding.role)!;
        assert.ok(role.permissions.length > 0 && role.permissions.length <= actions.length);
        for (const member of binding.members) {
          assert.ok(grants.some((asked) => asked.member === member && asked.identity === role.identity));
        }
      }
    }),
  );
});

test("a grant's condition is in UTC to the second", () => {
  assert.equal(expiry("2026-11-24T12:00:00+02:00").expression, 'request.time < timestamp("2026-11-24T10:00:00Z")');
});

test("accounts lead back to their row", () => {
  assert.equal(identityOfAccount("restorer-rebuild-1")?.id, "restorer");
  assert.equal(identityOfAccount("cassandra-backup")?.id, "cassandra-backup");
  assert.equal(identityOfAccount("somebody"), undefined);
});

test("a second copy lies outside the primary's multi-region on the same continent", () => {
  for (const code of multiRegions.keys()) {
    const fitting = allowedCopyRegions(code);
    assert.ok(fitting.length > 0, code);
    for (const region of regions.keys()) {
      assert.equal(copyLocationProblem(code, region) === undefined, fitting.includes(region), `${code} ${region}`);
    }
  }
  assert.match(
    copyLocationProblem("EU", "europe-west4")!,
    /^"europe-west4" lies inside the primary's multi-region EU; choose one of europe-west2, europe-west6$/,
  );
  assert.match(copyLocationProblem("EU", "us-east1")!, /another continent \(north-america\) than EU \(europe\)/);
});

test("a copy's path leads every object somewhere of its own, by its layer", () => {
  const name = "cassandra/x/index.latest";
  assert.equal(layout.copyPath("prod", { name }), `prod/objects/${name}`);
  assert.equal(layout.copyPath("prod", { name, layer: "copy-1" }), `prod/layers/copy-1/${name}`);
  assert.ok(layout.isPointer("cassandra/index/latest_backup/host/backup_name.txt"));
  assert.ok(!layout.isPointer("cassandra/index/backup_index/night-1/manifest.json"));
  assert.ok(!layout.isPointer("elasticsearch-emea/index-12"));
  const object = fc.record(
    {
      name: fc.stringMatching(/^(cassandra|elasticsearch-emea)\/[a-z]{1,3}$/),
      layer: fc.constantFrom("copy-1", "copy-2"),
    },
    { requiredKeys: ["name"] },
  );
  fc.assert(
    fc.property(object, object, (a, b) => {
      const equal = a.name === b.name && a.layer === b.layer;
      assert.equal(layout.copyPath("s", a) === layout.copyPath("s", b), equal);
    }),
  );
});

test("names carry their moment to the second, sort by time and lead back", () => {
  const moment = fc.date({
    min: new Date("2000-01-01T00:00:00Z"),
    max: new Date("2099-12-31T00:00:00Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, moment, (a, b) => {
      const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
      assert.equal(seconds(layout.momentOf(layout.backupName(a))), seconds(a));
      assert.equal(seconds(layout.momentOf(layout.backupName(a, "emea2"))), seconds(a));
      assert.equal(layout.markerId(a) < layout.markerId(b), seconds(a) < seconds(b));
    }),
  );
  assert.throws(() => layout.momentOf("night-2026"), /"night-2026" carries no moment/);
  assert.equal(
    layout.newestMarker("prod", [
      "markers/prod/copy-20260101t000000z.json",
      "markers/prod/zzz.json",
      "markers/x/copy-20270101t000000z.json",
    ]),
    "copy-20260101t000000z",
  );
});

test("each system's files and policies exist", () => {
  for (const system of systems) {
    for (const file of [...system.components, ...system.policies.map((name) => `policies/rules/${name}.ts`)]) {
      assert.ok(existsSync(`${__dirname}/../${file}`), `${system.id}: ${file}`);
    }
  }
});

test("every zone has a machine for each store node that can only run there", () => {
  const perZone = (racks: number, nodesPerRegion: number, nodes: number, zones: number) =>
    databaseNodesPerZone({ cassandra: { racks, nodesPerRegion }, elasticsearch: { nodes } }, zones);
  assert.equal(perZone(3, 3, 3, 3), 1);
  assert.equal(perZone(2, 6, 3, 3), 3, "two racks leave a zone out");
  assert.equal(perZone(2, 2, 7, 3), 3);
});

test("media buckets are the plan's three and a drill's scratch ones; every other is a customer's", () => {
  for (const { name, secondary } of [...mediaBuckets, ...mediaBucketsOf("iconik-drill-")]) {
    assert.deepEqual(mediaBucket(name), { name, secondary });
    assert.deepEqual(mediaBucket(secondary), { name, secondary });
  }
  for (const name of [
    "",
    "files",
    "acme-files",
    "iconik-files-2",
    "iconik-drills-files",
    "iconik-files-secondary-secondary",
  ])
    assert.equal(mediaBucket(name), undefined, name);
  assert.equal(mediaBucketProblem("iconik-files"), undefined);
  assert.match(mediaBucketProblem("iconik-files-secondary")!, /^no media bucket of the product/);
  assert.match(mediaBucketProblem("iconik-files", mediaBucketsOf("iconik-drill-"))!, /allowed: iconik-drill-files,/);
});

test("a failure is seen soon enough, and Google takes the health check as it is", () => {
  assert.equal(detectionSeconds({ intervalSeconds: 5, timeoutSeconds: 3, unhealthyThreshold: 2 }), 13);
  assert.ok(detectionSeconds() <= failoverSeconds, `${detectionSeconds()} s`);
  assert.ok(healthCheck.timeoutSeconds <= healthCheck.intervalSeconds);
  assert.ok(outlierDetection.maxEjectionPercent <= 50);
});
