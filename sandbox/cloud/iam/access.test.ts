/** Decisions: the union of a bucket's and its project's bindings, and nothing besides. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { Registry } from "../registry";
import { Access, type Binding, memberOf, TYPES } from "./access";
import { predefinedPermissions, predefinedRoles } from "./roles";

const dir = mkdtempSync(join(tmpdir(), "access-"));
after(() => rmSync(dir, { recursive: true }));
let folders = 0;

const permissions = ["storage.objects.get", "storage.objects.list", "storage.objects.create", "storage.objects.delete"];
const members = ["user:a@x", "user:b@x", "serviceAccount:c@p.iam.gserviceaccount.com"];
const roles = [
  "roles/storage.objectViewer",
  "roles/storage.objectCreator",
  "roles/storage.objectAdmin",
  "projects/p/roles/own",
];
const own = ["storage.objects.delete"];
const until = (year: number) => ({ title: "t", expression: `request.time < timestamp("${year}-01-01T00:00:00Z")` });
const now = new Date("2025-06-01T00:00:00Z");

const binding: fc.Arbitrary<Binding> = fc.record(
  {
    role: fc.constantFrom(...roles),
    members: fc.uniqueArray(fc.constantFrom(...members)),
    condition: fc.constantFrom(until(2020), until(2030)),
  },
  { requiredKeys: ["role", "members"] },
);

/** A bucket with a policy (undefined: none of its own) in a project with bindings. */
function declared(policy: Binding[] | undefined, project: Binding[]) {
  const registry = new Registry(join(dir, String(folders++)));
  const add = (type: string, id: string, inputs: object) =>
    registry.put({ type, id, inputs: { ...inputs }, outputs: { ...inputs } });
  add(TYPES.bucket, "b", { project: "p" });
  add(TYPES.customRole, "projects/p/roles/own", { permissions: own });
  if (policy) add(TYPES.bucketPolicy, "b/b", { bucket: "b", policyData: JSON.stringify({ bindings: policy }) });
  for (const [index, each] of project.entries()) {
    for (const member of each.members)
      add(TYPES.projectMember, `${index}/${member}`, { project: "p", ...each, members: undefined, member });
  }
  return registry;
}

function may(registry: Registry, member: string, permission: string, deployer = "owner@x"): boolean {
  const bucket = registry.get(TYPES.bucket, "b");
  assert.ok(bucket);
  const access = new Access(registry, [{ email: deployer, projects: ["p"] }]);
  const context = {
    time: now,
    resourceName: "projects/_/buckets/b/objects/o",
    resourceType: "storage.googleapis.com/Object",
  };
  return access.bucketAllows(bucket, member, permission, context);
}

test("allowed exactly when some binding of bucket or project names the member with a role that has it and holds", () => {
  const list = fc.array(binding, { maxLength: 4 });
  fc.assert(
    fc.property(
      list,
      list,
      fc.constantFrom(...members),
      fc.constantFrom(...permissions),
      (policy, project, who, what) => {
        const gives = ({ role, members: named, condition }: Binding) =>
          named.includes(who) &&
          (role === "projects/p/roles/own" ? own : (predefinedPermissions(role) ?? [])).includes(what) &&
          condition?.expression !== until(2020).expression;
        assert.equal(may(declared(policy, project), who, what), [...policy, ...project].some(gives));
      },
    ),
    { numRuns: 60 },
  );
});

test("one more binding never takes access away", () => {
  const list = fc.array(binding, { maxLength: 3 });
  fc.assert(
    fc.property(
      list,
      binding,
      fc.constantFrom(...members),
      fc.constantFrom(...permissions),
      (policy, more, who, what) => {
        if (may(declared(policy, []), who, what)) assert.ok(may(declared([...policy, more], []), who, what));
      },
    ),
    { numRuns: 40 },
  );
});

test("a new bucket lets editors and owners of its project write, viewers list; a policy of its own ends that", () => {
  const project = ["owner", "editor", "viewer"].map((role) => ({ role: `roles/${role}`, members: [`user:${role}@x`] }));
  const who = (policy: Binding[] | undefined, permission: string) =>
    ["owner", "editor", "viewer", "nobody"].map((role) => may(declared(policy, project), `user:${role}@x`, permission));
  assert.deepEqual(who(undefined, "storage.objects.create"), [true, true, false, false]);
  assert.deepEqual(who(undefined, "storage.objects.list"), [true, true, true, false]);
  assert.deepEqual(who(undefined, "storage.objects.get"), [false, false, false, false]);
  assert.deepEqual(who([], "storage.objects.list"), [false, false, false, false]);
  // Not even an owner reads or sets the policy that left it out.
  for (const permission of ["storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy", "storage.buckets.update"]) {
    assert.deepEqual(who(undefined, permission), [true, true, false, false]);
    assert.deepEqual(who([], permission), [false, false, false, false]);
  }
});

test("deployers own their projects and no others; allUsers is everybody", () => {
  assert.ok(may(declared(undefined, []), "user:owner@x", "storage.objects.create"));
  assert.ok(!may(declared([], []), "user:owner@x", "storage.objects.create"));
  const robot = "robot@q.iam.gserviceaccount.com";
  assert.ok(may(declared(undefined, []), memberOf(robot), "storage.objects.create", robot));
  const registry = declared(undefined, []);
  assert.ok(!new Access(registry, [{ email: "owner@x", projects: ["other"] }]).hasDeployer("p"));
  assert.ok(new Access(registry, [{ email: "owner@x", projects: /^p$/ }]).hasDeployer("p"));
  const everyone = [{ role: "roles/storage.objectViewer", members: ["allUsers"] }];
  assert.ok(may(declared(everyone, []), "user:nobody@x", "storage.objects.get"));
});

test("a custom role that is deleted gives nothing", () => {
  const registry = declared([{ role: "projects/p/roles/own", members: ["user:a@x"] }], []);
  assert.ok(may(registry, "user:a@x", "storage.objects.delete"));
  registry.remove(TYPES.customRole, "projects/p/roles/own");
  assert.ok(!may(registry, "user:a@x", "storage.objects.delete"));
});

test("predefined roles: no role of objects reaches buckets; names of object properties are no roles", () => {
  for (const role of predefinedRoles.filter((each) => each.startsWith("roles/storage.object")))
    assert.ok(
      predefinedPermissions(role)?.every((each) => each.startsWith("storage.objects.")),
      role,
    );
  assert.equal(predefinedPermissions("constructor"), undefined);
  assert.equal(predefinedPermissions("roles/storage.none"), undefined);
});
