/** What a killed update leaves is named by the ids that the clouds know it by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingCreates } from "./pending";

const operation = (type: string, name: string, inputs: Record<string, unknown> | undefined, change = {}) => ({
  type: "creating",
  resource: { urn: `urn:pulumi:s::p::${type}::${name}`, type, custom: true, inputs },
  ...change,
});
const state = (...pending_operations: ReturnType<typeof operation>[]) => ({ deployment: { pending_operations } });
const BUCKET = "gcp:storage/bucket:Bucket";

test("each creation is named once, with its id behind it", () => {
  const role = { project: "p", role: "roles/x", member: "user:a", condition: { title: "t" } };
  const found = pendingCreates(
    state(
      operation(BUCKET, "b", { name: "media" }),
      operation(BUCKET, "b", { name: "media" }),
      operation("gcp:projects/iAMMember:IAMMember", "m", role),
    ),
  );
  const flag = "--import-pending-creates";
  assert.deepEqual(found, [
    ...[flag, `urn:pulumi:s::p::${BUCKET}::b`, flag, "media"],
    ...[flag, "urn:pulumi:s::p::gcp:projects/iAMMember:IAMMember::m", flag, "p roles/x user:a t"],
  ]);
});

test("components, clusters' objects and other operations are not looked up", () => {
  const component = operation("iconik:a:B", "c", undefined);
  Object.assign(component.resource, { custom: false });
  const rest = [
    operation("kubernetes:core/v1:Secret", "s", {}),
    operation("gcp:monitoring/alertPolicy:AlertPolicy", "a", {}),
    operation(BUCKET, "b", { name: "media" }, { type: "updating" }),
  ];
  assert.deepEqual(pendingCreates(state(component, ...rest)), []);
  assert.deepEqual(pendingCreates({ deployment: {} }), []);
});

test("inputs that say too little for an id are told", () => {
  assert.throws(() => pendingCreates(state(operation(BUCKET, "b", {}))), /"b": what is declared says too little/);
});
