/** Service accounts, bindings on them, custom roles and project bindings: refusals, and what deletion leaves. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";

const ACCOUNT = "gcp:serviceaccount/account:Account";
const USERS = "gcp:serviceaccount/iAMBinding:IAMBinding";
const ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole";
const MEMBER = "gcp:projects/iAMMember:IAMMember";
const POLICY = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy";

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud({ preparedProjects: ["p"] });
});
afterEach(() => cloud.end());

const make = (type: string, inputs: Props) => cloud.control.create(type, "it", { project: "p", ...inputs }, "me@x");
const account = (accountId = "worker-1") => make(ACCOUNT, { accountId });
const EMAIL = "worker-1@p.iam.gserviceaccount.com";
const ID = `projects/p/serviceAccounts/${EMAIL}`;
const POD = "serviceAccount:p.svc.id.goog[ns/ksa]";
const users = (change: Props = {}) =>
  make(USERS, { serviceAccountId: ID, role: "roles/iam.workloadIdentityUser", members: [POD], ...change });

test("an account's outputs; ids that are refused", async () => {
  const { id, outputs } = await account();
  assert.equal(id, ID);
  assert.equal(outputs.email, EMAIL);
  assert.equal(outputs.name, ID);
  assert.equal(outputs.member, `serviceAccount:${EMAIL}`);
  assert.match(String(outputs.uniqueId), /^\d{21}$/);
  await refused(account(), 409, /worker-1@.* already exists/);
  for (const wrong of ["short", "9digits", "Upper-case", "ends-with-", `a${"b".repeat(30)}`])
    await refused(account(wrong), 400, new RegExp(`account id: "${wrong}"`));
  const adopted = await make(ACCOUNT, { accountId: "worker-1", createIgnoreAlreadyExists: true });
  assert.equal(adopted.outputs.uniqueId, outputs.uniqueId, "the same account");
  await account("sixsix");
  await account(`a${"b".repeat(29)}`);
});

test("an account made beforehand may be named, adopted, and is not made twice", async () => {
  const prepared = testCloud({ preparedAccounts: [EMAIL] });
  try {
    const inputs = { project: "p", accountId: "worker-1" };
    await refused(prepared.control.create(ACCOUNT, "it", inputs, "me@x"), 409, /worker-1@.* already exists/);
    const adopted = await prepared.control.create(
      ACCOUNT,
      "it",
      { ...inputs, createIgnoreAlreadyExists: true },
      "me@x",
    );
    assert.equal(adopted.outputs.email, EMAIL);
  } finally {
    prepared.end();
  }
  assert.throws(() => testCloud({ preparedAccounts: ["worker-1"] }), /"worker-1" is no service account/);
});

test("custom roles: permissions are service.resource.verb; a deleted id may be used again", async () => {
  const role = (change: Props = {}) =>
    make(ROLE, { roleId: "reader", title: "Reader", permissions: ["storage.objects.get"], ...change });
  for (const wrong of ["storage.get", "storage.objects.*", "Storage objects get", "a.b.c.d"])
    await refused(role({ permissions: [wrong] }), 400, /Permission .* is not valid/);
  await refused(role({ roleId: "has-dash" }), 400, /role_id: "has-dash"/);
  await refused(role({ permissions: [] }), 400, /one permission or more/);
  const { id } = await role();
  await refused(role(), 409, /already exists/);
  await cloud.control.delete(ROLE, id, "me@x");
  await role({ permissions: ["storage.objects.list"] });
  assert.deepEqual((await cloud.control.read(ROLE, id))?.outputs.permissions, ["storage.objects.list"]);
});

test("only pools of projects that had a cluster can be bound; the fact survives a restart", async () => {
  await account();
  await refused(users({ members: ["serviceAccount:q.svc.id.goog[ns/ksa]"] }), 400, /does not exist \(q\.svc\.id/);
  await refused(users({ serviceAccountId: "projects/p/serviceAccounts/none" }), 404, /serviceAccounts\/none/);
  await refused(users({ role: "roles/iam.typo" }), 400, /roles\/iam\.typo is not supported .* The sandbox knows roles/);
  await refused(users({ role: "projects/q/roles/r" }), 400, /is of another project/);
  await users();
  assert.ok(cloud.restart().mayActAs(POD, EMAIL));
});

test("a binding lets its members act, while its condition holds and its role has the permission", async () => {
  await account();
  const until = (moment: string) => ({ title: "until", expression: `request.time < timestamp("${moment}")` });
  const { id } = await users({ condition: until("2020-01-01T00:00:00Z") });
  assert.ok(!cloud.control.mayActAs(POD, EMAIL), "ended");
  await users({ role: "roles/viewer" });
  assert.ok(!cloud.control.mayActAs(POD, EMAIL), "the role gives nothing");
  const inputs = { serviceAccountId: ID, role: "roles/iam.workloadIdentityUser", members: [POD] };
  await cloud.control.update(USERS, id, { ...inputs, condition: until("2999-01-01T00:00:00Z") }, "me@x");
  assert.ok(cloud.control.mayActAs(POD, EMAIL));
  await cloud.control.update(USERS, id, { ...inputs, members: [] }, "me@x");
  assert.ok(!cloud.control.mayActAs(POD, EMAIL), "authoritative");
});

test("a grant that is prolonged is there twice, until the old one is removed", async () => {
  await account();
  const until = (year: string) => ({
    title: "until",
    expression: `request.time < timestamp("${year}-01-01T00:00:00Z")`,
  });
  const ended = await users({ condition: until("2020") });
  const prolonged = await users({ condition: until("2999") });
  assert.notEqual(prolonged.id, ended.id);
  await refused(users({ condition: until("2999") }), 409, /already exists/);
  await cloud.control.delete(USERS, ended.id, "me@x");
  assert.ok(cloud.control.mayActAs(POD, EMAIL));
});

test("an account made again under its old address is another one: old bindings give it nothing", async () => {
  const first = await account();
  const member = String(first.outputs.member);
  await users();
  await make("gcp:storage/bucket:Bucket", { name: "bkt", location: "EU" });
  const policyData = JSON.stringify({ bindings: [{ role: "roles/storage.objectViewer", members: [member] }] });
  await make(POLICY, { bucket: "bkt", policyData });
  await make(MEMBER, { role: "roles/storage.objectCreator", member });
  const may = (permission: string) => cloud.control.allows(member, permission, "bkt", "o");
  assert.ok(may("storage.objects.get") && may("storage.objects.create") && cloud.control.mayActAs(POD, EMAIL));

  await cloud.control.delete(ACCOUNT, ID, "me@x");
  const second = await account();
  assert.notEqual(second.outputs.uniqueId, first.outputs.uniqueId);
  assert.ok(!may("storage.objects.get") && !may("storage.objects.create") && !cloud.control.mayActAs(POD, EMAIL));
  const read = await cloud.control.read(POLICY, "b/bkt");
  const dangling = `deleted:serviceAccount:${EMAIL}?uid=${first.outputs.uniqueId}`;
  assert.deepEqual(JSON.parse(String(read?.inputs.policyData)).bindings[0].members, [dangling]);

  await cloud.control.update(POLICY, "b/bkt", { bucket: "bkt", policyData }, "me@x");
  await users();
  assert.ok(may("storage.objects.get") && cloud.control.mayActAs(POD, EMAIL), "declared anew");
});

test("project members: accounts that exist, known roles, no conditions on basic roles", async () => {
  const bind = (change: Props) => make(MEMBER, { role: "roles/storage.objectViewer", member: "user:a@x", ...change });
  await refused(bind({ member: `serviceAccount:${EMAIL}` }), 400, /worker-1@.* does not exist/);
  await refused(bind({ member: "a@x" }), 400, /unknown type/);
  await refused(bind({ role: "roles/none" }), 400, /not supported/);
  const condition = { title: "t", expression: "true" };
  await refused(bind({ role: "roles/editor", condition }), 400, /basic role roles\/editor/);
  assert.notEqual((await bind({})).id, (await bind({ condition })).id, "one binding per condition");
});
