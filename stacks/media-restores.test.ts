/** What open restores of media make of the vault and the foundation: an expiring grant, a Job, and a night that waits. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Declaration, declared } from "../tests/lib/declared";
import { stackConfig } from "../tests/lib/stack-file";
import type { FoundationConfig, VaultConfig } from "./config";
import { foundation } from "./foundation";
import { vault } from "./vault";

const ENDS = "2026-01-31T12:00:00Z";
const restore = { bucket: "iconik-files", at: "2026-01-20T00:00:00Z", overwrite: false, dryRun: false, expires: ENDS };
const restores = [
  { ...restore, id: "one", object: "a/b.mov" },
  { ...restore, id: "two", bucket: "iconik-proxies", overwrite: true, expires: "2026-01-30T12:00:00+01:00" },
];
const RESTORER = "serviceAccount:media-restorer@iconik-vault.iam.gserviceaccount.com";
const OVERWRITER = "serviceAccount:media-overwriter@iconik-vault.iam.gserviceaccount.com";

let [ofVault, ofFoundation, inPeace]: Declaration[] = [];

before(async () => {
  const vaultConfig = stackConfig("vault") as VaultConfig;
  const config = stackConfig("foundation") as FoundationConfig;
  inPeace = await declared(() => vault(vaultConfig), "vault");
  ofVault = await declared(() => vault({ ...vaultConfig, media: { ...vaultConfig.media!, restores } }), "vault");
  ofFoundation = await declared(
    () =>
      foundation({
        ...config,
        vault: { project: vaultConfig.project, failback: false },
        media: { ...config.media, restores },
      }),
    "foundation",
  );
});

interface Binding {
  role: string;
  members: string[];
  condition?: { expression: string };
}
interface BatchInputs {
  metadata: { name: string };
  spec: {
    suspend?: boolean;
    template: { spec: { serviceAccountName: string; containers: { env: { value: string }[] }[] } };
  };
}
const bindingsOf = ({ resources }: Declaration, bucket: string, member: string): Binding[] => {
  const policy = resources.find(({ type, inputs }) => type.endsWith(":BucketIAMPolicy") && inputs.bucket === bucket);
  const { bindings } = JSON.parse(policy!.inputs.policyData as string) as { bindings: Binding[] };
  return bindings.filter(({ members }) => members.includes(member));
};
const ofKind = ({ resources }: Declaration, kind: string) =>
  resources
    .filter(({ type }) => type === `kubernetes:batch/v1:${kind}`)
    .map(({ inputs }) => inputs as unknown as BatchInputs);

test("the grant is on that bucket and its secondary, and ends", () => {
  for (const [declaration, bucket, member, role, until] of [
    [ofFoundation, "iconik-files", RESTORER, "mediaRestorerMedia", ENDS],
    [ofVault, "iconik-files-secondary", RESTORER, "mediaRestorerSecondMedia", ENDS],
    [ofFoundation, "iconik-proxies", OVERWRITER, "mediaOverwriterMedia", "2026-01-30T11:00:00Z"],
    [ofVault, "iconik-proxies-secondary", OVERWRITER, "mediaOverwriterSecondMedia", "2026-01-30T11:00:00Z"],
  ] as const) {
    const [binding, ...more] = bindingsOf(declaration!, bucket, member);
    assert.deepEqual([binding?.members, more], [[member], []], bucket);
    assert.ok(binding!.role.endsWith(`/${role}`), binding!.role);
    assert.equal(binding!.condition?.expression, `request.time < timestamp("${until}")`);
  }
  assert.deepEqual(bindingsOf(ofFoundation!, "iconik-keyframes", RESTORER), []);
  assert.deepEqual(bindingsOf(ofFoundation!, "iconik-files", OVERWRITER), []);
});

test("only the overwriter's role deletes", () => {
  const roles = ofFoundation!.resources.filter(({ type }) => type.endsWith(":IAMCustomRole"));
  const deleting = (id: string) =>
    (roles.find(({ inputs }) => inputs.roleId === id)!.inputs.permissions as string[]).includes(
      "storage.objects.delete",
    );
  assert.deepEqual([deleting("mediaRestorerMedia"), deleting("mediaOverwriterMedia")], [false, true]);
});

test("a Job for each restore, as its identity, told what; the night of its bucket is suspended", () => {
  const jobs = ofKind(ofVault!, "Job");
  assert.deepEqual(
    jobs.map(({ metadata, spec }) => [metadata.name, spec.template.spec.serviceAccountName]),
    [
      ["restore-media-one", "media-restorer"],
      ["restore-media-two", "media-overwriter"],
    ],
  );
  const config = JSON.parse(jobs[0]!.spec.template.spec.containers[0]!.env[0]!.value);
  assert.deepEqual(
    [config.bucket, config.secondary, config.object, config.prefix, config.at, config.overwrite],
    ["iconik-files", "iconik-files-secondary", "a/b.mov", undefined, restore.at, false],
  );
  const suspended = (declaration: Declaration) =>
    ofKind(declaration, "CronJob")
      .filter(({ metadata }) => metadata.name.startsWith("replicate-media-"))
      .map(({ metadata, spec }) => [metadata.name, spec.suspend]);
  assert.deepEqual(suspended(ofVault!), [
    ["replicate-media-iconik-files", true],
    ["replicate-media-iconik-keyframes", false],
    ["replicate-media-iconik-proxies", true],
  ]);
  assert.ok(suspended(inPeace!).every(([, suspend]) => suspend === false));
});

test("in peace nobody can restore, and the roles stay: an id that was deleted is not to be had again for weeks", () => {
  const { resources } = inPeace!;
  assert.equal(
    resources.filter(({ inputs }) => /media-(restorer|overwriter)/.test(String(inputs.accountId))).length,
    0,
  );
  assert.equal(ofKind(inPeace!, "Job").length, 0);
  const roles = resources.filter(({ type }) => type.endsWith(":IAMCustomRole")).map(({ inputs }) => inputs.roleId);
  for (const id of ["mediaRestorerSecondMedia", "mediaOverwriterSecondMedia"]) assert.ok(roles.includes(id), id);
});
