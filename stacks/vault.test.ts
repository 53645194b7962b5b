/** What the vault declares, with and without a restore grant. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { mediaBuckets, mediaJobName } from "../plan/media";
import { administration, type Binding } from "../plan/permissions";
import { type Declaration, declared } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { stackConfig } from "../tests/lib/stack-file";
import { declaredStack } from "../tests/lib/stacks";
import type { VaultConfig } from "./config";
import { vault as vaultProgram } from "./vault";

const REPLICATOR = "serviceAccount:backup-replicator@iconik-vault.iam.gserviceaccount.com";
const DEPLOYER = "serviceAccount:deployer@iconik-vault.iam.gserviceaccount.com";
const MEDIA_REPLICATOR = "serviceAccount:media-replicator@iconik-vault.iam.gserviceaccount.com";
const FRESHNESS = "serviceAccount:freshness@iconik-vault.iam.gserviceaccount.com";
const PRUNER = "serviceAccount:pruner@iconik-vault.iam.gserviceaccount.com";
const VERIFIER = "serviceAccount:verifier@iconik-vault.iam.gserviceaccount.com";
const RESTORER = "serviceAccount:restorer-rebuild-1@iconik-vault.iam.gserviceaccount.com";

interface PodSpec {
  serviceAccountName: string;
  containers: [{ args: string[]; env: [{ value: string }] }];
}

function bindingsOf({ resources }: Declaration): Binding[] {
  const [policy, ...more] = resources.filter(({ name }) => name === "copies-policy");
  assert.ok(policy && more.length === 0);
  return JSON.parse(String(policy.inputs.policyData)).bindings;
}

for (const stack of ["vault", "vault-granting", "vault-failback"] as const) {
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
      const bucket = vault.resources.find(({ name }) => name === "copies-bucket")!;
      assert.ok(bucket.protect && bucket.retainOnDelete);
      assert.equal(bucket.inputs.location, "EUROPE-WEST6");
      assert.equal(bucket.inputs.forceDestroy, false);
      assert.deepEqual(bucket.inputs.retentionPolicy, { retentionPeriod: String(35 * 24 * 3600), isLocked: true });
    });

    test("replication knows the primary bucket and may run", () => {
      const replication = vault.resources.find(({ name }) => name === "replication-prod")!;
      assert.match(JSON.stringify(replication), /iconik-prod-backups/);
      assert.equal((replication.inputs.spec as { suspend: boolean }).suspend, false);
    });
  });
}

test("nodes of the vault, of its sites and of a granted one pull images, ours and others'; deployers alone pull charts", async () => {
  const { resources } = await declaredStack("vault-granting");
  const readers = (prefix: string) =>
    resources.filter(({ name }) => name.startsWith(prefix)).map(({ inputs }) => inputs.member);
  const nodes = (region: string, project: string) => `serviceAccount:gke-${region}@${project}.iam.gserviceaccount.com`;
  assert.deepEqual(readers("registry-images-reader-"), [
    nodes("europe-west1", "iconik-prod"),
    nodes("europe-west1", "iconik-rebuild-1"),
    nodes("europe-west4", "iconik-prod"),
    nodes("europe-west4", "iconik-rebuild-1"),
    nodes("europe-west6", "iconik-vault"),
    nodes("us-east4", "iconik-prod"),
    nodes("us-east4", "iconik-rebuild-1"),
  ]);
  // The vault's too: it verifies copies with the servers that sites run.
  assert.deepEqual(readers("registry-mirror-reader-"), readers("registry-images-reader-"));
  assert.deepEqual(readers("registry-charts-reader-"), [
    "serviceAccount:deployer@iconik-prod.iam.gserviceaccount.com",
    "serviceAccount:deployer@iconik-rebuild-1.iam.gserviceaccount.com",
  ]);
});

test("without a grant the replicator alone writes copies; freshness lists names, the pruner removes what it cannot read, the verifier reads and leaves evidence, the deployer administers the bucket and reads nothing", async () => {
  const vault = await declaredStack("vault");
  assert.deepEqual(
    bindingsOf(vault).map(({ role, members }) => [role, members]),
    [
      ["projects/iconik-vault/roles/backupReplicatorSecondCopy", [REPLICATOR]],
      ["projects/iconik-vault/roles/deployerSecondCopy", [DEPLOYER]],
      ["projects/iconik-vault/roles/freshnessSecondCopy", [FRESHNESS]],
      ["projects/iconik-vault/roles/prunerSecondCopy", [PRUNER]],
      ["projects/iconik-vault/roles/prunerSecondCopyBelow", [PRUNER]],
      ["projects/iconik-vault/roles/verifierSecondCopy", [VERIFIER]],
      ["projects/iconik-vault/roles/verifierSecondCopyBelow", [VERIFIER]],
    ],
  );
  const [pruned, evidence] = bindingsOf(vault).filter(({ role }) => role.endsWith("Below"));
  const below = (folder: string) =>
    `resource.name.startsWith("projects/_/buckets/iconik-vault-backup-copies/objects/${folder}/")`;
  assert.equal(pruned?.condition?.expression, ["markers", "listings"].map(below).join(" || "));
  assert.equal(
    evidence?.condition?.expression,
    'resource.name.startsWith("projects/_/buckets/iconik-vault-backup-copies/objects/evidence/")',
  );
  const role = (id: string) => vault.resources.find(({ inputs }) => inputs.roleId === id)?.inputs.permissions;
  assert.deepEqual(role("deployerSecondCopy"), administration);
  assert.deepEqual(role("freshnessSecondCopy"), ["storage.objects.list"]);
  assert.deepEqual(role("prunerSecondCopy"), ["storage.objects.list", "storage.objects.delete"]);
  assert.deepEqual(role("prunerSecondCopyBelow"), ["storage.objects.get"]);
  assert.deepEqual(role("verifierSecondCopyBelow"), ["storage.objects.create"]);
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

test("each media bucket has a versioned secondary in Zurich that keeps what was removed for 30 days", async () => {
  const { resources } = await declaredStack("vault");
  for (const { name, secondary } of mediaBuckets) {
    const bucket = resources.find(({ name: of }) => of === `second-media-${name}-bucket`)!;
    const { versioning, lifecycleRules, softDeletePolicy, location, retentionPolicy } = bucket.inputs;
    assert.equal(bucket.inputs.name, secondary);
    assert.ok(bucket.protect && bucket.retainOnDelete);
    assert.deepEqual([versioning, location, retentionPolicy], [{ enabled: true }, "EUROPE-WEST6", undefined]);
    assert.deepEqual(softDeletePolicy, { retentionDurationSeconds: 30 * 24 * 3600 });
    assert.deepEqual((lifecycleRules as unknown[])[0], {
      action: { type: "Delete" },
      condition: { daysSinceNoncurrentTime: 30, withState: "ARCHIVED" },
    });
    const policy = resources.find(({ name: of }) => of === `second-media-${name}-policy`)!;
    assert.deepEqual(
      (JSON.parse(String(policy.inputs.policyData)).bindings as Binding[]).map(({ role, members }) => [role, members]),
      [
        ["projects/iconik-vault/roles/deployerSecondMedia", [DEPLOYER]],
        ["projects/iconik-vault/roles/mediaReplicatorSecondMedia", [MEDIA_REPLICATOR]],
      ],
    );
  }
});

test("each media bucket is replicated every night, in pods that may act as the media replicator", async () => {
  const { resources } = await declaredStack("vault");
  for (const { name, secondary } of mediaBuckets) {
    const { metadata, spec } = resources.find(({ name: of }) => of === `media-replication-${name}`)!.inputs as {
      metadata: { name: string };
      spec: { schedule: string; jobTemplate: { spec: { template: { spec: PodSpec } } } };
    };
    assert.equal(metadata.name, mediaJobName(name));
    assert.equal(spec.schedule, "0 3 * * *");
    const pod = spec.jobTemplate.spec.template.spec;
    assert.deepEqual([pod.serviceAccountName, pod.containers[0].args], ["media-replicator", ["replicate-media"]]);
    const job = JSON.parse(pod.containers[0].env[0].value);
    assert.deepEqual([job.bucket, job.secondary, job.breaker], [name, secondary, { share: 0.02, floor: 500 }]);
  }
  const account = resources.find(({ name, type }) => name === "media-replicator" && type.startsWith("kubernetes:"))!;
  assert.deepEqual((account.inputs.metadata as { annotations: unknown }).annotations, {
    "iam.gke.io/gcp-service-account": "media-replicator@iconik-vault.iam.gserviceaccount.com",
  });
  const users = resources.find(({ name }) => name === "media-replicator-users")!;
  assert.deepEqual(users.inputs.members, ["serviceAccount:iconik-vault.svc.id.goog[dr/media-replicator]"]);
});

test("an approval and another breaker reach the job of their bucket", async () => {
  const date = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const config = stackConfig("vault", {
    media: {
      location: "EU",
      project: "iconik-foundation",
      breaker: { share: 0.1 },
      approvals: [{ bucket: "iconik-proxies", date, objects: 7 }],
    },
  }) as VaultConfig;
  const { resources } = await declared(() => vaultProgram(config), "vault");
  for (const { name } of mediaBuckets) {
    const text = JSON.stringify(resources.find(({ name: of }) => of === `media-replication-${name}`)!.inputs);
    const job = JSON.parse(JSON.parse(/"value":("(?:[^"\\]|\\.)*")/.exec(text)![1]!) as string);
    assert.deepEqual(job.breaker, { share: 0.1, floor: 500 });
    assert.deepEqual(job.approvals, name === "iconik-proxies" ? [{ date, objects: 7 }] : []);
  }
});

test("the standby's tokens are exchanged in the vault's project, which has the API for it before the pool", async () => {
  const services = async (stack: "vault" | "vault-failback") =>
    (await declaredStack(stack)).resources.filter(({ inputs }) => inputs.service === "sts.googleapis.com");
  assert.equal((await services("vault")).length, 0);
  assert.equal((await services("vault-failback")).length, 1);
});

test("a vault without media declares none", async () => {
  const { resources, outputs } = await declared(
    () => vaultProgram(stackConfig("vault", { media: {} }) as VaultConfig),
    "vault",
  );
  // Its alerts are the plan's, whatever the vault holds so far.
  const media = resources.filter(({ type, name }) => name.includes("media") && !type.includes("monitoring"));
  assert.deepEqual(media, []);
  assert.ok(!("secondMediaBuckets" in outputs));
});
