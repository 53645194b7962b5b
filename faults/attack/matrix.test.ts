/** The attack matrix on what is declared: every cell is as the plan says, and one role too many is found. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { COPIES_BUCKET, PRIMARY_BUCKET, PROD } from "../../drill/config";
import { identities, stores } from "../../plan/identities";
import { markersPrefix } from "../../plan/layout";
import { awsControl, DEPLOYER, policy, REGION, roleArn, TRUST } from "../../sandbox/cloud/aws/testing";
import type { CloudError } from "../../sandbox/lib/types";
import { actionsAt, expected, expectedMint, type Place, type Principal, placeOperations } from "./cells";
import { type Cell, identifyAll, reached, runMatrix, runMinting } from "./matrix";
import { rolePrincipal } from "./principals";
import { S3Attack } from "./s3";
import { type DeclaredAttack, openDeclaredAttack } from "./testing";

let stage: DeclaredAttack;
before(async () => {
  stage = await openDeclaredAttack();
});
after(() => stage.gateway.stop());

const differing = (cells: readonly Cell[]) =>
  cells
    .filter(({ pass }) => !pass)
    .map((cell) => `${cell.principal} ${cell.place} ${cell.operation}: ${cell.measured}`);

test("every identity of Google's side has at every bucket what the matrix says, and is refused all else", async () => {
  const cells = await runMatrix(stage);
  assert.equal(cells.length, stage.principals.length * stage.places.length * placeOperations.length);
  assert.deepEqual(differing(cells), []);
  const rows = new Set(stage.principals.flatMap(({ parts }) => parts.map(({ row }) => row)));
  const missing = identities.map(({ id }) => id).filter((id) => !rows.has(id));
  // Those of AWS, and who acts by hand while the pipeline cannot.
  const elsewhere = identities.filter(({ home }) => home === "aws").map(({ id }) => id);
  assert.deepEqual(
    missing.filter((id) => !elsewhere.includes(id)),
    ["break-glass"],
  );
});

/** Adds a binding to what a stack declares of a bucket, attacks there, and takes it back. */
async function withBinding(bucket: string, role: string, member: string): Promise<string[]> {
  const policy = Object.values(stage.stacks)
    .flat()
    .find(({ type, inputs }) => type === "gcp:storage/bucketIAMPolicy:BucketIAMPolicy" && inputs.bucket === bucket)!;
  const { bindings } = JSON.parse(String(policy.inputs.policyData)) as { bindings: object[] };
  const more = {
    ...policy.inputs,
    policyData: JSON.stringify({ bindings: [...bindings, { role, members: [member] }] }),
  };
  await stage.gateway.declare([{ ...policy, inputs: more }]);
  try {
    const places = stage.places.filter((each) => each.bucket === bucket);
    return differing(await runMatrix({ ...stage, places }));
  } finally {
    await stage.gateway.declare([policy]);
  }
}

test("one role too many fails the cells that it opens, and no others", async () => {
  const services = "services@iconik-drill-prod.iam.gserviceaccount.com";
  const found = await withBinding(COPIES_BUCKET, "roles/storage.objectViewer", `serviceAccount:${services}`);
  assert.equal(found.length, 6, found.join("\n"));
  assert.ok(found.every((each) => each.startsWith(services) && / (list|read): allowed$/.test(each)));
});

test("a role that administers is found by what it changes, which is put back", async () => {
  const elastic = "elasticsearch-backup@iconik-drill-prod.iam.gserviceaccount.com";
  const found = await withBinding(PRIMARY_BUCKET, "roles/storage.legacyBucketOwner", `serviceAccount:${elastic}`);
  assert.deepEqual(
    found.map((each) => /: allowed$/.test(each) && each.split("/").at(-1)),
    [" change policy: allowed", " change retention: allowed", " grant to oneself: allowed"],
  );
  const place = stage.places.find(({ bucket }) => bucket === PRIMARY_BUCKET)!;
  assert.deepEqual(differing(await runMatrix({ ...stage, places: [place] })), []);
});

test("somebody who is not known by its credentials attacks nothing", async () => {
  await identifyAll(stage);
  const [first, second, ...others] = stage.principals;
  const google = stage.storages.gcp;
  const identify = async (who: Principal) => {
    if (who === first) throw new Error("400: invalid_token");
    return who === second ? "somebody@else" : google.identify(who);
  };
  const storages = { ...stage.storages, gcp: { ...google, identify } as typeof google };
  await assert.rejects(identifyAll({ principals: stage.principals, storages }), {
    message: `2 of ${stage.principals.length} are not who they attack as: ${first!.name} is nobody (400: invalid_token); ${second!.name} is somebody@else`,
  });
  await identifyAll({ principals: others, storages });
});

test("a role is known by its session, whatever its path", async () => {
  const said = (arn: string) => ({ status: 200, body: `<Arn>${arn}</Arn>`, version: "" });
  const none = () => Promise.reject(new Error("not asked"));
  const s3 = (answer: object) =>
    new S3Attack({ send: none, mint: none, whoami: async () => ({ status: 0, body: "", ...answer }) });
  const who: Principal = { ...someone([]), cloud: "aws", name: "arn:aws:iam::123456789012:role/path/copier" };
  const own = "arn:aws:sts::123456789012:assumed-role/copier/s";
  assert.equal(await s3(said(own)).identify(who), who.name);
  for (const arn of [own.replace("copier", "pruner"), own.replace("2:", "3:")])
    assert.equal(await s3(said(arn)).identify(who), arn);
  const expired = { status: 403, body: "<Code>ExpiredToken</Code>" };
  await assert.rejects(s3(expired).identify(who), /403: <Code>ExpiredToken/);
});

test("nobody has the token of anybody else, and one that is given to another is found", async () => {
  const cells = await runMinting(stage);
  const accounts = stage.principals.filter(({ name }) => name.endsWith(".gserviceaccount.com")).length;
  assert.equal(cells.length, accounts * (stage.principals.length - 1));
  assert.deepEqual(differing(cells), []);
  const [attacker, victim] = ["services@iconik-drill-prod", "pruner@iconik-drill-vault"].map(
    (each) => `${each}.iam.gserviceaccount.com`,
  );
  const end = await stage.gateway.bind([
    {
      type: "gcp:serviceaccount/iAMBinding:IAMBinding",
      name: "one-too-many",
      inputs: {
        serviceAccountId: `projects/iconik-drill-vault/serviceAccounts/${victim}`,
        role: "roles/iam.serviceAccountTokenCreator",
        members: [`serviceAccount:${attacker}`],
      },
    },
  ]);
  try {
    assert.deepEqual(differing(await runMinting(stage)), [`${attacker} ${victim} mint another's token: allowed`]);
  } finally {
    await end();
  }
  assert.deepEqual(differing(await runMinting(stage)), []);
});

test("a role of AWS that trusts another is found", async () => {
  const { control, end } = awsControl();
  const make = (name: string, assumeRolePolicy: string) =>
    control.create("aws:iam/role:Role", name, { region: REGION, name, assumeRolePolicy }, DEPLOYER);
  const S3 = () => Promise.reject(new Error("there is no S3 here"));
  const mint = async (arn: string | undefined, victim: string) => {
    try {
      control.identities.assume(control.caller(arn ?? "", "attack"), victim, "attack", 3600);
      return { status: 200, body: "" };
    } catch (error) {
      const { status, message } = error as CloudError;
      return { status, body: message };
    }
  };
  const principals = ["first", "second", "third"].map((name): Principal => {
    return { cloud: "aws", name: roleArn(name), stack: "standby", parts: [] };
  });
  const storages = { ...stage.storages, aws: new S3Attack({ send: S3, whoami: S3, mint }) };
  const widened = { Effect: "Allow", Principal: { AWS: roleArn("first") }, Action: "sts:AssumeRole" };
  try {
    await make("first", TRUST);
    await make("second", TRUST);
    await make("third", policy(widened));
    const cells = await runMinting({ principals, storages });
    assert.equal(cells.length, 6);
    assert.deepEqual(differing(cells), [`${roleArn("first")} ${roleArn("third")} mint another's token: allowed`]);
  } finally {
    end();
  }
});

const someone = (parts: Principal["parts"]): Principal => ({ cloud: "gcp", name: "a", stack: "s", parts });
const somewhere = (more: Partial<Place>): Place => ({
  ...{ cloud: "gcp", store: "secondCopy", bucket: "b", stack: "vault", prefix: "", retentionSeconds: 0, locked: false },
  ...more,
});

test("whom the matrix does not know, and whoever comes from the other cloud, gets nothing", () => {
  for (const store of stores)
    for (const operation of placeOperations) {
      assert.equal(expected(someone([]), somewhere({ store }), operation), "refused");
      const foreign = { ...someone(identities.map(({ id }) => ({ row: id }))), cloud: "aws" as const };
      assert.equal(expected(foreign, somewhere({ store }), operation), "refused");
    }
});

test("retention keeps from those who may delete, prefixes and stacks narrow a row", () => {
  const pruner = someone([{ row: "pruner" }]);
  assert.equal(expected(pruner, somewhere({}), "delete"), "allowed");
  assert.equal(expected(pruner, somewhere({ retentionSeconds: 1 }), "delete"), "protected");
  assert.equal(expected(pruner, somewhere({}), "read"), "refused");
  assert.equal(expected(pruner, somewhere({ prefix: markersPrefix(PROD) }), "read"), "allowed");
  const reader = someone([{ row: "manifest-reader", prefix: markersPrefix(PROD) }]);
  assert.deepEqual([...actionsAt(reader, somewhere({}))], []);
  assert.deepEqual([...actionsAt(reader, somewhere({ prefix: markersPrefix(PROD) }))], ["get", "list"]);
  const deployer = someone([{ row: "deployer", stack: "prod" }]);
  assert.equal(expected(deployer, somewhere({}), "change policy"), "refused");
  assert.equal(expected(deployer, somewhere({ stack: "prod", locked: true }), "change retention"), "protected");
  const state = { store: "state" as const, stack: "bootstrap" };
  assert.equal(expected(deployer, somewhere({ ...state, stateOf: "prod" }), "read"), "allowed");
  assert.equal(expected(deployer, somewhere({ ...state, stateOf: "vault" }), "read"), "refused");
  assert.equal(expected(deployer, somewhere({ ...state, stateOf: "prod" }), "change policy"), "refused");
});

test("who deploys and previews the standby sees names in its buckets, and opens nothing", () => {
  const { parts } = rolePrincipal("arn:aws:iam::123456789012:role/standby-previewer", "standby", { site: PROD });
  const previewer: Principal = { cloud: "aws", name: "p", stack: "standby", parts };
  for (const store of stores.filter((each) => each.startsWith("s3"))) {
    const bucket = somewhere({ cloud: "aws", store, stack: "standby" });
    assert.deepEqual([...actionsAt(previewer, bucket)], ["list"], store);
    const elsewhere = somewhere({ cloud: "aws", store, stack: "another" });
    assert.equal(actionsAt(previewer, elsewhere).has("list"), store === "s3Copies");
  }
});

test("what somebody can empty is told by who may most there", () => {
  const places = [somewhere({ bucket: "a" }), somewhere({ bucket: "b" })];
  const cell = (principal: string, bucket: string, operation: Cell["operation"], measured: Cell["measured"]): Cell => ({
    ...{ cloud: "gcp", principal, place: `gs://${bucket}/`, operation, measured },
    ...{ expected: measured as "allowed", status: 200, pass: true },
  });
  const cells = [
    cell("reader", "a", "list", "allowed"),
    cell("remover", "a", "delete version", "allowed"),
    cell("owner", "a", "grant to oneself", "allowed"),
    cell("remover", "b", "delete version", "protected"),
    cell("stranger", "b", "grant to oneself", "allowed"),
  ];
  const among = ["reader", "remover", "owner"].map((name) => ({ ...someone([]), name }));
  assert.deepEqual(reached(cells, among, places), [{ bucket: "a", by: "owner" }]);
});

test("who is called acts as the deployers of a bootstrap, and as nobody else", () => {
  const called: Principal = { ...someone([{ row: "break-glass", stack: "bootstrap" }]), stack: "bootstrap" };
  const of = (row: "deployer" | "previewer", stack: string): Principal => ({
    ...someone([{ row, stack: "prod" }]),
    stack,
  });
  const mints = (victim: Principal) => expectedMint(called, victim);
  assert.equal(mints(of("deployer", "bootstrap")), "allowed");
  assert.equal(mints(of("deployer", "another")), "refused");
  assert.equal(mints(of("previewer", "bootstrap")), "refused");
  assert.equal(expectedMint(of("deployer", "bootstrap"), of("deployer", "bootstrap")), "refused");
});

test("on S3 a replacement is a version more, a removal a marker, and versions stay", () => {
  const at = (store: Place["store"]) => somewhere({ cloud: "aws", store });
  const copier: Principal = { ...someone([{ row: "standby-copier" }]), cloud: "aws" };
  assert.equal(expected(copier, at("s3Copies"), "overwrite"), "allowed");
  assert.equal(expected(copier, at("s3Copies"), "delete"), "refused");
  assert.equal(expected(copier, at("s3MediaCopies"), "delete"), "allowed");
  for (const store of stores.filter((each) => each.startsWith("s3")))
    assert.equal(expected(copier, at(store), "delete version"), "refused");
});
