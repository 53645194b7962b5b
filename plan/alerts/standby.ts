/** Alerts of the standby, in CloudWatch: they work while Google Cloud does not (S7, D4). */
import { events } from "../events";
import { searchString } from "../failover";
import { limits } from "../limits";
import { objectives } from "../objectives";
import { standbyJobs, standbyLateSeconds } from "../standby";
import { type Alert, span } from "./types";

/** What the standby's conditions have to know. */
export interface StandbyScope {
  /** Bucket of the backups' copies, and its request metrics for markers alone. */
  copies: string;
  markersFilter: string;
  /** Buckets of the media's copies, and their request metrics. */
  media: readonly { name: string; copies: string }[];
  wholeFilter: string;
  /** Namespace of the metrics that are made from the jobs' logs. */
  jobMetrics: string;
  /** Buckets whose objects the trail records. */
  watched: readonly string[];
  /** The standby is active: what only then runs is watched. */
  active: boolean;
}

/** Resources of the stack whose metrics are watched. */
export type AlarmedResource =
  | "primary-check"
  | "named-check"
  | "reachable-check"
  | "load-balancer"
  | "target-group"
  | "certificate";

/** A metric of CloudWatch whose statistic is above or below a value in so many periods in a row. */
export interface MetricCondition {
  kind: "metric";
  namespace: string;
  metric: string;
  /** Values that the stack's resources give are named here and filled in by the component. */
  dimensions: Readonly<Record<string, string | { of: AlarmedResource }>>;
  statistic: "Sum" | "Minimum" | "Maximum";
  periodSeconds: number;
  periods: number;
  comparison: "above" | "below";
  threshold: number;
  /** What silence means. */
  missing: "breaching" | "notBreaching";
  /** The metric is in the region of AWS's global services. */
  global?: true;
}

/** An event of AWS, by the trail or a service, as EventBridge matches it. */
export interface EventCondition {
  kind: "event";
  pattern: Readonly<Record<string, unknown>>;
}

/** One alert of the standby; some have a condition for each bucket. */
export interface StandbyAlert extends Omit<Alert, "condition" | "owner" | "pausedByRestore"> {
  owner: "standby";
  /** Empty: nothing to watch in this state of the standby. */
  conditions: (scope: StandbyScope) => readonly { part?: string; condition: MetricCondition | EventCondition }[];
}

/** Metrics that are made from the logs of jobs and services, by the event that they count. */
export const jobMetrics = {
  mediaCopied: { metric: "MediaCopied", event: events.mediaPulled, dimension: "bucket" },
  jobFailed: { metric: "JobFailed", event: events.jobFailed },
  customerRefused: { metric: "CustomerBucketRefused", event: events.customerBucketRefused },
  clockAhead: { metric: "ClockAhead", event: events.clockAhead },
  contractBroken: { metric: "ContractBroken", event: events.standbyContractBroken },
} as const satisfies Record<string, { metric: string; event: string; dimension?: string }>;

const hour = 3600;
const runbook = "docs/runbooks/d4-google-lost.md";

/** What the trail records of a service, as events. */
const called = (service: "s3" | "kms", detail: Record<string, unknown>) => ({
  source: [`aws.${service}`],
  "detail-type": ["AWS API Call via CloudTrail"],
  detail: { eventSource: [`${service}.amazonaws.com`], ...detail },
});
const ofS3 = (detail: Record<string, unknown>) => called("s3", detail);

/** A health check of Route 53 that fails for two minutes. */
const unhealthy = (check: AlarmedResource): MetricCondition => ({
  kind: "metric",
  namespace: "AWS/Route53",
  metric: "HealthCheckStatus",
  dimensions: { HealthCheckId: { of: check } },
  statistic: "Minimum",
  periodSeconds: 60,
  periods: 2,
  comparison: "below",
  threshold: 1,
  missing: "breaching",
  global: true,
});

const counted = (namespace: string, metric: string, more: Partial<MetricCondition> = {}): MetricCondition => ({
  kind: "metric",
  namespace,
  metric,
  dimensions: {},
  statistic: "Sum",
  periodSeconds: 300,
  periods: 1,
  comparison: "above",
  threshold: 0,
  missing: "notBreaching",
  ...more,
});

/** Name of the alarm or rule of a condition. */
export const conditionName = ({ id }: Pick<StandbyAlert, "id">, part?: string): string =>
  part === undefined ? id : `${id}-${part}`;

const watching: readonly StandbyAlert[] = [
  {
    id: "standby-copy-late",
    owner: "standby",
    title: "The standby's copy of the backups is older than its limit",
    rows: ["S7", "D4"],
    severity: "CRITICAL",
    watches: `No marker was written to S3 for ${span(standbyLateSeconds)}.`,
    why: `D4 restores from S3; its bound is ${span(objectives.D4.rpoSeconds)}, and the vault goes with Google.`,
    steps: [
      `Look at CronJob ${standbyJobs.copies("SITE")} in namespace dr of the standby's cluster: its last line says what is wrong and the fix.`,
      "Is the vault's copy late as well? Then see copy-stale first.",
      "Google refuses the copier: the issuer of the cluster in `standby.issuer` of the vault's configuration is another one after the cluster was made anew.",
    ],
    // While it is active there is nothing to pull.
    conditions: ({ copies, markersFilter, active }) =>
      active
        ? []
        : [
            {
              condition: {
                kind: "metric",
                namespace: "AWS/S3",
                metric: "PutRequests",
                dimensions: { BucketName: copies, FilterId: markersFilter },
                statistic: "Sum",
                periodSeconds: hour,
                periods: standbyLateSeconds / hour,
                comparison: "below",
                threshold: 1,
                missing: "breaching",
              },
            },
          ],
  },
  {
    id: "standby-media-late",
    owner: "standby",
    title: "The standby's copy of a media bucket is older than its limit",
    rows: ["S7", "S6", "D4"],
    severity: "ERROR",
    watches: `A media bucket was not copied to S3 for two days.`,
    why: "Files that came since are not there when Google is lost.",
    steps: [
      `The alarm names the bucket. Look at CronJob ${standbyJobs.media("BUCKET")}: an open breaker, a refusal and a time that is too short each say so.`,
      "The first copy of a large bucket takes many nights: each goes on where the last one ended. Raise the deadline only when one night's files take longer.",
    ],
    conditions: (scope) =>
      scope.active
        ? []
        : scope.media.map(({ name }) => ({
            part: name,
            condition: counted(scope.jobMetrics, jobMetrics.mediaCopied.metric, {
              dimensions: { bucket: name },
              periodSeconds: hour,
              periods: 48,
              comparison: "below",
              threshold: 1,
              missing: "breaching",
            }),
          })),
  },
  {
    id: "standby-job-failed",
    owner: "standby",
    title: "A job of the standby failed",
    rows: ["S7", "D4"],
    severity: "ERROR",
    watches: `A job in the standby's cluster logged ${events.jobFailed}.`,
    why: "Tonight's copy is missing or not what the marker says; while the standby is active, its own backup is.",
    steps: ["Read the last line of the pod's log (`error`, `value`, `allowed`, `fix`) and follow its fix."],
    conditions: (scope) => [{ condition: counted(scope.jobMetrics, jobMetrics.jobFailed.metric) }],
  },
  {
    id: "customer-bucket-refused",
    owner: "standby",
    title: "A customer's own bucket does not let the standby in",
    rows: ["S6", "D4"],
    severity: "WARNING",
    watches: `CronJob ${standbyJobs.customers}, every morning as the API's account, could not read a bucket of \`customerBuckets\`.`,
    why: "When Google is lost the product answers 502 for that customer's media, and its owner needs longer than an activation takes.",
    steps: [
      `The log of ${standbyJobs.customers} in namespace services names the bucket (\`customer\`) and what its storage said (\`message\`).`,
      "Its owner compares role or pool with docs/customer-buckets.md. The cluster was made anew: every pool in Cloud Storage wants its new issuer.",
      `When it is mended: \`kubectl create job --from=cronjob/${standbyJobs.customers} -n services again\`.`,
    ],
    // While it is active the API itself says so.
    conditions: ({ active, jobMetrics: namespace }) =>
      active ? [] : [{ condition: counted(namespace, jobMetrics.customerRefused.metric) }],
  },
  {
    id: "standby-contract-broken",
    owner: "standby",
    title: "The standby could not take the newest backup",
    rows: ["S7", "D4"],
    severity: "CRITICAL",
    watches:
      "The copier found that the newest backup has other nodes, racks or another version than the standby would have.",
    why: "An activation would stop at its preview.",
    steps: [
      "The job's line names what differs. Set `cassandra` or `datacenter` of the standby to what the site has now, and run `pulumi up`.",
      "Another major version of Cassandra: the standby's program has to be of the same commit as the site's.",
    ],
    runbook,
    conditions: (scope) => [{ condition: counted(scope.jobMetrics, jobMetrics.contractBroken.metric) }],
  },
  {
    id: "primary-unreachable",
    owner: "standby",
    title: "The primary does not answer at Google's address",
    rows: ["D4", "D1", "D2"],
    severity: "CRITICAL",
    watches:
      "Route 53's health checkers, which are nobody of Google's, get no answer from the address of app.iconik.io.",
    why: "This alert works when Google Cloud does not, with its alerts and all.",
    steps: [
      "Is it one region (D1), a site (D2), or all of Google Cloud? https://status.cloud.google.com and the vault's alerts tell.",
      "All of Google Cloud, and no end in sight: activate the standby. Who decides is in the runbook.",
    ],
    runbook,
    conditions: () => [{ condition: unhealthy("reachable-check") }],
  },
  {
    id: "failover-misled",
    owner: "standby",
    title: "Route 53 does not find the name of who serves",
    rows: ["D4", "S7"],
    severity: "CRITICAL",
    watches:
      "The health check that looks for the name of who serves does not find it; or the primary's, which needs that and an answer of Google's.",
    why: "By these checks app.iconik.io turns: while they are wrong, an activation or a failback turns nothing.",
    steps: [
      "primary-unreachable rings as well, and part `named` does not: the checks work, go on there.",
      "Part `named`: read who was said to serve, in the versions of traffic.json in the traffic bucket; `pulumi preview` of the standby says what it should be. Somebody else wrote it: see traffic-switched.",
      "The object is right: Route 53's checkers cannot read it. Compare the bucket's policy with `healthCheckers` of plan/failover.ts and service ROUTE53_HEALTHCHECKS in https://ip-ranges.amazonaws.com/ip-ranges.json.",
    ],
    runbook,
    conditions: ({ active }) => [
      { part: "named", condition: unhealthy("named-check") },
      // Active, the primary is meant to be unhealthy: it is latched.
      ...(active ? [] : [{ part: "primary", condition: unhealthy("primary-check") }]),
    ],
  },
  {
    id: "standby-unhealthy",
    owner: "standby",
    title: "The active standby has no pod that serves",
    rows: ["D4", "S7"],
    severity: "CRITICAL",
    watches: "The standby is active and its load balancer has no healthy target.",
    why: "Nobody serves: the primary is latched until failback.",
    steps: [
      "`kubectl get pods -n services` in the standby's cluster; the stores' pods next.",
      "Do not turn the traffic back by hand: the primary's data is older than what was written here. The way back is docs/runbooks/failback.md.",
    ],
    runbook,
    conditions: ({ active }) =>
      active
        ? [
            {
              condition: {
                kind: "metric",
                namespace: "AWS/ApplicationELB",
                metric: "HealthyHostCount",
                dimensions: { LoadBalancer: { of: "load-balancer" }, TargetGroup: { of: "target-group" } },
                statistic: "Maximum",
                periodSeconds: 60,
                periods: 3,
                comparison: "below",
                threshold: 1,
                missing: "breaching",
              },
            },
          ]
        : [],
  },
  {
    id: "standby-clock-ahead",
    owner: "standby",
    title: "A clock of the standby is wrong",
    rows: ["D4", "S3"],
    severity: "ERROR",
    watches: `A service of the active standby saw a change whose time is more than ${limits.clockAheadSeconds} s ahead of its own clock.`,
    why: `Stores keep what has the later time, and what Google's clocks stamped came back with the restore. Beyond ${limits.clockRefusedSeconds} s ahead, writes to it are refused.`,
    steps: [
      "Its asset was last written before the loss: a clock of Google's was ahead; the runbook says what to do about the row.",
      "Written since: a machine here is wrong. Compare the machines, drain the wrong one and let the node group make another.",
    ],
    runbook: "docs/runbooks/clock-ahead.md",
    conditions: ({ active, jobMetrics: namespace }) =>
      active ? [{ condition: counted(namespace, jobMetrics.clockAhead.metric) }] : [],
  },
  {
    id: "standby-certificate-expires",
    owner: "standby",
    title: "The standby's certificate was not renewed",
    rows: ["S7", "D4"],
    severity: "ERROR",
    watches: `The certificate of the standby's load balancer ends in less than ${limits.standbyCertificateDays} days.`,
    why: "AWS renews it well before that. Without it an activation ends with a name that no browser opens.",
    steps: [
      "Its record for validation has to be in the zone: `pulumi preview` of the standby, with --refresh, says whether it is.",
      "The name is delegated to the zone, and its CAA record names amazon.com: `dig app.iconik.io NS` and `dig app.iconik.io CAA`.",
    ],
    runbook,
    conditions: () => [
      {
        condition: counted("AWS/CertificateManager", "DaysToExpiry", {
          dimensions: { CertificateArn: { of: "certificate" } },
          statistic: "Minimum",
          // Twice a day it is said.
          periodSeconds: 24 * hour,
          comparison: "below",
          threshold: limits.standbyCertificateDays,
        }),
      },
    ],
  },
  {
    id: "standby-media-removed",
    owner: "standby",
    title: "Many objects of the standby's media copies are removed",
    rows: ["S7", "S6", "D5"],
    severity: "CRITICAL",
    watches: `More than ${limits.mediaRemovalsPerHour} objects of one bucket got a delete marker within an hour.`,
    why: "A removal that passed the breakers, or a copier in somebody else's hands. Versions stay for 30 days.",
    steps: [
      "Suspend the CronJob of that bucket.",
      "Find out who removed the primary's objects, or who acts as standby-copier: the trail in the logs bucket names the session.",
    ],
    conditions: ({ media, wholeFilter }) =>
      media.map(({ name, copies }) => ({
        part: name,
        condition: {
          kind: "metric",
          namespace: "AWS/S3",
          metric: "DeleteRequests",
          dimensions: { BucketName: copies, FilterId: wholeFilter },
          statistic: "Sum",
          periodSeconds: hour,
          periods: 1,
          comparison: "above",
          // One request removes up to a thousand.
          threshold: limits.mediaRemovalsPerHour / 1000,
          missing: "notBreaching",
        },
      })),
  },
  {
    id: "standby-copies-tampered",
    owner: "standby",
    title: "Somebody meddles with the standby's copies",
    rows: ["S7", "D5"],
    severity: "CRITICAL",
    watches:
      "A bucket of copies or of traffic was reconfigured, a version in it was to be ended, or a write to it was refused.",
    why: "Locks hold for a while; the time to act is now.",
    steps: [
      "`detail.userIdentity` of the event says who. Compare with `pulumi preview` of the standby, and with who deployed.",
      "Not us: disable the role, and treat the standby's deployer as stolen.",
    ],
    conditions: ({ watched }) => [
      {
        part: "settings",
        condition: {
          kind: "event",
          pattern: ofS3({
            eventName: [
              "DeleteBucket",
              "DeleteBucketPolicy",
              "DeleteBucketLifecycle",
              "PutBucketAcl",
              "PutBucketLifecycle",
              "PutBucketPolicy",
              "PutBucketPublicAccessBlock",
              "DeleteBucketPublicAccessBlock",
              "PutBucketReplication",
              "PutBucketObjectLockConfiguration",
              "PutBucketVersioning",
              "PutObjectLockConfiguration",
            ],
            requestParameters: { bucketName: watched },
          }),
        },
      },
      {
        part: "versions",
        condition: {
          kind: "event",
          pattern: ofS3({
            $or: [
              ...["versionId", "x-amz-version-id"].map((version) => ({
                eventName: ["DeleteObject", "PutObjectRetention", "PutObjectLegalHold"],
                requestParameters: { bucketName: watched, [version]: [{ exists: true }] },
              })),
              // Which versions, if any, is in the request's body, which the trail leaves out. Nothing of ours asks that way.
              { eventName: ["DeleteObjects"], requestParameters: { bucketName: watched } },
            ],
          }),
        },
      },
      {
        part: "refused",
        condition: {
          kind: "event",
          pattern: ofS3({ errorCode: ["AccessDenied"], requestParameters: { bucketName: watched } }),
        },
      },
    ],
  },
  {
    id: "standby-key-ended",
    owner: "standby",
    title: "Somebody ends or disables a key of the standby's account",
    rows: ["S7", "D5"],
    severity: "CRITICAL",
    watches: "A key of the account was to be disabled or deleted, whether it was refused or not.",
    why: "With the key go the disks, Secrets and logs that it encrypts, and the stack's state. A deletion can be taken back for 7 to 30 days, as whoever asked for it chose.",
    steps: [
      "`aws kms cancel-key-deletion` and `aws kms enable-key` of the key that the event names, as the deployer: nobody else may.",
      "`detail.userIdentity` of the event says who. Not us: disable the role, and treat the standby's deployer as stolen.",
    ],
    conditions: () => [
      { condition: { kind: "event", pattern: called("kms", { eventName: ["DisableKey", "ScheduleKeyDeletion"] }) } },
    ],
  },
  {
    id: "traffic-switched",
    owner: "standby",
    title: "Who serves app.iconik.io was said anew",
    rows: ["D4", "D5"],
    severity: "CRITICAL",
    watches: `The object that says who serves (${searchString("primary")} or standby) was written or removed.`,
    why: "Only an activation and a failback do that. With both announced it is a note; otherwise somebody turns the users' traffic.",
    steps: [
      "Is an activation or failback under way? Then note it and close.",
      "If not: `pulumi up` of the standby writes the word that its configuration says; find out who wrote the other one.",
    ],
    runbook,
    conditions: ({ watched }) => [
      {
        condition: {
          kind: "event",
          pattern: ofS3({
            eventName: ["PutObject", "DeleteObject", "DeleteObjects"],
            // The last one of the watched buckets.
            requestParameters: { bucketName: watched.slice(-1) },
          }),
        },
      },
    ],
  },
];

/** Rules of EventBridge that alerts are made of. */
const rules = (scope: StandbyScope): string[] =>
  watching.flatMap((alert) =>
    alert
      .conditions(scope)
      .flatMap(({ part, condition }) => (condition.kind === "event" ? [conditionName(alert, part)] : [])),
  );

export const standbyAlerts: readonly StandbyAlert[] = [
  ...watching,
  {
    id: "standby-events-unheard",
    owner: "standby",
    title: "An event of the standby was not told to anybody",
    rows: ["S7", "D5"],
    severity: "CRITICAL",
    watches: "A rule of EventBridge matched and could not publish to the topic of the alarms.",
    why: "Whoever meddles with the copies or turns the traffic does it unseen: EventBridge drops what it cannot deliver.",
    steps: [
      "The alarm names the rule. Compare the policies of topic standby-alarms and of key alias/standby-logs with `pulumi preview` of the standby: both let EventBridge in without a condition.",
      "Read what was dropped in the trail: the events of that time in the logs bucket.",
    ],
    conditions: (scope) =>
      rules(scope).map((rule) => ({
        part: rule,
        condition: counted("AWS/Events", "FailedInvocations", { dimensions: { RuleName: rule } }),
      })),
  },
];
