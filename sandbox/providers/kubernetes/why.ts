/** What the pods of an object say about why it is not ready. */
import type { Props } from "../../lib/types";
import { isRecord } from "../values";
import type { Rest } from "./rest";
import type { KubeObject } from "./types";

const POD = { group: "", version: "v1", kind: "Pod" };
const LIMIT = 10;

/** Messages of the pods that an object manages: scheduling, image and exit reports. Never throws. */
export async function podReports(rest: Rest, object: KubeObject): Promise<string[]> {
  try {
    return [...new Set((await podsOf(rest, object)).flatMap(reports))].slice(0, LIMIT);
  } catch {
    return []; // the object's own failure is what matters
  }
}

async function podsOf(rest: Rest, object: KubeObject): Promise<KubeObject[]> {
  const namespace = object.metadata.namespace ?? "default";
  if (object.kind === "Pod") return [object];
  const selector = isRecord(object.spec?.selector) ? object.spec.selector.matchLabels : undefined;
  if (!isRecord(selector) || object.spec?.template === undefined) return [];
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  return rest.list(POD, namespace, labels.join(","));
}

function reports(pod: KubeObject): string[] {
  const name = pod.metadata.name;
  const conditions = records(pod.status?.conditions)
    .filter(({ type, status }) => type === "PodScheduled" && status === "False")
    .map(({ reason, message }) => `pod ${name} is not scheduled: ${reason}: ${message}`);
  const statuses = [...records(pod.status?.initContainerStatuses), ...records(pod.status?.containerStatuses)];
  return [...conditions, ...statuses.flatMap((status) => containerReports(name, status))];
}

function containerReports(pod: string | undefined, status: Props): string[] {
  const waiting = isRecord(status.state) ? status.state.waiting : undefined;
  const stopped = [status.state, status.lastState].map((state) => (isRecord(state) ? state.terminated : undefined));
  const where = `container ${status.name} of pod ${pod}`;
  return [
    ...stopped
      .filter((end) => isRecord(end))
      .filter(({ exitCode }) => exitCode !== 0)
      .map(
        ({ exitCode, reason, message }) =>
          `${where} ended with exit code ${exitCode} (${reason})${message ? `: ${String(message).trim()}` : ""}`,
      ),
    ...(isRecord(waiting) && waiting.reason !== "ContainerCreating" && waiting.reason !== "PodInitializing"
      ? [`${where} waits: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ""}`]
      : []),
  ];
}

function records(value: unknown): Props[] {
  return Array.isArray(value) ? value.filter((entry) => isRecord(entry)) : [];
}
