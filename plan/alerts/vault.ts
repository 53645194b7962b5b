/** Alerts of the vault: it outlives the sites, so that it watches their backups, their copies and itself (S2, S6, D5). */
import { events } from "../events";
import { freshnessSeconds, lateAfterSeconds, metrics, verificationLateSeconds } from "../freshness";
import type { IdentityId } from "../identities";
import { namespaces, restorerAccountId } from "../names";
import { objectives } from "../objectives";
import type { ScheduleName } from "../schedules";
import { failedJobs, toldOf } from "./jobs";
import { type Alert, any, every, span, type VaultScope } from "./types";

const staleRunbook = "docs/runbooks/degraded.md#a-backup-or-a-copy-is-old";
const verificationRunbook = "docs/runbooks/verification-failed.md";
/** Prefix of the CronJobs that copy media. */
const mediaJobs = "replicate-media-";
/** Looks in a row that may fail before the exporter counts as blind. */
const blindLooks = 12;
const blindSeconds = blindLooks * freshnessSeconds.look;

/** A repository's backups are late by their store's own schedule. */
const stale = (kind: "cassandra" | "elasticsearch", schedule: ScheduleName) => ({
  kind: "promql" as const,
  query: `time() - max by (site, repository) (${metrics.backup}{repository=~"${kind}-.+"}) > ${lateAfterSeconds(schedule)}`,
  seconds: 0,
});

const backupSteps = [
  "The labels name the site and the repository. Look at the last runs of the CronJob in the region's cluster and at the last line of their logs: it says what is wrong and the fix.",
  "Start it again: `kubectl create job --from=cronjob/NAME NAME-$(date +%s) -n NAMESPACE`; the vault copies what it finds in its next run.",
  "When the site is gone, this is D2.",
];

const audited = (...parts: string[]) =>
  every('protoPayload.serviceName="storage.googleapis.com"', 'resource.type="gcs_bucket"', ...parts);
const ofCopies = ({ copiesBucket }: VaultScope) => `resource.labels.bucket_name="${copiesBucket}"`;
const restorers = `^${restorerAccountId("")}`;

export const vaultAlerts: readonly Alert<VaultScope>[] = [
  {
    id: "cassandra-backup-stale",
    owner: "vault",
    title: "A Cassandra backup is older than its limit",
    rows: ["S1", "D2", "D3"],
    severity: "CRITICAL",
    watches: `The newest complete backup of a Cassandra repository began more than ${span(lateAfterSeconds("cassandraSnapshot"))} ago, or there is none.`,
    why: "What was written since cannot come back when the site or its data is lost.",
    steps: backupSteps,
    runbook: staleRunbook,
    condition: () => stale("cassandra", "cassandraSnapshot"),
  },
  {
    id: "elasticsearch-backup-stale",
    owner: "vault",
    title: "An Elasticsearch backup is older than its limit",
    rows: ["S3", "D2", "D3"],
    severity: "CRITICAL",
    watches: `The newest complete snapshot of an Elasticsearch repository began more than ${span(lateAfterSeconds("elasticsearchSnapshot"))} ago, or there is none.`,
    why: "The search index that a restore brings back is older than promised.",
    steps: backupSteps,
    runbook: staleRunbook,
    condition: () => stale("elasticsearch", "elasticsearchSnapshot"),
  },
  {
    id: "copy-stale",
    owner: "vault",
    title: "The second copy of a repository is older than its limit",
    rows: ["S2", "D2", "D5"],
    severity: "CRITICAL",
    watches: `The newest run that copied a repository and wrote its marker began more than ${span(lateAfterSeconds("replication"))} ago, or there is none.`,
    why: `D2 and D5 restore from the second copy; their bound is ${span(objectives.D2.rpoSeconds)}. Newer markers carry a repository's old copy on: they do not say that it is fresh.`,
    steps: [
      `The labels name the site and the repository. Look at the last runs of CronJob replicate-SITE in namespace ${namespaces.dr} of the vault's cluster: their last line says what is wrong with it.`,
      "It waits for a fresh backup of the repository: see the alerts on those first.",
      "Start it again: `kubectl create job --from=cronjob/replicate-SITE replicate-SITE-$(date +%s) -n dr`. What lies there already is not copied again.",
    ],
    runbook: staleRunbook,
    condition: () => ({
      kind: "promql",
      query: `time() - max by (site, repository) (${metrics.copy}) > ${lateAfterSeconds("replication")}`,
      seconds: 0,
    }),
  },
  {
    id: "verification-failed",
    owner: "vault",
    title: "A copy did not come back as its manifest says",
    rows: ["S2", "S8", "D2", "D3"],
    severity: "CRITICAL",
    watches: "The newest deep verification of a repository's copies failed.",
    why: "A restore from that copy would fail or lose data, and later copies may carry the same damage.",
    steps: [
      "The labels name the site and the repository; the evidence in the copies bucket and the job's last line name node, table or index.",
      "Keep the last good backup from being pruned, then find out whether the primary has the same damage.",
    ],
    runbook: verificationRunbook,
    condition: () => ({
      kind: "promql",
      query: `max by (site, repository) (${metrics.verification}{result="failed"}) > max by (site, repository) (${metrics.verification}{result="ok"})`,
      seconds: 0,
    }),
  },
  {
    id: "evidence-old",
    owner: "vault",
    title: "Nobody has proven for long that a copy can be restored",
    rows: ["S2", "S8", "D2"],
    severity: "ERROR",
    watches: `The last good deep verification of a repository began more than ${span(verificationLateSeconds)} ago, or there is none.`,
    why: "Backups are worth what a restore proves.",
    steps: [
      `Look at the last runs of CronJob verify-SITE-REPOSITORY in namespace ${namespaces.dr} of the vault's cluster: no machine, no disk, no copy?`,
      "Start it by hand: `kubectl create job --from=cronjob/NAME NAME-$(date +%s) -n dr`.",
    ],
    runbook: verificationRunbook,
    condition: () => ({
      kind: "promql",
      query: `time() - max by (site, repository) (${metrics.verification}{result="ok"}) > ${verificationLateSeconds}`,
      seconds: 3600,
    }),
  },
  {
    id: "freshness-blind",
    owner: "vault",
    title: "Nobody knows how old the backups are",
    rows: ["S2", "D2"],
    severity: "CRITICAL",
    watches: `A site's buckets could not be listed for ${span(blindSeconds)}, or the exporter's metrics are not there: all of them, or those of a repository.`,
    why: "The alerts on stale backups and copies are silent while nothing is measured.",
    steps: [
      `Look at Deployment freshness in namespace ${namespaces.dr} of the vault's cluster: its log names the bucket and the refusal.`,
      "Refused: the bucket's policy no longer names the account `freshness` of the vault; `pulumi up` of the site or the vault sets it. Who changed it?",
      "Absent metrics: is managed collection on in the cluster, and is the PodMonitoring there? Absent for one repository: does the Deployment's configuration name it?",
    ],
    condition: ({ repositories }) => ({
      kind: "promql",
      query: [
        `(time() - max by (site) (${metrics.looked}) > ${blindSeconds})`,
        `absent(${metrics.looked})`,
        // A series that is not there is not old.
        ...repositories.flatMap(({ site, repository }) =>
          [metrics.backup, metrics.copy].map(
            (metric) => `absent(${metric}{site="${site}",repository="${repository}"})`,
          ),
        ),
      ].join(" or "),
      seconds: 600,
    }),
  },
  {
    id: "vault-job-failed",
    owner: "vault",
    title: "A job of the vault failed",
    rows: ["S2", "S6", "S8"],
    severity: "ERROR",
    watches: `A copy, media or verification job in namespace ${namespaces.dr} reported a failure or was given up by Kubernetes.`,
    why: "Tonight's copy is missing, or a copy that is there may not be restorable.",
    steps: [
      "Read the last line of the pod's log (field `error`, `value`, `allowed`, `fix`) and follow its fix.",
      "A failed verification means that a copy is not what its marker says: restore from an older one until it is understood, and keep the damaged one.",
    ],
    condition: () => ({ kind: "log", filter: failedJobs([namespaces.dr], "^(replicate|verify|prune)-") }),
  },
  {
    id: "vault-job-overdue",
    owner: "vault",
    title: "A job of the vault has not succeeded in time",
    rows: ["S2", "S8"],
    severity: "ERROR",
    watches:
      "A CronJob's last success is longer ago than its schedule and deadline allow, whether it failed or never ran.",
    why: "A job that does not run says nothing: this is the alert for silence.",
    steps: [
      "Is the CronJob suspended, or its cluster without nodes? `kubectl describe cronjob NAME -n dr` says why it does not start.",
      "Start it by hand and read its last line.",
    ],
    condition: () => ({
      kind: "promql",
      query: `time() - ${metrics.jobSuccess}{cronjob!~"${mediaJobs}.+"} > on (cronjob) ${metrics.jobLateAfter}`,
      seconds: 600,
    }),
  },
  {
    id: "media-copy-stale",
    owner: "vault",
    title: "A second copy of media is older than its limit",
    rows: ["S6", "D2", "D5"],
    severity: "CRITICAL",
    watches: "The CronJob of a media bucket has not succeeded within its schedule and deadline.",
    why: "Files that came since have one copy only; removed ones have not begun their 30 days.",
    steps: [
      "The label names the job, and with it the bucket. An open breaker has an alert of its own: see there.",
      "Read the last line of its log and follow the fix; the next night goes on where this one ended.",
    ],
    condition: () => ({
      kind: "promql",
      query: `time() - ${metrics.jobSuccess}{cronjob=~"${mediaJobs}.+"} > on (cronjob) ${metrics.jobLateAfter}`,
      seconds: 600,
    }),
  },
  {
    id: "media-breaker-open",
    owner: "vault",
    title: "Media replication refuses to remove or overwrite so much",
    rows: ["S6", "D5"],
    severity: "CRITICAL",
    watches: `A media job logged ${events.mediaBreakerOpen}: more objects would go in one night than the breaker lets pass.`,
    why: "Either somebody wipes or encrypts the primary, or the 30 days of what people removed do not begin.",
    steps: [
      "Find out who removed the objects: the audit logs of the primary bucket, the product's own records.",
      "An attack: revoke the identity, then bring the primary back as docs/runbooks/media-restore.md says; the secondary has all of it.",
      "Meant: approve that bucket and day in the vault's configuration; the message says how.",
    ],
    condition: () => ({ kind: "log", filter: toldOf(namespaces.dr, events.mediaBreakerOpen) }),
  },
  {
    id: "copy-damaged",
    owner: "vault",
    title: "The newest second copy is not what was copied",
    rows: ["S2", "D3", "D5"],
    severity: "CRITICAL",
    watches: `A job of the vault logged ${events.copyDamaged}: objects that the newest marker's list names are gone or have other content.`,
    why: "No identity may change them, so somebody has found a way, or the storage fails. Tonight's copy has these objects anew; older ones that name them cannot be restored as they are.",
    steps: [
      "The log line names the site, the repository and the first objects. Who touched them: the audit logs of the copies' bucket.",
      "Bring soft-deleted objects back (`gcloud storage restore`); what was overwritten is a soft-deleted generation, too.",
      "Is there a marker after it? Then that copy is whole. Until there is, start CronJob replicate-SITE by hand.",
    ],
    runbook: `${verificationRunbook}#a-copy-was-damaged-after-it-was-made`,
    condition: () => ({ kind: "log", filter: toldOf(namespaces.dr, events.copyDamaged) }),
  },
  {
    id: "marker-refused",
    owner: "vault",
    title: "A marker of the second copies is not the vault's own",
    rows: ["S2", "D5"],
    severity: "CRITICAL",
    watches: `A job of the vault logged ${events.markerRefused}: a marker is not signed by the vault's key, or was signed for another copy.`,
    why: "Somebody writes into the second copies who should not be able to. It is passed over, so that restores take the newest copy that is signed.",
    steps: [
      "The log line names the site, the marker and the reason. Who created the object: the audit logs of the copies' bucket.",
      "An identity in other hands: take its access away (the account, its binding in the cluster), then see what else it created.",
      "After a change of key: do the readers' markerKeys hold the new one? The vault's output markerKeys has all of them.",
    ],
    condition: () => ({ kind: "log", filter: toldOf(namespaces.dr, events.markerRefused) }),
  },
  {
    id: "restore-granted",
    owner: "vault",
    title: "A restore grant was given, or the copies' policy changed",
    rows: ["D5", "S2"],
    severity: "CRITICAL",
    watches: "The IAM policy of the copies bucket was set, or a restorer account was created or its users changed.",
    why: "A grant opens the second copies. Nobody gives one quietly.",
    steps: [
      "Is it the grant that was just approved, for that site and until that moment? Say so in the incident and close it.",
      "If not: remove it (`pulumi up` of the vault without it), disable the account, and treat the vault's deployer as stolen.",
    ],
    condition: (scope) => ({
      kind: "log",
      filter: any(
        audited('protoPayload.methodName="storage.setIamPermissions"', ofCopies(scope)),
        every(
          'protoPayload.serviceName="iam.googleapis.com"',
          'protoPayload.methodName=~"CreateServiceAccount$|SetIAMPolicy$|CreateServiceAccountKey$"',
          `(${any(`resource.labels.email_id=~"${restorers}"`, `protoPayload.request.account_id=~"${restorers}"`)})`,
        ),
      ),
    }),
  },
  {
    id: "restorer-used",
    owner: "vault",
    title: "A restorer reads the second copies",
    rows: ["D5", "S2"],
    severity: "CRITICAL",
    watches: "A restorer identity was acted as, or made a request to the copies bucket.",
    why: "Outside an announced restore or drill it is somebody else.",
    steps: [
      "Is a restore of that site running, started by people you know? Then note it.",
      "If not: remove the grant, which ends its access at once, and find out who could act as it.",
    ],
    runbook: "docs/runbooks/d5.md",
    condition: (scope) => ({
      kind: "log",
      filter: any(
        audited(ofCopies(scope), `protoPayload.authenticationInfo.principalEmail=~"${restorers}"`),
        every(
          'protoPayload.serviceName="iamcredentials.googleapis.com"',
          'protoPayload.methodName="GenerateAccessToken"',
          `protoPayload.request.name=~"${restorerAccountId("")}"`,
        ),
      ),
    }),
  },
  {
    id: "copies-denied",
    owner: "vault",
    title: "Somebody was refused on the second copies",
    rows: ["D5", "S2"],
    severity: "CRITICAL",
    watches: "A request to the copies bucket was refused for want of permission.",
    why: "No identity of production has any business there: it is a mistake in a deployment, or an attacker looking around.",
    steps: [
      "`protoPayload.authenticationInfo.principalEmail` says who, `requestMetadata.callerIp` from where.",
      "An identity of a site: treat it as stolen (D5), rotate, look at what else it did.",
      "The replicator's own: did it try to overwrite? Then a source changed under a name that was copied, which is an overwritten or forged backup.",
    ],
    condition: (scope) => ({ kind: "log", filter: audited(ofCopies(scope), "protoPayload.status.code=7") }),
  },
  {
    id: "copies-tampered",
    owner: "vault",
    title: "The copies bucket or something in it was changed or removed",
    rows: ["D5", "S2"],
    severity: "CRITICAL",
    watches: "The copies bucket's settings were changed, the bucket was deleted, or an object in it was.",
    why: "Retention and soft delete hold for a while; the time to act is now.",
    steps: [
      "A setting: compare with `pulumi preview` of the vault, and with who deployed.",
      "An object: retention refuses it while it is young; restore a removed one from soft delete, and disable the identity.",
    ],
    condition: (scope) => ({
      kind: "log",
      filter: audited(
        ofCopies(scope),
        any(
          'protoPayload.methodName=("storage.buckets.update" OR "storage.buckets.delete")',
          // The pruner removes what its own rules, breaker and report answer for.
          every(
            'protoPayload.methodName="storage.objects.delete"',
            `NOT protoPayload.authenticationInfo.principalEmail=~"^${"pruner" satisfies IdentityId}@"`,
          ),
        ),
      ),
    }),
  },
  {
    id: "audit-changed",
    owner: "vault",
    title: "What the vault writes into its audit logs was changed",
    rows: ["D5"],
    severity: "CRITICAL",
    watches: "The project's audit configuration was set.",
    why: "Without data access logs the alerts on the second copies are blind.",
    steps: ["`pulumi up` of the vault sets it again. Who changed it, and what happened meanwhile?"],
    condition: () => ({
      kind: "log",
      filter: every(
        'protoPayload.methodName="SetIamPolicy"',
        "protoPayload.serviceData.policyDelta.auditConfigDeltas:*",
      ),
    }),
  },
];
