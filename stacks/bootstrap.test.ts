/** What a bootstrap declares. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { DeclaredResource } from "../tests/lib/declared";
import { declared } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { stackConfig } from "../tests/lib/stack-file";
import { declaredStack } from "../tests/lib/stacks";
import { bootstrap } from "./bootstrap";
import type { BootstrapConfig } from "./config";

let resources: DeclaredResource[];
let vault: DeclaredResource[];
before(async () => {
  resources = (await declaredStack("bootstrap")).resources;
  vault = (await declaredStack("bootstrap-vault")).resources;
});

const run = async (changes: Record<string, unknown>) =>
  (await declared(() => bootstrap(stackConfig("bootstrap", changes) as BootstrapConfig, "bootstrap"), "bootstrap"))
    .resources;
const named = (all: DeclaredResource[], name: string) => {
  const found = all.find((each) => each.name === name);
  assert.ok(found, `${name} is not declared`);
  return found.inputs;
};
const ofType = (all: DeclaredResource[], type: string) => all.filter((each) => each.type === type);
/** Members of a bucket's policy by role id. */
const access = (all: DeclaredResource[], stack: string): Record<string, string[]> => {
  const { bindings } = JSON.parse(String(named(all, `state-${stack}-policy`).policyData));
  return Object.fromEntries(
    bindings.map(({ role, members }: { role: string; members: string[] }) => [role.split("/").at(-1), members]),
  );
};

test("their inventories", () => {
  assertGolden("bootstrap", resources);
  assertGolden("bootstrap-vault", vault);
});

test("each stack's state is reached by its own pipeline alone, and administered by people who do not read it", () => {
  assert.deepEqual(access(resources, "prod"), {
    bootstrapperState: ["group:dr-bootstrap@iconik.io"],
    deployerState: ["serviceAccount:deployer@iconik-prod.iam.gserviceaccount.com"],
    previewerState: ["serviceAccount:previewer@iconik-prod.iam.gserviceaccount.com"],
  });
  const permissions = (role: string) => named(resources, `state-roles-${role}`).permissions as string[];
  assert.ok(!permissions("deployer").some((each) => each.startsWith("storage.buckets.")));
  assert.ok(!permissions("bootstrapper").some((each) => each.startsWith("storage.objects.")));
  assert.deepEqual(permissions("previewer"), ["storage.objects.get", "storage.objects.list"]);
});

test("nobody of a site reaches the vault's state, and the reverse", () => {
  const members = (all: DeclaredResource[], project: string) =>
    [...ofType(all, "gcp:storage/bucketIAMPolicy:BucketIAMPolicy"), ...ofType(all, "gcp:projects/iAMMember:IAMMember")]
      .map(({ inputs }) => JSON.stringify(inputs))
      .filter((text) => text.includes(project));
  assert.deepEqual(members(vault, "iconik-prod"), []);
  assert.deepEqual(members(resources, "iconik-vault"), []);
});

test("a state has versions, soft delete and a protected key that is turned over", () => {
  for (const stack of ["bootstrap", "foundation", "prod", "rebuild-1"]) {
    const bucket = named(resources, `state-${stack}-bucket`);
    assert.deepEqual(bucket.versioning, { enabled: true });
    assert.deepEqual(bucket.softDeletePolicy, { retentionDurationSeconds: 90 * 86_400 });
    assert.equal(bucket.publicAccessPrevention, "enforced");
    assert.equal(named(resources, `state-${stack}-key`).rotationPeriod, "7776000s");
  }
  const lasting = resources.filter(({ protect, retainOnDelete }) => protect && retainOnDelete).map(({ type }) => type);
  assert.deepEqual([...new Set(lasting)].sort(), [
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/keyRing:KeyRing",
    "gcp:storage/bucket:Bucket",
  ]);
});

test("the previewer decrypts, the deployer encrypts too", () => {
  assert.deepEqual(named(resources, "state-prod-cryptoKeyDecrypter").members, [
    "serviceAccount:previewer@iconik-prod.iam.gserviceaccount.com",
  ]);
  assert.deepEqual(named(resources, "state-prod-cryptoKeyEncrypterDecrypter").members, [
    "serviceAccount:deployer@iconik-prod.iam.gserviceaccount.com",
  ]);
});

test("an account is taken on by one GitHub environment", () => {
  const of = (name: string) => named(vault, `deployer-vault-${name}-workflows`).members;
  const environment = (name: string) => [
    `principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/attribute.environment/${name}`,
  ];
  assert.deepEqual(of("deployer"), environment("deploy-vault"));
  assert.deepEqual(of("previewer"), environment("preview-vault"));
  assert.deepEqual(of("publisher"), environment("publish-vault"));
  assert.equal(
    resources.some(({ name }) => name.includes("publisher")),
    false,
  );
});

test("no deployer owns or edits its project, and none grants what the plan does not name", () => {
  const roles = [...resources, ...vault]
    .filter(({ type }) => type === "gcp:projects/iAMMember:IAMMember")
    .map(({ inputs }) => inputs as { role: string; condition?: { expression: string } });
  assert.ok(roles.length > 50);
  for (const { role, condition } of roles) {
    assert.doesNotMatch(role, /^roles\/(owner|editor|viewer|storage\.)/);
    if (role === "roles/resourcemanager.projectIamAdmin")
      assert.match(condition?.expression ?? "", /hasOnly\(\["roles/);
  }
});

test("break-glass access ends by itself, and without it nobody has any", async () => {
  const until = new Date(Date.now() + 3600_000).toISOString();
  const given = await run({ breakGlass: { member: "group:oncall@iconik.io", until } });
  const { role, members, condition } = named(given, "deployer-prod-deployer-break-glass") as Record<string, unknown>;
  assert.equal(role, "roles/iam.serviceAccountTokenCreator");
  assert.deepEqual(members, ["group:oncall@iconik.io"]);
  assert.match(JSON.stringify(condition), /request\.time < timestamp.*"break-glass"/);
  assert.ok(!resources.some(({ name }) => name.endsWith("break-glass")));
});

test("the standby's copier reads states and decrypts nothing", async () => {
  const issuer = `https://oidc.eks.eu-central-1.amazonaws.com/id/${"A".repeat(32)}`;
  const all = await run({ stateReader: { issuer } });
  const member = "serviceAccount:state-reader@iconik-bootstrap.iam.gserviceaccount.com";
  for (const stack of ["bootstrap", "prod"]) assert.deepEqual(access(all, stack).stateReaderState, [member]);
  assert.ok(!JSON.stringify(ofType(all, "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")).includes(member));
  assert.equal(
    named(all, "state-reader-standby-provider").attributeCondition,
    'assertion.sub == "system:serviceaccount:dr:state-reader"',
  );
});
