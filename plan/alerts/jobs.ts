/** Filters of the logs of jobs and of Kubernetes' own words about them. */
import { events } from "../events";
import { any, every, quoted } from "./types";

/**
 * Jobs of a namespace that failed: by their own last line, and by what Kubernetes says when it gives one up, which also
 * holds for a pod that never said a word (no image, no memory, out of time).
 */
export function failedJobs(namespaces: readonly string[], names: string): string {
  return any(
    every(
      'resource.type="k8s_container"',
      `resource.labels.namespace_name=(${quoted(namespaces)})`,
      `resource.labels.pod_name=~"${names}"`,
      `jsonPayload.event="${events.jobFailed}"`,
    ),
    every(
      'log_id("events")',
      'jsonPayload.involvedObject.kind="Job"',
      `jsonPayload.involvedObject.namespace=(${quoted(namespaces)})`,
      `jsonPayload.involvedObject.name=~"${names}"`,
      'jsonPayload.reason=("BackoffLimitExceeded" OR "DeadlineExceeded" OR "FailedCreate")',
    ),
  );
}

/** Lines of jobs of a namespace that carry this event. */
export function toldOf(namespace: string, event: string): string {
  return every(
    'resource.type="k8s_container"',
    `resource.labels.namespace_name="${namespace}"`,
    `jsonPayload.event="${event}"`,
  );
}
