/** Alerts of a site about itself: its stores, clusters, traffic and secrets (S1, S3 to S5, D1, D3). */
import { canary, canaryMetric, canaryStores } from "../canary";
import { events } from "../events";
import { lateAfterSeconds, runsMetric } from "../freshness";
import { limits } from "../limits";
import { namespaces } from "../names";
import { objectives } from "../objectives";
import type { ScheduleName } from "../schedules";
import { failedJobs } from "./jobs";
import { type Alert, every, quoted, type SiteScope, span } from "./types";

const corruption = "docs/runbooks/d3-corruption.md";
const day = 24 * 3600;

/** Fewer regions than the site has reported a success of the command within its limit. */
const silent = (command: string, schedule: ScheduleName, regions: number) =>
  `(count(count by (cluster_name) (count_over_time(logging_googleapis_com:user_${runsMetric}{monitored_resource="k8s_container", command="${command}", event="${events.jobSucceeded}"}[${lateAfterSeconds(schedule)}s]))) or vector(0)) < ${regions}`;

const containers = (namespace: string) =>
  every('resource.type="k8s_container"', `resource.labels.namespace_name="${namespace}"`);

/** Pods of a namespace's StatefulSets that are not ready. */
const notReady = (namespace: string) =>
  `kube_statefulset_replicas{namespace="${namespace}"} - kube_statefulset_status_replicas_ready{namespace="${namespace}"} > 0`;

export const siteAlerts: readonly Alert<SiteScope>[] = [
  {
    id: "snapshot-failed",
    owner: "site",
    title: "A snapshot failed",
    rows: ["S1", "S3"],
    severity: "ERROR",
    watches: "A snapshot job reported a failure or was given up by Kubernetes.",
    why: "Tonight's backup is missing; Kubernetes tries twice more, then nobody does before tomorrow.",
    steps: [
      "Read the last line of the pod's log: it has what is wrong, the value found, what is allowed and the fix.",
      "Start the CronJob by hand before the vault's replication gives up waiting.",
      "A table or an index is missing that the last backup had: docs/runbooks/dropped.md.",
    ],
    condition: () => ({
      kind: "log",
      filter: failedJobs([namespaces.cassandra, namespaces.elasticsearch], "^snapshot-"),
    }),
  },
  {
    id: "snapshots-silent",
    owner: "site",
    pausedByRestore: true,
    title: "A region's snapshot has not succeeded",
    rows: ["S1", "S3"],
    severity: "ERROR",
    watches: `Fewer regions than the site has reported a successful snapshot within ${span(lateAfterSeconds("cassandraSnapshot"))} (Cassandra) or ${span(lateAfterSeconds("elasticsearchSnapshot"))} (Elasticsearch).`,
    why: "A job that never runs does not fail. The vault sees it as well; this one still does when the vault does not.",
    steps: [
      "Which region has no run? `kubectl get cronjobs -A` in each: is one suspended, as while a site is being restored?",
      "Start it by hand.",
    ],
    condition: ({ regions }) => ({
      kind: "promql",
      query: [
        silent("snapshot-cassandra", "cassandraSnapshot", regions),
        silent("snapshot-elasticsearch", "elasticsearchSnapshot", regions),
      ].join(" or "),
      seconds: 600,
    }),
  },
  {
    id: "canary-late",
    owner: "site",
    pausedByRestore: true,
    title: "A store of a region takes no canaries",
    rows: ["S8", "S1", "S3", "D2"],
    severity: "ERROR",
    watches: `Cassandra or Elasticsearch of a region took no canary for ${span(canary.lateAfterSeconds)}, or fewer regions than the site write them.`,
    why: "Either the store takes no writes there, or the next restore cannot say how old what it brings back is.",
    steps: [
      `The labels name the store and the datacenter. \`kubectl logs -n ${namespaces.dr} deployment/canary\` in that cluster says what the store answered.`,
      "Refused: do the items cassandra-canary and elasticsearch-canary in 1Password have today's passwords? `pulumi up` sets the role's again.",
      "Not enough replicas: see the alerts on nodes that are down.",
    ],
    condition: ({ canaries }) => ({
      kind: "promql",
      query: `(time() - max by (store, datacenter) (${canaryMetric}) > ${canary.lateAfterSeconds}) or ((count(count by (store, datacenter) (${canaryMetric})) or vector(0)) < ${canaries * canaryStores.length})`,
      seconds: 300,
    }),
  },
  {
    id: "restore-failed",
    owner: "site",
    title: "A restore failed",
    rows: ["D2", "S8"],
    severity: "CRITICAL",
    watches: "A restore job reported a failure or was given up by Kubernetes.",
    why: "The site does not come back until it succeeds.",
    steps: ["Read its last line and follow the fix, then `pulumi up` again: what is finished is not repeated."],
    runbook: "docs/runbooks/d2-regions-lost.md#3-bring-the-site-up",
    condition: () => ({
      kind: "log",
      filter: failedJobs([namespaces.cassandra, namespaces.elasticsearch, namespaces.dr], "^restore-"),
    }),
  },
  {
    id: "cassandra-node-down",
    owner: "site",
    title: "A Cassandra node is down",
    rows: ["S1", "D3"],
    severity: "ERROR",
    watches: `A Cassandra pod has not been ready for ${span(limits.nodeDownSeconds)}.`,
    why: "Rows have one replica less in that region; with a second node of other racks down, LOCAL_QUORUM fails.",
    steps: [
      "`kubectl describe pod` in namespace cassandra of that cluster: no node, no volume, a failing probe?",
      "A lost disk: let cass-operator replace the node (`replaceNodes` of a CassandraTask); it streams from its neighbours.",
      "It was away longer than hints are kept (3 h): repair it afterwards.",
    ],
    runbook: corruption,
    condition: () => ({ kind: "promql", query: notReady(namespaces.cassandra), seconds: limits.nodeDownSeconds }),
  },
  {
    id: "cassandra-repair-overdue",
    owner: "site",
    pausedByRestore: true,
    title: "Cassandra's repair is overdue",
    rows: ["D3", "S1"],
    severity: "ERROR",
    watches: `Reaper finished no repair of a keyspace for ${limits.repairDays} days, or its metrics are not there.`,
    why: "Replicas drift apart, and after 10 days what was deleted comes back.",
    steps: [
      "Look at Reaper's schedules and its last runs.",
      "Start the repair by hand; it goes on segment by segment.",
    ],
    condition: () => ({
      kind: "promql",
      query: `min by (cluster, keyspace) (io_cassandrareaper_service_RepairRunner_millisSinceLastRepair) / 1000 > ${limits.repairDays * day} or absent(io_cassandrareaper_service_RepairRunner_millisSinceLastRepair)`,
      seconds: 3600,
    }),
  },
  {
    id: "cassandra-corruption",
    owner: "site",
    title: "Cassandra reports corrupt data",
    rows: ["D3"],
    severity: "CRITICAL",
    watches:
      "A Cassandra pod logged a corrupt SSTable, block or commit log, or a file system error such as a full disk.",
    why: "The other replicas are whole now; a second fault on the same rows loses them.",
    steps: [
      "Suspend the site's snapshots, so that the last good nights are not pruned away meanwhile; start them again at the end.",
      "The log says that there is no space left: grow that volume, restart the node and repair it. The runbook has the commands, under A full disk.",
      "The log names table and file. Scrub the table on that node, then repair it; or replace the node.",
      "More than one replica of a row is gone: restore the table from the newest backup before it.",
    ],
    runbook: corruption,
    condition: () => ({
      kind: "log",
      filter: every(
        containers(namespaces.cassandra),
        'SEARCH("`CorruptSSTableException` OR `CorruptBlockException` OR `CorruptFileException` OR `CommitLogReadException` OR `FSReadError` OR `FSWriteError` OR `FSDiskFullWriteError`")',
      ),
    }),
  },
  {
    id: "disk-headroom",
    owner: "site",
    title: "A store's volume has no room for a restore or a compaction",
    rows: ["D2", "D3", "S1", "S3"],
    severity: "ERROR",
    watches: `A volume in the namespaces of the stores is more than ${limits.diskShare * 100} % in use.`,
    why: "A restore lays the backup's files beside what is there, a large compaction writes its table anew.",
    steps: [
      "Cassandra's: grow them one by one, while they are in use; the runbook has the commands. plan/sizing.ts is for new nodes: a running datacenter keeps its size.",
      "Elasticsearch's: raise `storage` in plan/sizing.ts and `pulumi up`; ECK grows the volumes. Or add nodes.",
    ],
    runbook: `${corruption}#a-full-disk`,
    condition: () => ({
      kind: "threshold",
      filter: every(
        'metric.type="kubernetes.io/pod/volume/utilization"',
        'resource.type="k8s_pod"',
        `resource.labels.namespace_name=one_of("${namespaces.cassandra}","${namespaces.elasticsearch}")`,
      ),
      alignmentSeconds: 300,
      aligner: "ALIGN_MAX",
      above: limits.diskShare,
      seconds: 1800,
    }),
  },
  {
    id: "elasticsearch-red",
    owner: "site",
    title: "An Elasticsearch cluster is red",
    rows: ["S3", "D3"],
    severity: "CRITICAL",
    watches: "The elected master logged that the cluster's health became red.",
    why: "A primary shard is missing: searches answer in part, and a snapshot of that index fails.",
    steps: [
      "`GET _cluster/allocation/explain` says which shard and why.",
      "No node holds it any more: restore that index from the newest snapshot.",
    ],
    runbook: corruption,
    condition: () => ({
      kind: "log",
      filter: every(
        containers(namespaces.elasticsearch),
        'jsonPayload.message=~"health status changed from .* to .RED."',
      ),
    }),
  },
  {
    id: "elasticsearch-degraded",
    owner: "site",
    title: "An Elasticsearch node is down",
    rows: ["S3"],
    severity: "ERROR",
    watches: `An Elasticsearch pod has not been ready for ${span(limits.nodeDownSeconds)}, so the cluster is yellow at best.`,
    why: "Shards have no replica left to lose.",
    steps: ["`kubectl describe pod` in namespace elasticsearch of that cluster; ECK replaces what it can."],
    condition: () => ({ kind: "promql", query: notReady(namespaces.elasticsearch), seconds: limits.nodeDownSeconds }),
  },
  {
    id: "secrets-not-synced",
    owner: "site",
    title: "1Password's operator cannot fetch secrets",
    rows: ["S5"],
    severity: "ERROR",
    watches: "The operator in a cluster logged an error.",
    why: "A changed password does not arrive, and a new cluster gets none: a rebuild stops there.",
    steps: [
      "Refused: has the service account token ended? Make another one, scoped to the site's vault, and `pulumi up` with it.",
      "Not found: was the item renamed? Its path is in components/secrets.ts.",
    ],
    condition: () => ({
      kind: "log",
      filter: every(
        containers(namespaces.onepassword),
        // Not by severity: what the operator writes to standard error, each of its lines, has ERROR.
        '(jsonPayload.level="error" OR textPayload=~"\\bERROR\\b|Reconciler error")',
      ),
    }),
  },
  {
    id: "certificate-expiring",
    owner: "site",
    title: "A certificate in a cluster is about to end",
    rows: ["S1", "S4"],
    severity: "ERROR",
    watches: `cert-manager knows a certificate with less than ${limits.certificateDays} days left.`,
    why: "Webhooks of the operators, and what nodes trust each other by, stop working on that day.",
    steps: ["`kubectl describe certificate` says why it was not renewed."],
    condition: () => ({
      kind: "promql",
      query: `certmanager_certificate_expiration_timestamp_seconds - time() < ${limits.certificateDays * day}`,
      seconds: 3600,
    }),
  },
  {
    id: "cluster-silent",
    owner: "site",
    title: "A cluster of the site is silent",
    rows: ["D1", "S4"],
    severity: "CRITICAL",
    watches: `No node of a cluster has reported for ${span(300)}.`,
    why: "The region is lost, or nobody can see it.",
    steps: [
      "Traffic moves by itself (D1): check that app.iconik.io answers.",
      "Is it the region? Google's status page. Do nothing then; when it is back, let Cassandra's hints and a repair catch up.",
      "More than one region: this is D2.",
    ],
    runbook: "docs/runbooks/d1.md#a-region-has-failed",
    condition: ({ clusters }) => ({
      kind: "absent",
      filter: every(
        'metric.type="kubernetes.io/node/cpu/total_cores"',
        'resource.type="k8s_node"',
        `resource.labels.cluster_name=one_of(${clusters.map((name) => `"${name}"`).join(",")})`,
      ),
      groupBy: ["resource.labels.cluster_name"],
      seconds: 300,
    }),
  },
  {
    id: "region-unhealthy",
    owner: "site",
    title: "A region fails its health checks",
    rows: ["D1"],
    severity: "ERROR",
    watches: "The load balancer's health checks found an endpoint unhealthy.",
    why: `Traffic goes to the next region within ${span(objectives.D1.rtoSeconds)}; it has to carry both loads.`,
    steps: [
      "Which network endpoint group? Its name has the region.",
      "Look at the front's pods there, then at its stores.",
    ],
    condition: () => ({
      kind: "log",
      filter: every(
        'log_id("compute.googleapis.com/healthchecks")',
        'jsonPayload.healthCheckProbeResult.healthState="UNHEALTHY"',
        'jsonPayload.healthCheckProbeResult.previousHealthState="HEALTHY"',
      ),
    }),
  },
  {
    id: "clock-ahead",
    owner: "site",
    title: "A clock of a region is wrong",
    rows: ["S1", "S3", "D3"],
    severity: "ERROR",
    watches: `A service saw a change whose time is more than ${limits.clockAheadSeconds} s ahead of its own clock.`,
    why: `Stores keep what has the later time. Writes follow a clock that is ahead by up to ${limits.clockRefusedSeconds} s; beyond that, writes to what it has stamped are refused in every region.`,
    steps: [
      "The line has the asset, if it was a write, and by how much; its pod saw the change. Either that clock is behind, or the one of whoever wrote is ahead: the lines of other regions tell which.",
      "Compare the machines of both regions: the runbook has the commands. Drain a node, or a region, whose clock is wrong, and set it right.",
    ],
    runbook: "docs/runbooks/clock-ahead.md",
    condition: () => ({
      kind: "log",
      filter: every(containers(namespaces.services), `jsonPayload.event="${events.clockAhead}"`),
    }),
  },
  {
    id: "backup-bucket-changed",
    owner: "site",
    title: "The primary backup bucket's policy or settings were changed",
    rows: ["D5", "S1", "S2"],
    severity: "WARNING",
    watches: "The bucket's IAM policy was set, or the bucket was updated or deleted.",
    why: "A deployment does this rarely; an attacker takes the soft delete away first.",
    steps: ["Compare with what was deployed. If nobody deployed, treat the deployer as stolen (D5)."],
    condition: ({ backupBucket }) => ({
      kind: "log",
      filter: every(
        'resource.type="gcs_bucket"',
        `resource.labels.bucket_name="${backupBucket}"`,
        `protoPayload.methodName=(${quoted(["storage.setIamPermissions", "storage.buckets.update", "storage.buckets.delete"])})`,
      ),
    }),
  },
];
