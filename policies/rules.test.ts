/** Each rule with something that holds and something that does not. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { administration } from "../plan/permissions";
import { daysInSeconds } from "../plan/retention";
import { systems } from "../plan/systems";
import type { Declared, ResourceRule, StackRule } from "./lib/rule";
import { types } from "./lib/types";
import { rules } from "./rules";

const resource = (type: string, props: Record<string, unknown>, protect = true): Declared => ({
  type,
  name: "it",
  props,
  protect,
});
const bucket = (store: string, props: Record<string, unknown>) =>
  resource(types.bucket, { name: "b", project: "p", labels: { "iconik-store": store }, ...props });
const pod = (container: Record<string, unknown>) => ({
  spec: { template: { spec: { containers: [{ name: "c", ...container }] } } },
});
const datacenter = (size: number, racks: number) => ({
  metadata: { name: "emea" },
  size,
  racks: Array.from({ length: racks }, (_, index) => ({ name: `r${index}` })),
});
const cassandra = (size: number, racks: number, rf: number) =>
  resource(types.cassandra, {
    spec: {
      cassandra: {
        datacenters: [datacenter(size, racks)],
        config: { cassandraYaml: { default_keyspace_rf: rf, minimum_replication_factor_fail_threshold: rf } },
      },
    },
  });
const safeCron = {
  concurrencyPolicy: "Forbid",
  startingDeadlineSeconds: 600,
  timeZone: "Etc/UTC",
  jobTemplate: { spec: { activeDeadlineSeconds: 600 } },
};
const copies = (props: Record<string, unknown>) => bucket("second-copy", props);
const locked = { retentionPolicy: { retentionPeriod: String(daysInSeconds(35)), isLocked: true } };

const users = (account: string, pods: string, props: Record<string, unknown> = {}) =>
  resource("gcp:serviceaccount/iAMBinding:IAMBinding", {
    serviceAccountId: `projects/p/serviceAccounts/${account}@p.iam.gserviceaccount.com`,
    role: "roles/iam.workloadIdentityUser",
    members: [`serviceAccount:p.svc.id.goog[${pods}]`],
    ...props,
  });

/** Rule name -> what holds, what does not, and a word of the message. */
const cases: Record<string, { good: Declared[]; bad: [Declared, RegExp][] }> = {
  "bucket-uniform-access": {
    good: [bucket("media", { uniformBucketLevelAccess: true })],
    bad: [[bucket("media", {}), /not set; set true/]],
  },
  "bucket-public-access-prevented": {
    good: [bucket("media", { publicAccessPrevention: "enforced" })],
    bad: [[bucket("media", { publicAccessPrevention: "inherited" }), /"inherited"; set "enforced"/]],
  },
  "backup-bucket-multi-region": {
    good: [
      bucket("primary-backups", { location: "EU", softDeletePolicy: { retentionDurationSeconds: daysInSeconds(30) } }),
      copies({ location: "EUROPE-WEST6" }),
    ],
    bad: [
      [
        bucket("primary-backups", {
          location: "EUROPE-WEST1",
          softDeletePolicy: { retentionDurationSeconds: daysInSeconds(30) },
        }),
        /location is "EUROPE-WEST1"/,
      ],
      [bucket("media", { location: "EU" }), /retentionDurationSeconds is 0/],
    ],
  },
  "copies-outside-primary": {
    good: [copies({ location: "EUROPE-WEST6" })],
    bad: [
      [copies({ location: "EU" }), /needs a single region/],
      [copies({ location: "EUROPE-WEST4" }), /inside the multi-region EU/],
    ],
  },
  "copies-retention": {
    good: [copies(locked), copies({ project: "iconik-drill-vault" })],
    bad: [
      [copies({}), /retentionPeriod is not set/],
      [copies({ retentionPolicy: { ...locked.retentionPolicy, isLocked: false } }), /isLocked is false/],
      [copies({ ...locked, forceDestroy: true }), /forceDestroy/],
    ],
  },
  "data-protected": {
    good: [
      resource(types.cluster, { project: "p", deletionProtection: true }),
      resource(types.cluster, { project: "iconik-drill-prod" }, false),
    ],
    bad: [
      [resource(types.cluster, { project: "p", deletionProtection: true }, false), /protect is not set/],
      [resource(types.cluster, { project: "p", deletionProtection: false }), /deletionProtection is off/],
      [{ ...bucket("media", {}), protect: false }, /protect is not set/],
    ],
  },
  "cassandra-two-replicas": {
    good: [cassandra(2, 2, 2), cassandra(3, 3, 3)],
    bad: [
      [cassandra(1, 2, 2), /size 1/],
      [cassandra(2, 1, 2), /1 racks/],
      [cassandra(2, 2, 1), /default_keyspace_rf is 1/],
      [resource(types.cassandra, {}), /datacenters is empty/],
    ],
  },
  "cronjob-safe": {
    good: [resource(types.cronJob, { spec: safeCron })],
    bad: [
      [resource(types.cronJob, { spec: { ...safeCron, concurrencyPolicy: "Allow" } }), /"Allow"; set "Forbid"/],
      [resource(types.cronJob, { spec: { ...safeCron, timeZone: undefined } }), /timeZone/],
      [resource(types.cronJob, {}), /activeDeadlineSeconds is not set/],
    ],
  },
  "cluster-private-workload-identity": {
    good: [
      resource(types.cluster, {
        privateClusterConfig: { enablePrivateNodes: true },
        workloadIdentityConfig: { workloadPool: "p.svc.id.goog" },
        enableShieldedNodes: true,
      }),
      resource(types.nodePool, {
        nodeConfig: { serviceAccount: "n@p", workloadMetadataConfig: { mode: "GKE_METADATA" } },
      }),
    ],
    bad: [
      [resource(types.cluster, {}), /workloadPool is not set/],
      [resource(types.nodePool, { nodeConfig: { serviceAccount: "n@p" } }), /GKE_METADATA/],
      [resource(types.nodePool, {}), /Editor/],
    ],
  },
  "no-exported-keys": {
    // Nothing of its types ever holds; a resource of another type is not its business.
    good: [resource("gcp:serviceaccount/account:Account", {})],
    bad: [[resource("gcp:serviceaccount/key:Key", {}), /long-lived key/]],
  },
  "no-plain-secrets": {
    good: [
      resource(types.secret, { metadata: { name: "onepassword-service-account-token", namespace: "onepassword" } }),
      resource(types.secret, { metadata: { name: "kubeconfig-emea", namespace: "cassandra" } }),
      resource(types.secret, {
        type: "kubernetes.io/service-account-token",
        metadata: { name: "k8ssandra-control-plane-token", namespace: "cassandra" },
      }),
      resource(types.configMap, { data: { "app.conf": "x" } }),
      resource(types.job, pod({ env: [{ name: "DB_PASSWORD", valueFrom: { secretKeyRef: {} } }] })),
    ],
    bad: [
      [resource(types.secret, { metadata: { name: "other" } }), /"other" is declared/],
      [resource(types.secret, { metadata: { name: "kubeconfig-emea", namespace: "dr" } }), /"kubeconfig-emea" is/],
      [
        resource(types.secret, {
          metadata: { name: "k8ssandra-control-plane-token", namespace: "cassandra" },
          stringData: { token: "x" },
        }),
        /token" is declared/,
      ],
      [resource(types.configMap, { data: { password: "x" } }), /password looks like a secret/],
      [resource(types.job, pod({ env: [{ name: "DB_PASSWORD", value: "x" }] })), /DB_PASSWORD/],
    ],
  },
  "identities-own-pods": {
    good: [
      users("backup-replicator", "dr/backup-replicator"),
      users("restorer-rebuild-1", "dr/restorer", {
        condition: { expression: 'request.time < timestamp("2026-01-31T12:00:00Z")' },
      }),
    ],
    bad: [
      [
        users("backup-replicator", "dr/restorer"),
        /\[dr\/restorer\] may act as backup-replicator; allowed: \[dr\/backup/,
      ],
      [users("restorer-rebuild-1", "dr/restorer"), /granted for ever/],
      [users("gke-europe-west1", "dr/restorer"), /no identity of the plan/],
      [
        users("backup-replicator", "dr/backup-replicator", { role: "roles/iam.serviceAccountTokenCreator" }),
        /nobody else acts/,
      ],
      [resource("gcp:serviceaccount/iAMMember:IAMMember", {}), /adds to who may act/],
    ],
  },
  "images-by-digest": {
    good: [resource(types.job, pod({ image: `r/i@sha256:${"a".repeat(64)}` }))],
    bad: [
      [resource(types.job, pod({ image: "r/i:latest" })), /r\/i:latest/],
      [resource(types.cronJob, { spec: { jobTemplate: pod({}) } }), /not set/],
    ],
  },
  "customer-buckets-excluded": {
    good: [bucket("media", { name: "iconik-files" }), copies({ name: "anything" })],
    bad: [[bucket("media", { name: "customer-footage" }), /customer-footage is none of/]],
  },
};

const role = (permissions: string[]) => resource(types.customRole, { project: "p", roleId: "r", permissions });
const policy = (member: string, extra: Record<string, unknown> = {}, roleName = "projects/p/roles/r") =>
  resource(types.bucketPolicy, {
    bucket: "b",
    policyData: JSON.stringify({ bindings: [{ role: roleName, members: [member], ...extra }] }),
  });
const REPLICATOR = "serviceAccount:backup-replicator@p.iam.gserviceaccount.com";
const READ = ["storage.objects.get", "storage.objects.list"];
const secondCopy = copies({});

const datacenterWithBackups = resource(types.cassandra, {
  spec: {
    cassandra: { datacenters: [datacenter(2, 2)] },
    medusa: { storageProperties: { bucketName: "b" } },
  },
});
/** A CronJob that runs a command, and a Job that does. */
const runs = (command: string, config: object = {}, suspend = false) =>
  resource(types.cronJob, { spec: { suspend, jobTemplate: running(command, config) } });
const running = (command: string, config: object = {}) =>
  pod({ args: [command], env: [{ name: "DR_CONFIG", value: JSON.stringify(config) }] });
const snapshotsOf = (bucket: string, suspend: boolean) =>
  ["cassandra", "elasticsearch"].map((kind) =>
    runs(`snapshot-${kind}`, { repository: `${kind}-emea`, bucket }, suspend),
  );
const restoreCopy = resource(types.job, running("restore-copy"));

const stackCases: Record<string, { good: Declared[][]; bad: [Declared[], RegExp][] }> = {
  "backups-scheduled": {
    good: [
      [datacenterWithBackups, ...snapshotsOf("b", false)],
      [datacenterWithBackups, ...snapshotsOf("b", true), restoreCopy],
      [secondCopy, runs("replicate")],
      [secondCopy, resource(types.cronJob, {})],
    ],
    bad: [
      [[datacenterWithBackups], /cassandra-emea has 0 snapshot CronJobs/],
      [[datacenterWithBackups, ...snapshotsOf("b", false).slice(0, 1)], /elasticsearch-emea has 0 snapshot CronJobs/],
      [[datacenterWithBackups, ...snapshotsOf("c", false)], /go to bucket "c"; its Medusa writes to b/],
      [[datacenterWithBackups, ...snapshotsOf("b", true)], /has suspend true; set false/],
      [[datacenterWithBackups, ...snapshotsOf("b", false), restoreCopy], /has suspend false; set true/],
      [[secondCopy], /no replication CronJob/],
      [[secondCopy, runs("replicate", {}, true)], /has suspend true; set false/],
    ],
  },
  "bucket-iam-authoritative": {
    good: [[secondCopy, policy(REPLICATOR)], []],
    bad: [
      [[secondCopy], /has 0 authoritative policies/],
      [[resource(types.bucket, { name: "b" }), policy(REPLICATOR)], /no label/],
      [
        [secondCopy, policy(REPLICATOR), resource("gcp:storage/bucketIAMMember:BucketIAMMember", {})],
        /adds to a bucket's access/,
      ],
    ],
  },
  "least-privilege": {
    good: [
      [secondCopy, policy(REPLICATOR), role([...READ, "storage.objects.create"])],
      [secondCopy, policy("user:a@b", { condition: { expression: "x" } }), role(READ)],
      [resource("gcp:projects/iAMMember:IAMMember", { role: "roles/container.defaultNodeServiceAccount" })],
      [secondCopy, policy("group:deployers@b"), role([...administration])],
      [secondCopy, policy("serviceAccount:deployer@q.iam.gserviceaccount.com"), role([...administration])],
    ],
    bad: [
      // Administering a bucket is for deployers alone, and all that they do.
      [[secondCopy, policy("group:deployers@b"), role([...administration, ...READ])], /no identity of the plan/],
      [[secondCopy, policy("allUsers"), role([...administration])], /no identity of the plan/],
      [[secondCopy, policy(REPLICATOR), role([...administration])], /\(backup-replicator\) gets storage\.buckets\.get/],
      [
        [secondCopy, policy("serviceAccount:p.svc.id.goog[dr/restorer]"), role([...administration])],
        /no identity of the plan/,
      ],
      [
        [
          secondCopy,
          policy("serviceAccount:gke-x@p.iam.gserviceaccount.com"),
          role([...administration]),
          resource(types.account, { project: "p", accountId: "gke-x" }),
        ],
        /no identity of the plan/,
      ],
      [[secondCopy, policy(REPLICATOR), role(["storage.objects.delete"])], /gets storage.objects.delete/],
      [[secondCopy, policy("user:a@b"), role(READ)], /no identity of the plan/],
      [
        [secondCopy, policy("serviceAccount:cassandra-backup@q.iam.gserviceaccount.com"), role(READ)],
        /matrix allows nothing/,
      ],
      [[secondCopy, policy(REPLICATOR, {}, "roles/storage.objectAdmin")], /no generated role/],
      [[policy(REPLICATOR), role(READ)], /declares no such store/],
      [
        [resource("gcp:projects/iAMMember:IAMMember", { role: "roles/storage.objectViewer" })],
        /every bucket of the project/,
      ],
      [
        [resource("gcp:projects/iAMMember:IAMMember", { role: "projects/p/roles/r" }), role(READ)],
        /storage.objects.get/,
      ],
    ],
  },
};

for (const rule of rules) {
  describe(rule.name, () => {
    if ("checkStack" in rule) stackTests(rule);
    else resourceTests(rule);
  });
}

function resourceTests(rule: ResourceRule): void {
  const { good = [], bad = [] } = cases[rule.name] ?? {};
  test("holds", () => {
    assert.ok(good.length > 0);
    for (const each of good.filter(({ type }) => rule.types.includes(type))) assert.deepEqual(rule.check(each), []);
  });
  test("is violated", () => {
    assert.ok(bad.length > 0);
    for (const [each, message] of bad) {
      assert.ok(rule.types.includes(each.type));
      assert.match(rule.check(each).join("\n"), message);
    }
  });
}

function stackTests(rule: StackRule): void {
  const { good = [], bad = [] } = stackCases[rule.name] ?? {};
  test("holds", () => {
    assert.ok(good.length > 0);
    for (const each of good) assert.deepEqual(rule.checkStack(each), []);
  });
  test("is violated", () => {
    assert.ok(bad.length > 0);
    for (const [each, message] of bad) assert.match(rule.checkStack(each).join("\n"), message);
  });
}

test("every file of rules/ is in the pack, and every policy that the plan names exists", () => {
  const names = rules.map(({ name }) => name).sort();
  const files = readdirSync(join(__dirname, "rules")).map((file) => file.replace(/\.ts$/, ""));
  assert.deepEqual(names, files.filter((name) => name !== "index").sort());
  for (const { id, policies } of systems)
    for (const name of policies) assert.ok(names.includes(name), `${id} names policy ${name}`);
});
