/** The order of regions by distance, and times that are of the measured size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRegion } from "../providers/gcp/regions";
import { byDistance, knownRegions, roundTripMs } from "./places";

test("every place is a region, and a region is closest to itself", () => {
  for (const region of knownRegions) {
    assert.ok(isRegion(region), region);
    assert.equal(byDistance(region, knownRegions)[0], region);
  }
});

test("times are the same in both directions", () => {
  const region = fc.constantFrom(...knownRegions);
  fc.assert(
    fc.property(region, region, (a, b) => {
      const ms = roundTripMs(a, b);
      assert.ok(Math.abs(ms - roundTripMs(b, a)) < 1e-9 && ms >= 1 && ms < 320);
    }),
  );
});

test("a client in Finland goes to Belgium before Virginia, one in Chile to Virginia", () => {
  const regions = ["us-east4", "europe-west1"];
  assert.deepEqual(byDistance("europe-north1", regions), ["europe-west1", "us-east4"]);
  assert.deepEqual(byDistance("southamerica-west1", regions), ["us-east4", "europe-west1"]);
  // Measured between them: about 90 ms.
  const ms = roundTripMs("europe-west1", "us-east4");
  assert.ok(ms > 70 && ms < 110, `${ms}`);
  assert.throws(() => roundTripMs("mars-north1", "us-east4"), /"mars-north1" is not known/);
});
