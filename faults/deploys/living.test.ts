/** What lives is compared as sets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compared, livingByState } from "./living";

const bucket = (id: string) => ({ type: "gcp:storage/bucket:Bucket", id });

test("something too much does not hide something missing", () => {
  const should = [bucket("a"), bucket("b")];
  assert.deepEqual(compared(should, [bucket("a"), bucket("b")]), { twice: 0, missing: 0 });
  assert.deepEqual(compared(should, [bucket("a"), bucket("c")]), { twice: 1, missing: 1 });
  assert.deepEqual(compared(should, []), { twice: 0, missing: 2 });
  const another = { ...bucket("b"), type: "gcp:storage/bucketIAMPolicy:BucketIAMPolicy" };
  assert.deepEqual(compared(should, [...should, another]), { twice: 1, missing: 0 });
});

test("a state that lacks what the program declares is no measure", () => {
  assert.throws(() => compared([bucket("a")], [bucket("a")], 2), /the state has 1 resources; allowed: 2/);
  assert.throws(() => compared([bucket("a"), bucket("a")], [bucket("a")]), /the state has 1 resources; allowed: 2/);
});

test("a state's components and providers live in no cloud", () => {
  const resources = [
    { type: "pulumi:pulumi:Stack" },
    { type: "iconik:media:Bucket" },
    { type: "pulumi:providers:gcp", id: "1", custom: true },
    { ...bucket("a"), custom: true },
  ];
  assert.deepEqual(livingByState({ deployment: { resources } }), [bucket("a")]);
  assert.deepEqual(livingByState({ deployment: {} }), []);
});
