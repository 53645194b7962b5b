/** Does an alert of the plan listen to what a fault made visible? */
import { type Alert, type Condition, foundationAlerts, siteAlerts, vaultAlerts } from "../plan/alerts";
import type { Signal } from "./fault";

type Judged = Pick<Alert, "id" | "owner"> & { condition: Condition };

/** Every alert with its condition, over names that stand for any stack's. */
const judged: readonly Judged[] = [
  ...vaultAlerts.map((alert) => ({
    ...alert,
    condition: alert.condition({
      copiesBucket: "copies",
      repositories: [{ site: "prod", repository: "cassandra-emea" }],
    }),
  })),
  ...siteAlerts.map((alert) => ({
    ...alert,
    condition: alert.condition({ clusters: ["cluster"], regions: 2, canaries: 2, backupBucket: "backups" }),
  })),
  ...foundationAlerts.map((alert) => ({
    ...alert,
    condition: alert.condition({ mediaBuckets: ["media"], host: "app.example" }),
  })),
];

/**
 * Why the alert would not be raised by the signal, or undefined when it listens to it: its condition names the event (and
 * the job's pod), the metric, or the permission. Thresholds in PromQL are not computed here.
 */
export function deaf(id: string, signal: Signal): string | undefined {
  const alert = judged.find((each) => each.id === id);
  if (!alert) return `there is no alert "${id}" in plan/alerts`;
  const text = alert.condition.kind === "promql" ? alert.condition.query : alert.condition.filter;
  switch (signal.kind) {
    case "log":
      return deafToLine(id, text, signal);
    case "metric":
      return text.includes(signal.name) ? undefined : `alert ${id} does not look at ${signal.name}: ${text}`;
    case "text": {
      const words = [...(/SEARCH\("([^"]*)"\)/.exec(text)?.[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, word]) => word!);
      const patterns = [...text.matchAll(/textPayload=~"([^"]+)"/g)].map(([, each]) => each!.replaceAll("\\\\", "\\"));
      const heard =
        text.includes(`namespace_name="${signal.namespace}"`) &&
        (words.some((word) => signal.text.includes(word)) ||
          patterns.some((pattern) => new RegExp(pattern).test(signal.text)));
      return heard ? undefined : `alert ${id} does not listen to "${signal.text.slice(0, 200)}": ${text}`;
    }
    case "health-check":
      return text.includes('log_id("compute.googleapis.com/healthchecks")') &&
        text.includes(`healthState="${signal.state}"`)
        ? undefined
        : `alert ${id} does not listen to health checks: ${text}`;
    case "audit":
      return text.includes(signal.permission) || /protoPayload/.test(text)
        ? undefined
        : `alert ${id} does not listen to refusals of ${signal.permission}: ${text}`;
  }
}

/** Seconds after which the alert would be raised, when the fault was over by then; undefined: it is raised, as far as is known. */
export function firesAfter(id: string, signal: Signal): number | undefined {
  const condition = judged.find((alert) => alert.id === id)?.condition;
  if (!condition || condition.kind === "log" || signal.kind !== "metric" || signal.seconds === undefined)
    return undefined;
  return signal.seconds < condition.seconds ? condition.seconds : undefined;
}

function deafToLine(id: string, text: string, { command, line }: Signal & { kind: "log" }): string | undefined {
  const event = line.event;
  if (typeof event !== "string") return `the line of ${command} carries no event for alert ${id}`;
  if (!text.includes(`"${event}"`)) return `alert ${id} does not listen to event ${event}: ${text}`;
  const pods = [...text.matchAll(/pod_name=~"([^"]+)"/g)].map(([, pattern]) => new RegExp(pattern!));
  if (pods.length === 0 || pods.some((pattern) => pattern.test(`${command}-1-abcde`))) return undefined;
  return `alert ${id} does not listen to pods of ${command}: ${text}`;
}
