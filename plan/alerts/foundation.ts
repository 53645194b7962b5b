/** Alerts of the foundation: what users see from outside, and the media buckets (S6, D1, D5). */
import { limits } from "../limits";
import { objectives } from "../objectives";
import { type Alert, every, type FoundationScope, quoted, span } from "./types";

const uptime = (metric: string, host: string) =>
  every(
    `metric.type="monitoring.googleapis.com/uptime_check/${metric}"`,
    'resource.type="uptime_url"',
    `resource.labels.host="${host}"`,
  );

export const foundationAlerts: readonly Alert<FoundationScope>[] = [
  {
    id: "app-unreachable",
    owner: "foundation",
    title: "app.iconik.io cannot be reached from outside",
    rows: ["D1", "D2", "D4"],
    severity: "CRITICAL",
    watches: `${limits.uptimeCheckers} or more of the checkers on several continents get no good answer over HTTPS, for a minute.`,
    why: `Users are locked out. D1's bound is ${span(objectives.D1.rtoSeconds)}; beyond it, it is D2 or D4.`,
    steps: [
      "Does the site's load balancer answer on its address? Then it is DNS or the certificate.",
      "One region gone and no failover: the alerts region-unhealthy and errors-served say where.",
      "All regions gone: D2. Google Cloud gone: D4, the standby.",
    ],
    runbook: "docs/runbooks/d1.md#a-region-has-failed",
    condition: ({ host }) => ({
      kind: "threshold",
      filter: uptime("check_passed", host),
      alignmentSeconds: 60,
      aligner: "ALIGN_NEXT_OLDER",
      reducer: "REDUCE_COUNT_FALSE",
      groupBy: ["resource.labels.host"],
      above: limits.uptimeCheckers - 1,
      seconds: 60,
    }),
  },
  {
    id: "errors-served",
    owner: "foundation",
    title: "The load balancer answers with errors",
    rows: ["D1"],
    severity: "CRITICAL",
    watches: `More than ${limits.errorShare * 100} % of the requests are answered with a server error for ${span(objectives.D1.rtoSeconds)}, which is D1's bound.`,
    why: "Failover has not helped, or what fails is in every region.",
    steps: [
      "By region: `backend_scope` in the load balancer's metrics. One region: drain it.",
      "Every region: the last deployment, or the stores behind.",
    ],
    // The series are those of the forwarding rule, which is the foundation's; the backends are a site's.
    condition: () => ({
      kind: "promql",
      query: `sum(rate(loadbalancing_googleapis_com:https_request_count{monitored_resource="https_lb_rule", response_code_class="500"}[5m])) / sum(rate(loadbalancing_googleapis_com:https_request_count{monitored_resource="https_lb_rule"}[5m])) > ${limits.errorShare}`,
      seconds: objectives.D1.rtoSeconds,
    }),
  },
  {
    id: "app-certificate-expiring",
    owner: "foundation",
    title: "The certificate of app.iconik.io is about to end",
    rows: ["D1"],
    severity: "ERROR",
    watches: `A checker sees less than ${limits.certificateDays} days left.`,
    why: "Browsers refuse the site on that day, in every region at once.",
    steps: ["A managed certificate renews while its DNS authorization record is there: is it?"],
    condition: ({ host }) => ({
      kind: "promql",
      query: `min(monitoring_googleapis_com:uptime_check_time_until_ssl_cert_expires{monitored_resource="uptime_url", host="${host}"}) < ${limits.certificateDays}`,
      seconds: 3600,
    }),
  },
  {
    id: "media-mass-deletion",
    owner: "foundation",
    title: "Media are removed in masses",
    rows: ["S6", "D5"],
    severity: "CRITICAL",
    watches: `More than ${limits.mediaRemovalsPerHour} objects of one media bucket were removed within an hour.`,
    why: "Versions and soft delete hold 30 days. The secondary follows tonight, unless its breaker opens.",
    steps: [
      "Is it a customer's or an operator's wish? Then close it, and approve it for the secondary's breaker.",
      "If not: revoke the identity, then restore as docs/runbooks/media-restore.md says; it suspends the bucket's replication.",
    ],
    condition: ({ mediaBuckets }) => ({
      kind: "threshold",
      filter: every(
        'metric.type="storage.googleapis.com/api/request_count"',
        'resource.type="gcs_bucket"',
        `resource.labels.bucket_name=one_of(${mediaBuckets.map((name) => `"${name}"`).join(",")})`,
        'metric.labels.method="DeleteObject"',
        'metric.labels.response_code="OK"',
      ),
      alignmentSeconds: 3600,
      aligner: "ALIGN_DELTA",
      reducer: "REDUCE_SUM",
      groupBy: ["resource.labels.bucket_name"],
      above: limits.mediaRemovalsPerHour,
      seconds: 0,
    }),
  },
  {
    id: "media-bucket-changed",
    owner: "foundation",
    title: "A media bucket's policy or settings were changed",
    rows: ["S6", "D5"],
    severity: "WARNING",
    watches: "The IAM policy of a media bucket was set, or the bucket was updated or deleted.",
    why: "A deployment does this rarely; an attacker takes versions and soft delete away first.",
    steps: ["Compare with what was deployed. If nobody deployed, treat the deployer as stolen (D5)."],
    condition: ({ mediaBuckets }) => ({
      kind: "log",
      filter: every(
        'resource.type="gcs_bucket"',
        `resource.labels.bucket_name=(${quoted(mediaBuckets)})`,
        `protoPayload.methodName=(${quoted(["storage.setIamPermissions", "storage.buckets.update", "storage.buckets.delete"])})`,
      ),
    }),
  },
];
