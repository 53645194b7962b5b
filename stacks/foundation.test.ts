/** What the foundation declares. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaBuckets } from "../plan/media";
import type { Binding } from "../plan/permissions";
import { type Declaration, declared } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { stackConfig } from "../tests/lib/stack-file";
import { declaredStack } from "../tests/lib/stacks";
import type { FoundationConfig } from "./config";
import { foundation } from "./foundation";

test("its inventory", async () => assertGolden("foundation", (await declaredStack("foundation")).resources));

const bucketsOf = ({ resources }: Declaration) =>
  resources.filter(({ type }) => type === "gcp:storage/bucket:Bucket").map(({ inputs }) => inputs);
const policiesOf = ({ resources }: Declaration): Binding[][] =>
  resources
    .filter(({ type }) => type === "gcp:storage/bucketIAMPolicy:BucketIAMPolicy")
    .map(({ inputs }) => JSON.parse(String(inputs.policyData)).bindings);

test("media keep versions and soft-deleted objects; abandoned uploads go", async () => {
  const buckets = bucketsOf(await declaredStack("foundation"));
  assert.equal(buckets.length, mediaBuckets.length);
  for (const { versioning, softDeletePolicy, lifecycleRules, location, forceDestroy } of buckets) {
    assert.deepEqual([versioning, location, forceDestroy], [{ enabled: true }, "EU", false]);
    assert.deepEqual(softDeletePolicy, { retentionDurationSeconds: 30 * 24 * 3600 });
    assert.deepEqual(lifecycleRules, [
      { action: { type: "Delete" }, condition: { daysSinceNoncurrentTime: 30, withState: "ARCHIVED" } },
      { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } },
    ]);
  }
});

test("services of each site and the vault's replicator use the media, nobody else but the deployer", async () => {
  const of = (identity: string, project: string) => `serviceAccount:${identity}@${project}.iam.gserviceaccount.com`;
  const role = (id: string) => `projects/iconik-foundation/roles/${id}`;
  for (const bindings of policiesOf(await declaredStack("foundation")))
    assert.deepEqual(bindings, [
      { role: role("deployerMedia"), members: [of("deployer", "iconik-foundation")] },
      { role: role("mediaReplicatorMedia"), members: [of("media-replicator", "iconik-vault")] },
      { role: role("servicesMedia"), members: [of("services", "iconik-prod")] },
    ]);
});

test("in the window of a failback the standby adds its media and replaces none", async () => {
  const config = stackConfig("foundation", { vault: { project: "iconik-vault", failback: true } }) as FoundationConfig;
  const { resources } = await declared(() => foundation(config), "foundation");
  const [role] = resources.filter(({ inputs }) => inputs.roleId === "standbyFailbackMedia");
  assert.deepEqual(
    role?.inputs.permissions,
    ["create", "get", "list"].map((action) => `storage.objects.${action}`),
  );
  for (const bindings of policiesOf({ resources, outputs: {} }))
    assert.deepEqual(
      bindings.find(({ role }) => role === "projects/iconik-foundation/roles/standbyFailbackMedia")?.members,
      ["serviceAccount:standby-failback@iconik-vault.iam.gserviceaccount.com"],
    );
});

test("where nothing else is up yet, no account of another stack is named", async () => {
  const config = stackConfig("foundation", { sites: [], vault: {}, app: {} }) as FoundationConfig;
  const alone = await declared(() => foundation(config), "foundation");
  for (const bindings of policiesOf(alone))
    assert.deepEqual(
      bindings.map(({ role }) => role),
      ["projects/iconik-foundation/roles/deployerMedia"],
    );
});

test("the media buckets and the address survive the stack", async () => {
  const { resources, outputs } = await declaredStack("foundation");
  const lasting = resources.filter(({ protect, retainOnDelete }) => protect && retainOnDelete);
  assert.deepEqual(
    lasting.map(({ inputs }) => inputs.name).sort(),
    ["app", "app", ...mediaBuckets.map(({ name }) => name)].sort(),
  );
  assert.deepEqual(
    outputs.mediaBuckets,
    mediaBuckets.map(({ name }) => name),
  );
});
