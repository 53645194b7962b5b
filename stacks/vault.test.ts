/** What the vault declares, with and without a restore grant. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { administration, type Binding } from "../plan/permissions";
import type { Declaration } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack } from "../tests/lib/stacks";

const REPLICATOR = "serviceAccount:backup-replicator@iconik-vault.iam.gserviceaccount.com";
const DEPLOYER = "serviceAccount:deployer@iconik-vault.iam.gserviceaccount.com";
const RESTORER = "serviceAccount:restorer-rebuild-1@iconik-vault.iam.gserviceaccount.com";

function bindingsOf({ resources }: Declaration): Binding[] {
  const [policy, ...more] = resources.filter(({ type }) => type === "gcp:storage/bucketIAMPolicy:BucketIAMPolicy");
  assert.ok(policy && more.length === 0);
  return JSON.parse(String(policy.inputs.policyData)).bindings;
}

for (const stack of ["vault", "vault-granting"] as const) {
  describe(stack, () => {
    let vault: Declaration;
    before(async () => {
      vault = await declaredStack(stack);
    });

    test("its inventory", () => assertGolden(stack, vault.resources));

    test("everything belongs to a component", () => {
      assert.deepEqual(
        vault.resources.filter(({ custom, parent }) => custom && !parent),
        [],
      );
    });

    test("the copies are protected, retained, locked, and in Zurich", () => {
      const bucket = vault.resources.find(({ type }) => type === "gcp:storage/bucket:Bucket")!;
      assert.ok(bucket.protect && bucket.retainOnDelete);
      assert.equal(bucket.inputs.location, "EUROPE-WEST6");
      assert.equal(bucket.inputs.forceDestroy, false);
      assert.deepEqual(bucket.inputs.retentionPolicy, { retentionPeriod: String(35 * 24 * 3600), isLocked: true });
    });

    test("replication knows the primary bucket and may run", () => {
      const replication = vault.resources.find(({ type }) => type === "kubernetes:batch/v1:CronJob")!;
      assert.match(JSON.stringify(replication), /iconik-prod-backups/);
      assert.equal((replication.inputs.spec as { suspend: boolean }).suspend, false);
    });
  });
}

test("nodes of the vault, of its sites and of a granted one pull images; deployers alone pull charts", async () => {
  const { resources } = await declaredStack("vault-granting");
  const readers = (name: string) => resources.find((each) => each.name === name)?.inputs.members;
  const nodes = (region: string, project: string) => `serviceAccount:gke-${region}@${project}.iam.gserviceaccount.com`;
  assert.deepEqual(readers("registry-images-readers"), [
    nodes("europe-west6", "iconik-vault"),
    ...["iconik-prod", "iconik-rebuild-1"].flatMap((project) => [
      nodes("europe-west1", project),
      nodes("us-east4", project),
    ]),
  ]);
  assert.deepEqual(readers("registry-charts-readers"), [
    "serviceAccount:deployer@iconik-prod.iam.gserviceaccount.com",
    "serviceAccount:deployer@iconik-rebuild-1.iam.gserviceaccount.com",
  ]);
});

test("without a grant the replicator alone has access; the deployer administers the bucket and reads nothing", async () => {
  const vault = await declaredStack("vault");
  assert.deepEqual(
    bindingsOf(vault).map(({ role, members }) => [role, members]),
    [
      ["projects/iconik-vault/roles/backupReplicatorSecondCopy", [REPLICATOR]],
      ["projects/iconik-vault/roles/deployerSecondCopy", [DEPLOYER]],
    ],
  );
  const role = vault.resources.find(({ inputs }) => inputs.roleId === "deployerSecondCopy");
  assert.deepEqual(role?.inputs.permissions, administration);
});

test("a grant lets the restorer read until it ends, from the granted site's pods only", async () => {
  const vault = await declaredStack("vault-granting");
  const granted = bindingsOf(vault).filter(({ members }) => members.includes(RESTORER));
  assert.deepEqual(
    granted.map(({ role, condition }) => [role, condition?.expression]),
    [["projects/iconik-vault/roles/restorerSecondCopy", 'request.time < timestamp("2026-01-31T12:00:00Z")']],
  );
  const role = vault.resources.find(({ inputs }) => inputs.roleId === "restorerSecondCopy");
  assert.deepEqual(role?.inputs.permissions, ["storage.objects.get", "storage.objects.list"]);
  const users = vault.resources.find(({ name }) => name === "restore-rebuild-1-users")!;
  assert.deepEqual(users.inputs.members, ["serviceAccount:iconik-rebuild-1.svc.id.goog[dr/restorer]"]);
  assert.equal(
    (users.inputs.condition as { expression: string }).expression,
    'request.time < timestamp("2026-01-31T12:00:00Z")',
  );
});
