/** Wrong configurations of the standby: each refused with what is wrong, what is allowed and the fix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedSettings, stackConfig, stackSettings } from "../../tests/lib/stack-file";
import type { StandbyConfig } from ".";

type Settings = Record<string, unknown>;
const base = stackSettings("aws-standby");
const of = (key: string) => base[`iconik-dr:${key}`] as Settings;
const host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const digest = `@sha256:${"0".repeat(64)}`;

/** The whole message below the head line, for a change of the stack file's keys. */
function problemsOf(changes: Settings): string[] {
  try {
    stackConfig("aws-standby", changes);
  } catch (error) {
    const [head, ...lines] = (error as Error).message.split("\n");
    assert.match(head!, /^configuration of stack "aws-standby" has \d+ problems?; nothing was changed$/);
    return lines.map((line) => line.replace("  - iconik-dr:", ""));
  }
  return [];
}

const primary = (change: Settings) => ({ primary: { ...of("primary"), ...change } });
const another = "arn:aws:iam::000000000000:role/x";
const noRole = "no IAM role; allowed: arn:aws:iam::ACCOUNT:role/NAME";

/** What is changed, and the message. */
const acme = {
  name: "acme",
  bucket: "s3://acme-footage",
  region: "eu-west-1",
  role: "arn:aws:iam::210987654321:role/iconik",
  externalId: "a1",
};
const globex = {
  name: "globex",
  bucket: "gs://globex-media",
  provider: "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/iconik/providers/standby",
  serviceAccount: "iconik@globex-media.iam.gserviceaccount.com",
};
const ours = "a bucket of ours, which is used by its own name and rules; remove it";
const ownRole = "a role of the standby's own account; a customer's is in the customer's account";

/** One wrong bucket of a customer's each, its key and what is said. */
function wrongBuckets(cases: [key: string, bucket: Record<string, string>, says: string][]): [Settings, string][] {
  return cases.map(([key, bucket, says]) => [
    { customerBuckets: [bucket] },
    `customerBuckets[0].${key} is "${bucket[key]}": ${says}`,
  ]);
}

const wrong: [Settings, string][] = [
  [{ account: undefined }, 'account is not set: no account of AWS; allowed: 12 digits in quotes, e.g. "123456789012"'],
  [{ account: "1234" }, 'account is "1234": no account of AWS; allowed: 12 digits in quotes, e.g. "123456789012"'],
  [{ deployer: "arn:aws:iam::123456789012:user/me" }, `deployer is "arn:aws:iam::123456789012:user/me": ${noRole}`],
  [{ deployer: "arn:aws:iam::123456789012:root" }, `deployer is "arn:aws:iam::123456789012:root": ${noRole}`],
  [
    { deployer: another },
    `deployer is "${another}": a role of another account; name one of 123456789012, which the account's owners can end`,
  ],
  [
    { previewer: "arn:aws:iam::123456789012:role/standby-deployer" },
    'previewer is "arn:aws:iam::123456789012:role/standby-deployer": the deployer; a preview of a pull request must not be able to deploy',
  ],
  [
    { authorizedNetworks: ["0.0.0.0/0"] },
    'authorizedNetworks[0] is "0.0.0.0/0": every network there is; name those that deploy and operate',
  ],
  [
    { notifications: [] },
    "notifications is not set: nobody would hear of an alarm; name one or more, e.g. { type: email, address: on-call@example.com }",
  ],
  [
    { notifications: [{ type: "pubsub", topic: "projects/p/topics/t" }] },
    'notifications[0].type is {"type":"pubsub","topic":"projects/p/topics/t"}: nobody who can be told; allowed: { type: email, address } or { type: queue, arn } of SQS',
  ],
  [
    { notifications: [{ type: "queue", arn: "arn:aws:sns:eu-central-1:1:x" }] },
    'notifications[0].arn is "arn:aws:sns:eu-central-1:1:x": no queue of SQS; allowed: arn:aws:sqs:REGION:ACCOUNT:NAME',
  ],
  [{ active: "yes" }, 'active is "yes": neither on nor off; allowed: true or false'],
  ...[0, 51, 1.5, -1, 100, "two", true, [1]].map((value): [Settings, string] => [
    { activation: value },
    `activation is ${JSON.stringify(typeof value === "number" ? String(value) : value)}: no activation; allowed: a whole number from 1 to 50, one more than that of the last activation`,
  ]),
  [
    primary({ address: "10.0.0.1" }),
    'primary.address is "10.0.0.1": no public IPv4 address; allowed: Google\'s address of the product, output `address` of the foundation',
  ],
  [
    primary({ address: "app.iconik.io" }),
    'primary.address is "app.iconik.io": no public IPv4 address; allowed: Google\'s address of the product, output `address` of the foundation',
  ],
  [
    primary({ certificateRecord: { name: "www.app.iconik.io.", data: "x.goog." } }),
    'primary.certificateRecord.name is "www.app.iconik.io.": no record of Google\'s; allowed: { name: _acme-challenge….app.iconik.io., data: NAME. }, output `records` of the foundation',
  ],
  [
    primary({ fenced: "prod" }),
    'primary.fenced is "prod": left over from an activation, and the next one would not ask; remove it',
  ],
  [
    primary({ force: "prod" }),
    'primary.force is "prod": left over from an activation, and the next one would not ask; remove it',
  ],
  [
    { active: true, ...primary({ fenced: "yes" }) },
    'primary.fenced is "yes": not the site that is replaced; to say that it has been fenced, set "prod"',
  ],
  [
    { active: true, ...primary({ force: "true" }) },
    'primary.force is "true": not the site that is replaced; to say that it is left behind with what it still takes, set "prod"',
  ],
  [
    { active: true, ...primary({ fenced: "prod", force: "prod" }) },
    'primary.force is "prod": beside fenced; a primary that is fenced needs no force, remove one',
  ],
  [
    { active: true, ...primary({ resume: "prod" }) },
    'primary.resume is "prod": the standby is to be active, and no site takes over from it; remove it, or active',
  ],
  [
    primary({ resume: "yes" }),
    'primary.resume is "yes": not the site that serves from now on; to say that it takes over from the standby, set "prod"',
  ],
  [
    { restore: { marker: "yesterday" } },
    'restore.marker is "yesterday": no copy; allowed: latest or a marker id (copy-YYYYMMDDthhmmssz)',
  ],
  [
    { restored: "copy-20260115t020000z" },
    'restored is "copy-20260115t020000z": nothing is restored while active is false; remove it',
  ],
  [
    { active: true, vault: { ...of("vault"), failbackBucket: "iconik-vault-failback-1" } },
    'vault.failbackBucket is "iconik-vault-failback-1": there is nothing to bring back before the standby has been restored; set restored, or remove it',
  ],
  [{ active: true, restored: "latest" }, 'restored is "latest": no copy; allowed: a marker id (copy-YYYYMMDDthhmmssz)'],
  [
    { datacenter: "EMEA-1" },
    'datacenter is "EMEA-1": no datacenter name; allowed: 2 to 15 lower-case letters and digits, e.g. emea',
  ],
  [
    { cassandra: { racks: 4, nodesPerRegion: 4 } },
    "cassandra.racks is 4: more racks than the standby has zones; set 3 or fewer",
  ],
  [
    { cassandra: { racks: 3, nodesPerRegion: 4 } },
    "cassandra.nodesPerRegion is 4: no multiple of 3 racks, so racks would differ in size; set 6",
  ],
  [
    { cassandra: { racks: 2, nodesPerRegion: 2, replicationFactor: 3 } },
    "cassandra.replicationFactor is 3: more replicas than the 2 nodes; set 2 or fewer, or add nodes",
  ],
  [
    { vault: { ...of("vault"), projectNumber: "iconik-vault" } },
    'vault.projectNumber is "iconik-vault": no number of a project; allowed: digits in quotes, see `gcloud projects describe PROJECT`',
  ],
  [
    { vault: { ...of("vault"), markerKeys: [] } },
    "vault.markerKeys is []: no copy would be believed; set the vault's output markerKeys",
  ],
  [
    { states: { ...of("states"), project: "iconik-vault" } },
    "states.project is \"iconik-vault\": the vault's project; states are in the bootstrap stack's",
  ],
  [
    { charts: { repository: "oci://europe-west6-docker.pkg.dev/iconik-vault/charts" } },
    `charts.repository is "oci://europe-west6-docker.pkg.dev/iconik-vault/charts": not in the standby's own registry; allowed: oci://${host}/charts`,
  ],
  [
    { images: { ...of("images"), jobs: `europe-west6-docker.pkg.dev/iconik-vault/dr/jobs${digest}` } },
    `images.jobs is "europe-west6-docker.pkg.dev/iconik-vault/dr/jobs${digest}": not in the standby's own registry; allowed: ${host}/dr/jobs@sha256:64 hex digits`,
  ],
  [
    { images: { ...of("images"), mirror: "europe-west6-docker.pkg.dev/iconik-vault/mirror" } },
    `images.mirror is "europe-west6-docker.pkg.dev/iconik-vault/mirror": not in the standby's own registry; allowed: ${host}/mirror`,
  ],
  [{ publishers: ["serviceAccount:a@b"] }, `publishers[0] is "serviceAccount:a@b": ${noRole}`],
  ...wrongBuckets([
    ["bucket", { ...acme, bucket: "s3://iconik-standby-files" }, ours],
    ["bucket", { ...globex, bucket: "gs://iconik-files" }, ours],
    ["role", { ...acme, role: "arn:aws:iam::123456789012:role/admin" }, ownRole],
    ["role", { ...acme, role: "arn:aws:iam::210987654321:user/iconik" }, noRole],
    ["region", { ...acme, region: "europe" }, "no region of AWS; allowed: where the bucket is, e.g. eu-west-1"],
    ["bucket", { ...acme, bucket: "acme-footage" }, "no bucket of a customer; allowed: s3://BUCKET or gs://BUCKET"],
    [
      "name",
      { ...acme, name: "iconik-files" },
      "a media bucket of the product, which the standby has copies of; remove it",
    ],
    [
      "provider",
      { ...globex, provider: "projects/1" },
      "no provider of a workload identity pool; allowed: //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
    ],
    [
      "serviceAccount",
      { ...globex, serviceAccount: "a@globex.example" },
      "no service account; allowed: NAME@PROJECT.iam.gserviceaccount.com",
    ],
  ]),
  [
    { customerBuckets: [{ ...globex, role: acme.role }] },
    "customerBuckets[0].role: unknown here; Pulumi.yaml says which keys role standby takes",
  ],
  [
    { customerBuckets: [acme, { ...globex, name: "acme" }] },
    'customerBuckets[1].name is "acme": given twice; name each once',
  ],
  [
    { customerBuckets: [acme, { ...acme, name: "b" }] },
    'customerBuckets[1].bucket is "s3://acme-footage": given twice; name each once',
  ],
  [
    { deletionProtection: false },
    'deletionProtection is false: only drills go unprotected; remove it, or set buckets.prefix to one with "drill" between hyphens',
  ],
  [{ buckets: { prefix: "mine-" } }, 'buckets.prefix is "mine-": scratch buckets are for drills; remove it'],
  [{ media: { prefix: "iconik-drill-" } }, 'media.prefix is "iconik-drill-": media of a drill; remove it'],
  [
    { buckets: { prefix: "iconik-drill-standby-" } },
    'media.prefix is "iconik-": the product\'s own media, and a drill has scratch ones; set e.g. iconik-drill-',
  ],
  [
    { media: { approvals: [{ bucket: "acme-files", date: "2026-01-01", objects: 1 }] } },
    'media.approvals[0].bucket is "acme-files": no media bucket of the product, and customer-owned buckets are never copied; allowed: iconik-files, iconik-keyframes, iconik-proxies',
  ],
  [{ regions: [] as unknown[], sites: [{}] }, "sites: unknown here; Pulumi.yaml says which keys role standby takes"],
];

for (const [changes, message] of wrong) {
  test(`refused: ${message.slice(0, 100)}`, () => {
    const found = problemsOf(changes);
    assert.ok(found.includes(message), `${message}\n${found.join("\n")}`);
  });
}

test("all problems are told at once", () => {
  assert.equal(problemsOf({ account: "1", deployer: "x", datacenter: "!" }).length >= 3, true);
});

test("a right configuration is a pilot light unless it says otherwise", () => {
  const config = stackConfig("aws-standby") as StandbyConfig;
  assert.deepEqual([config.active, config.restore.marker, config.deletionProtection], [false, "latest", true]);
  const active = stackConfig("aws-standby", { active: true, ...primary({ fenced: "prod" }) }) as StandbyConfig;
  assert.equal(active.active, true);
  const drill = { buckets: { prefix: "iconik-drill-standby-" }, media: { prefix: "iconik-drill-" } };
  assert.deepEqual(problemsOf({ ...drill, deletionProtection: false, notifications: [] }), []);
});

test("the engine's own way to write a boolean, a number and an account is taken", () => {
  const written = { "iconik-dr:active": "true", "iconik-dr:activation": "12", "iconik-dr:account": "123456789012" };
  const { active, activation } = checkedSettings({ ...base, ...written }, "aws-standby") as StandbyConfig;
  assert.deepEqual([active, activation], [true, 12]);
});

test("a standby that does not say which activation it is has had none", () => {
  const activationOf = (changes: Settings) => (stackConfig("aws-standby", changes) as StandbyConfig).activation;
  assert.deepEqual([{}, { activation: 1 }, { activation: 50 }].map(activationOf), [1, 1, 50]);
});
