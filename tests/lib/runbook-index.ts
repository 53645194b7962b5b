/** Which section of the runbooks to open for each fault that is drilled and each alert, and the page that says so. */
import { nightGroups } from "../../faults/night";
import { trafficGroups } from "../../faults/traffic";
import { alerts, standbyAlerts } from "../../plan/alerts";

/** Sections by fault, as `file#anchor`; below docs/runbooks. */
const faultSections: Readonly<Record<string, string>> = {
  "backup-empty": "dropped.md",
  "backup-object-lost": "d3-corruption.md",
  "backup-object-flipped": "d3-corruption.md",
  "backup-node-missing": "d3-corruption.md",
  "backup-table-missing": "dropped.md",
  "table-dropped": "dropped.md",
  "table-dropped-restored": "d3-corruption.md#a-dropped-table",
  "copy-torn-repository": "verification-failed.md",
  "copy-bit-flip": "verification-failed.md",
  "copy-bit-flip-deep": "verification-failed.md",
  "copy-object-missing": "verification-failed.md",
  "damaged-before-backup": "verification-failed.md",
  "evidence-old": "verification-failed.md",
  "search-copy-bit-flip": "verification-failed.md",
  "marker-forged": "d5.md",
  "marker-missing": "degraded.md#a-backup-or-a-copy-is-old",
  "replicator-killed": "../alerts.md#vault-job-overdue",
  "replicator-killed-twice": "../alerts.md#vault-job-overdue",
  "two-replicators": "../alerts.md#vault-job-failed",
  "clock-skew": "../alerts.md#vault-job-failed",
  "retention-edges": "../alerts.md#vault-job-failed",
  "storage-403": "degraded.md#the-storage-refuses-or-is-slow",
  "storage-429": "degraded.md#the-storage-refuses-or-is-slow",
  "storage-503": "degraded.md#the-storage-refuses-or-is-slow",
  "storage-slow": "degraded.md#the-storage-refuses-or-is-slow",
  "media-mass-deletion": "media-breaker.md",
  "media-mass-overwrite": "media-breaker.md",
  "media-clock-day-29": "media-restore.md",
  "media-clock-day-31": "media-restore.md",
  "restore-killed": "d2-regions-lost.md#3-bring-the-site-up",
  "restore-killed-twice": "d2-regions-lost.md#3-bring-the-site-up",
  "sstable-corruption": "d3-corruption.md#a-flipped-bit",
  "node-wiped": "d3-corruption.md#a-wiped-node",
  "data-directory-lost": "d3-corruption.md#a-lost-data-directory",
  "disk-full": "d3-corruption.md#a-full-disk",
  "member-gone": "d2-regions-lost.md#3-bring-the-site-up",
  none: "README.md",
  "pod-killed": "d1.md",
  "api-server": "degraded.md#a-clusters-api-server-is-lost",
  "region-slow": "degraded.md#a-region-is-slow",
  "region-apart": "d1.md#a-region-has-failed",
  search: "d3-corruption.md#a-lost-index",
  "control-cluster": "degraded.md#a-clusters-api-server-is-lost",
  "drain-and-return": "d1.md#drain-a-region",
  "region-killed": "d1.md#a-region-has-failed",
  "region-hung": "d1.md#a-region-has-failed",
  "region-returns": "d1.md#return-it",
  "all-regions": "d2-regions-lost.md",
  "cassandra-node": "d3-corruption.md",
  rack: "d1.md#a-region-has-failed",
  "zone-hung": "d1.md#a-region-has-failed",
  onepassword: "degraded.md#1password-is-unreachable",
  "onepassword-silent": "degraded.md#1password-is-unreachable",
  "clock-ahead": "clock-ahead.md",
  "share-moved": "d1.md#move-a-part-of-the-traffic",
  "drained-by-hand": "d1.md#by-hand",
  "dns-flapping": "degraded.md#a-dns-health-check-flaps",
  "up-killed": "state-lost.md#an-update-was-killed",
  "state-locked": "state-lost.md",
  "state-stale": "state-lost.md#2-an-older-copy",
  "state-lost": "state-lost.md#1-the-last-version",
};

/** Alerts that go further than their own steps and name no runbook themselves. */
const alertSections: Readonly<Record<string, string>> = {
  "vault-job-failed": "degraded.md#the-storage-refuses-or-is-slow",
  "vault-job-overdue": "degraded.md#the-storage-refuses-or-is-slow",
  "media-breaker-open": "media-breaker.md",
  "media-mass-deletion": "media-restore.md",
  "marker-refused": "d5.md",
  "copies-denied": "d5.md",
  "copies-tampered": "d5.md",
  "audit-changed": "d5.md",
  "backup-bucket-changed": "d5.md",
  "media-bucket-changed": "d5.md",
  "standby-copies-tampered": "d5.md",
  "standby-key-ended": "d5.md",
  "snapshot-failed": "dropped.md",
  "secrets-not-synced": "degraded.md#1password-is-unreachable",
  "region-unhealthy": "d1.md#a-region-has-failed",
  "customer-bucket-refused": "../customer-buckets.md",
  "errors-served": "d1.md#drain-a-region",
};

/** Alerts whose own steps are all there is to do. */
const ownSteps: readonly string[] = [
  ...["freshness-blind", "media-copy-stale", "restore-granted", "snapshots-silent", "canary-late"],
  ...["cassandra-repair-overdue", "elasticsearch-degraded", "certificate-expiring", "app-certificate-expiring"],
  ...[
    "standby-copy-late",
    "standby-media-late",
    "standby-job-failed",
    "standby-media-removed",
    "standby-events-unheard",
  ],
];

/** What is looked for, and where to go; `section` is undefined when nobody has said it. */
export interface Entry {
  id: string;
  what: string;
  section: string | undefined;
  /** Of a fault: by which matrix it is run. */
  matrix?: string;
}

/** Every drilled fault. */
export const faultEntries: readonly Entry[] = [
  ...nightGroups.flatMap(({ faults }) => faults.map((each) => ({ ...each, matrix: "night" }))),
  ...trafficGroups.flatMap(({ faults }) => faults.map((each) => ({ ...each, matrix: "traffic" }))),
].map(({ id, fault, matrix }) => ({ id, what: fault, section: faultSections[id], matrix }));

/** Every alert. */
export const alertEntries: readonly Entry[] = [...alerts, ...standbyAlerts].map(({ id, title, runbook }) => ({
  id,
  what: title,
  section:
    alertSections[id] ??
    runbook?.replace("docs/runbooks/", "") ??
    (ownSteps.includes(id) ? `../alerts.md#${id}` : undefined),
}));

/** Ids in the maps that no fault or alert has any more. */
export const strayIds: readonly string[] = [
  ...Object.keys(faultSections).filter((id) => !faultEntries.some((each) => each.id === id)),
  ...[...Object.keys(alertSections), ...ownSteps].filter((id) => !alertEntries.some((each) => each.id === id)),
];

const table = (heads: readonly string[], entries: readonly Entry[]) =>
  [
    heads.join(" | "),
    heads.map(() => "---").join(" | "),
    ...entries.map(({ id, matrix, what, section }) =>
      [id, ...(matrix ? [matrix] : []), what, `[${section}](${section})`].join(" | "),
    ),
  ].join("\n");

/** The text of docs/runbooks/README.md. */
export const indexPage = (): string =>
  `${[
    "# Runbooks",
    "Written from tests/lib/runbook-index.ts by `make golden`; change it there. What one sees, and the section to open.",
    "## Alerts",
    table(["alert", "what", "open"], alertEntries),
    "## Faults",
    "The rows of `make faults` (matrix `traffic`) and `make faults-night` (`night`): what was broken on purpose, and what to open when it breaks by itself. One alone: `make setup && node --import tsx faults/cli.ts MATRIX --only FAULT`.",
    table(["fault", "matrix", "what", "open"], faultEntries),
  ].join("\n\n")}\n`;
