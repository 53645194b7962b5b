/** Every alert of the plan, by the stack that declares it, and the page and text that people read. */
import { foundationAlerts } from "./foundation";
import { siteAlerts } from "./site";
import { standbyAlerts } from "./standby";
import { type Alert, repetition, span } from "./types";
import { vaultAlerts } from "./vault";

export * from "./standby";
export * from "./types";
export { foundationAlerts, siteAlerts, vaultAlerts };

/** All of them in Cloud Monitoring, whatever their scope. */
export const alerts: readonly Omit<Alert, "condition">[] = [...vaultAlerts, ...siteAlerts, ...foundationAlerts];

/** Page with a section for each alert; a path in the repository. */
export const alertsPage = "docs/alerts.md";

type Described = Omit<Alert, "condition" | "owner"> & { owner: string };

/** What an incident shows: what it is, why it matters, what to do. Markdown, below Cloud Monitoring's 8 KB. */
export function documentation(alert: Described): string {
  return [
    alert.watches,
    `**Why** (plan rows ${alert.rows.join(", ")}): ${alert.why}`,
    alert.steps.map((step, index) => `${index + 1}. ${step}`).join("\n"),
    `Runbook: ${alert.runbook ?? `${alertsPage}#${alert.id}`}`,
  ].join("\n\n");
}

/** Ids of what a log entry gives rise to. A condition's kind is the same whatever its scope. */
const logged: ReadonlySet<string> = new Set(
  [
    ...vaultAlerts.map(({ id, condition }) => ({ id, of: condition({ copiesBucket: "", repositories: [] }) })),
    ...siteAlerts.map(({ id, condition }) => ({
      id,
      of: condition({ clusters: [], regions: 0, canaries: 0, backupBucket: "" }),
    })),
    ...foundationAlerts.map(({ id, condition }) => ({ id, of: condition({ mediaBuckets: [], host: "" }) })),
  ].flatMap(({ id, of }) => (of.kind === "log" ? [id] : [])),
);

const owners = {
  vault: "The vault watches the sites' backups, the copies, and who touches them.",
  site: "A site watches its own stores, clusters, traffic and secrets.",
  foundation: "The foundation watches what users see from outside, and the media buckets.",
  standby: "The standby watches itself and the primary, in CloudWatch, which works while Google Cloud does not.",
} satisfies Record<string, string>;

/** The text of {@link alertsPage}. */
export function page(): string {
  const sections = Object.entries(owners).map(([owner, text]) =>
    [
      `## ${owner[0]!.toUpperCase()}${owner.slice(1)}`,
      text,
      ...[...alerts, ...standbyAlerts].filter((alert) => alert.owner === owner).map(section),
    ].join("\n\n"),
  );
  return `${[
    "# Alerts",
    "Written from plan/alerts/ by `make golden`; change them there. Thresholds follow from the plan's schedules, objectives and limits. CRITICAL wakes somebody, ERROR is for today, WARNING for this week.",
    [
      `What repeats: a CRITICAL alert on a metric, every ${span(repetition.metric.againSeconds)} until it is over; the end is told as well.`,
      "What does not, so that whoever hears it has to keep it in mind:",
      `those marked _log_, which are told once for what was logged, at most once in ${span(repetition.log.atMostEverySeconds)} while more is logged, and close by themselves after ${span(repetition.log.closesSeconds)}, whether or not anybody acted;`,
      "and those of the standby: an alarm of CloudWatch is told when it begins and when it ends, an event once.",
      "Put what has to repeat until somebody answers into the pager's own escalation.",
    ].join(" "),
    ...sections,
  ].join("\n\n")}\n`;
}

function section(alert: Described): string {
  return [
    `### ${alert.id}`,
    [alert.severity, ...(logged.has(alert.id) ? ["_log_"] : []), alert.rows.join(", "), `**${alert.title}**`].join(
      " · ",
    ),
    alert.watches,
    `Why: ${alert.why}`,
    alert.steps.map((step, index) => `${index + 1}. ${step}`).join("\n"),
    ...(alert.runbook ? [`[Runbook](${alert.runbook.replace(/^docs\//, "")})`] : []),
  ].join("\n\n");
}
