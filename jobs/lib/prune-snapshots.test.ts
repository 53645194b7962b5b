/** Which snapshots are removed before a night's own, and which never are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { backupName } from "../../plan/layout";
import { expired } from "./prune-snapshots";

const nights = (count: number) =>
  Array.from({ length: count }, (_, day) => backupName(new Date(Date.UTC(2026, 0, 1 + day, 1, 30))));

test("with the night's own, as many complete ones remain as are kept", () => {
  const all = nights(14);
  assert.deepEqual(expired(all, new Set(all), 14), all.slice(0, 1));
  assert.deepEqual(expired(all.slice(1), new Set(all), 14), [], "the second run has nothing to remove");
  assert.deepEqual(expired([], new Set(), 14), []);
});

test("nights that failed push no complete one out, and go when a complete one is newer", () => {
  const all = nights(6);
  const [first, second] = all as [string, string];
  assert.deepEqual(
    expired(all, new Set([first]), 2),
    [],
    "the only complete one stays, and so does what came after it",
  );
  assert.deepEqual(expired(all, new Set([second]), 2), [first]);
  assert.deepEqual(expired(all, new Set(), 2), [], "without a complete one nothing is removed");
});

test("whatever is there: the newest complete one stays, others' snapshots stay, never more than asked for is kept", () => {
  const all = nights(30);
  fc.assert(
    fc.property(fc.subarray(all), fc.subarray(all), fc.integer({ min: 1, max: 20 }), (present, manifests, keep) => {
      const complete = new Set(manifests);
      const gone = new Set(expired([...present, "by-hand", "night-x"], complete, keep));
      const good = present.filter((name) => complete.has(name));
      const left = good.filter((name) => !gone.has(name));
      assert.ok(!gone.has("by-hand") && !gone.has("night-x"));
      assert.deepEqual(left, good.slice(-Math.max(1, keep - 1)), "the newest ones");
    }),
  );
});
