/** The systems of the plan (S1 to S8): what each requires, and which files declare and enforce it. */
import type { DisasterId } from "./objectives";

export type SystemId = "S1" | "S2" | "S3" | "S4" | "S5" | "S6" | "S7" | "S8";

/** One row. Paths are relative to the repository; a test checks that they exist. */
export interface System {
  id: SystemId;
  system: string;
  requirement: string;
  /** Files that declare it. Empty: comes with its own issue. */
  components: string[];
  /** Policies (names of policies/rules/<name>.ts) that enforce it. */
  policies: string[];
}

export const systems: readonly System[] = [
  {
    id: "S1",
    system: "Cassandra",
    requirement:
      "one logical cluster, a complete replica per region, at least 2 nodes holding each row in each region, automatic replication between regions; nightly snapshots into a multi-region bucket",
    components: [
      "components/cassandra.ts",
      "components/internode-certificates.ts",
      "components/store-disks.ts",
      "components/cassandra-metrics.ts",
      "components/control-plane-access.ts",
      "components/snapshots.ts",
      "components/backup-bucket.ts",
      "components/table-recovery.ts",
    ],
    policies: [
      "alerts-declared",
      "backup-bucket-multi-region",
      "backups-scheduled",
      "cassandra-encrypted",
      "cassandra-two-replicas",
      "cronjob-safe",
      "data-protected",
      "lifecycle-keeps-data",
      "network-policies",
      "nightly-schedule",
      "operators-protected",
      "repair-scheduled",
      "stores-authenticated",
      "stores-every-region",
    ],
  },
  {
    id: "S2",
    system: "second copy of the backups",
    requirement:
      "the backup bucket is replicated to a second bucket in another region by an identity that can only read the primary; the identity that writes the primary has no access to the second bucket",
    components: [
      "components/copies-bucket.ts",
      "components/marker-key.ts",
      "components/replication.ts",
      "components/restore-grant.ts",
      "components/freshness.ts",
      "components/verification.ts",
      "components/audit-logs.ts",
    ],
    policies: [
      "alerts-declared",
      "backups-scheduled",
      "bucket-iam-authoritative",
      "bucket-public-access-prevented",
      "bucket-uniform-access",
      "copies-outside-primary",
      "copies-retention",
      "cronjob-safe",
      "data-protected",
      "identities-own-pods",
      "least-privilege",
      "lifecycle-keeps-data",
      "markers-signed",
      "nightly-schedule",
      "second-copy-apart",
    ],
  },
  {
    id: "S3",
    system: "Elasticsearch",
    requirement:
      "a separate cluster per region; snapshots through the GCS repository into a multi-region bucket, replicated to a second bucket as in S2",
    components: ["components/elasticsearch.ts", "components/snapshots.ts"],
    policies: [
      "alerts-declared",
      "backup-bucket-multi-region",
      "backups-scheduled",
      "cronjob-safe",
      "data-protected",
      "lifecycle-keeps-data",
      "network-policies",
      "nightly-schedule",
      "operators-protected",
      "stores-authenticated",
      "stores-every-region",
    ],
  },
  {
    id: "S4",
    system: "Kubernetes configuration",
    requirement: "a GKE cluster per region; configuration is files in git, deployed by CI/CD to every cluster",
    components: [
      "components/gke-cluster.ts",
      "components/cluster-keys.ts",
      "components/cluster-settings.ts",
      "components/network-policies.ts",
      "components/operators.ts",
      "components/operator-images.ts",
      "components/registry.ts",
      "components/deployer.ts",
      "components/federation.ts",
      "components/state-backend.ts",
      "components/services.ts",
      "components/services-schema.ts",
    ],
    policies: [
      "cluster-private-workload-identity",
      "images-by-digest",
      "images-released",
      "load-balancer-every-region",
      "networks-closed",
      "one-registry",
      "resources-labelled",
      "services-every-region",
    ],
  },
  {
    id: "S5",
    system: "Kubernetes secrets",
    requirement:
      "never backed up with the configuration and never in git: they live in a 1Password vault that only the relevant employees can open, and clusters fetch them from there",
    components: ["components/secrets.ts", "components/secret-item.ts"],
    policies: [
      "cluster-private-workload-identity",
      "cluster-secrets-encrypted",
      "no-exported-keys",
      "no-plain-secrets",
      "operators-protected",
      "stores-authenticated",
    ],
  },
  {
    id: "S6",
    system: "media buckets iconik-files, iconik-keyframes, iconik-proxies",
    requirement:
      "multi-region; every night replicated to secondary buckets in a separate region (outside the primary's multi-region) on the same continent; a file stays available there 30 days after its removal from the primary. Customer-owned buckets are excluded",
    components: [
      "components/media-buckets.ts",
      "components/media-replication.ts",
      "components/media-restore-identities.ts",
      "components/media-restores.ts",
      "components/uptime.ts",
      "components/notifications.ts",
    ],
    policies: [
      "alerts-declared",
      "backup-bucket-multi-region",
      "bucket-public-access-prevented",
      "bucket-uniform-access",
      "copies-outside-primary",
      "cronjob-safe",
      "customer-buckets-excluded",
      "data-protected",
      "least-privilege",
      "lifecycle-keeps-data",
      "media-replicated",
      "nightly-schedule",
      "second-copy-apart",
    ],
  },
  {
    id: "S7",
    system: "AWS standby",
    requirement: "a standby cluster in AWS to which all services are replicated, activated by `pulumi up`",
    components: ["components/state-reader.ts"],
    policies: [],
  },
  {
    id: "S8",
    system: "full restore test",
    requirement:
      "at least quarterly, automated, measured: the time from the incident to service restored, the age of the newest data restored, the integrity of every backup; kept down over time",
    components: ["components/restore.ts", "components/canary.ts", "components/alerts.ts", "components/job-runs.ts"],
    policies: [],
  },
];

/** Policies that keep the answer to each disaster possible. Empty: docs/policies.md says why none can. */
export const disasterPolicies: Record<DisasterId, readonly string[]> = {
  D1: [
    "alerts-declared",
    "backend-service-guarded",
    "data-protected",
    "failover-in-time",
    "https-only",
    "load-balancer-every-region",
    "services-every-region",
    "stores-every-region",
  ],
  D2: ["images-by-digest", "images-released", "one-registry"],
  D3: [
    "alerts-declared",
    "cassandra-two-replicas",
    "data-protected",
    "lifecycle-keeps-data",
    "operators-protected",
    "repair-scheduled",
  ],
  D4: [],
  D5: [
    "alerts-declared",
    "bucket-iam-authoritative",
    "bucket-public-access-prevented",
    "bucket-uniform-access",
    "cassandra-encrypted",
    "cluster-private-workload-identity",
    "cluster-secrets-encrypted",
    "copies-retention",
    "https-only",
    "identities-own-pods",
    "least-privilege",
    "markers-signed",
    "network-policies",
    "networks-closed",
    "no-exported-keys",
    "second-copy-apart",
    "stores-authenticated",
  ],
};
