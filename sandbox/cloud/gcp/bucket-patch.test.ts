/** A patch of a bucket by the storage's API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { patchedBucket } from "./bucket-patch";

test("what is given replaces, null removes, the rest stays", () => {
  const inputs = { name: "b", retentionPolicy: { retentionPeriod: "60" }, versioning: { enabled: true } };
  const soft = { retentionDurationSeconds: 0 };
  assert.deepEqual(patchedBucket(inputs, { retentionPolicy: null, softDeletePolicy: soft }), {
    name: "b",
    versioning: { enabled: true },
    softDeletePolicy: soft,
  });
  assert.deepEqual(patchedBucket(inputs, {}), inputs);
});

test("a lock is not taken away by a patch that does not speak of it", () => {
  const inputs = { retentionPolicy: { retentionPeriod: "60", isLocked: true } };
  const patched = patchedBucket(inputs, { retentionPolicy: { retentionPeriod: "30" } });
  assert.deepEqual(patched.retentionPolicy, { retentionPeriod: "30", isLocked: true });
});

test("settings that are declared alone are refused", () => {
  assert.throws(() => patchedBucket({}, { acl: [] }), /patches retentionPolicy, .* alone, not acl/);
});
