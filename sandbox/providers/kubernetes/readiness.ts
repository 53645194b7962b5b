/** When objects of the built-in kinds count as ready. */
import type { Props } from "../../lib/types";
import { isRecord } from "../values";
import type { KubeObject } from "./types";

/** What one look at a live object says. */
export type Readiness = { state: "ready" } | { state: "waiting"; reason: string } | { state: "failed"; reason: string };

/** A look at a live object. */
export type Check = (object: KubeObject) => Readiness;

export const READY: Readiness = { state: "ready" };
export const waiting = (reason: string): Readiness => ({ state: "waiting", reason });
const failed = (reason: string): Readiness => ({ state: "failed", reason });

/** A status condition. */
export interface Condition extends Props {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  observedGeneration?: number;
}

/** The conditions of a live object's status. */
export function conditions(object: KubeObject): Condition[] {
  const list = object.status?.conditions;
  return Array.isArray(list) ? (list.filter((entry) => isRecord(entry)) as Condition[]) : [];
}

/** The status condition of a type that is about the object's present generation. */
export function condition(object: KubeObject, type: string): Condition | undefined {
  const found = conditions(object).find((entry) => entry.type.toLowerCase() === type.toLowerCase());
  const generation = object.metadata.generation ?? 0;
  return found?.observedGeneration && found.observedGeneration < generation ? undefined : found;
}

/** The check for a built-in kind; undefined: such objects are ready as soon as they exist. */
export function readinessCheck(object: KubeObject): Check | undefined {
  return CHECKS[`${object.apiVersion.replace(/\/.*$/, "").replace(/^v\d.*$/, "")}/${object.kind}`];
}

const CHECKS: Record<string, Check> = {
  "batch/Job": (job) => {
    if (condition(job, "Complete")?.status === "True") return READY;
    const failure = condition(job, "Failed");
    if (failure?.status === "True") return failed(`the Job failed: ${explain(failure)}`);
    return waiting(
      `the Job is not complete: ${count(job.status?.active)} active, ${count(job.status?.failed)} failed pods`,
    );
  },
  "apps/Deployment": (deployment) => {
    const progressing = condition(deployment, "Progressing");
    if (progressing?.reason === "ProgressDeadlineExceeded") return failed(explain(progressing));
    return rolledOut(deployment, "availableReplicas");
  },
  "apps/StatefulSet": (set) => {
    const strategy = isRecord(set.spec?.updateStrategy) ? set.spec.updateStrategy.type : undefined;
    return strategy === "OnDelete" ? observed(set) : rolledOut(set, "readyReplicas");
  },
  "apps/DaemonSet": (set) => {
    const seen = observed(set);
    if (seen.state !== "ready") return seen;
    const desired = count(set.status?.desiredNumberScheduled);
    const available = count(set.status?.numberAvailable);
    return available >= desired ? READY : waiting(`${available} of ${desired} pods are available`);
  },
  "/Pod": (pod) => {
    if (pod.status?.phase === "Succeeded" || condition(pod, "Ready")?.status === "True") return READY;
    if (pod.status?.phase === "Failed") return failed(`the Pod failed: ${pod.status.message ?? pod.status.reason}`);
    return waiting(`the Pod is ${String(pod.status?.phase ?? "not seen by the scheduler yet")}`);
  },
  "/PersistentVolumeClaim": (claim) => {
    if (claim.status?.phase === "Lost") return failed("the volume of the claim is lost");
    return claim.status?.phase === "Bound" ? READY : waiting("the claim is not bound to a volume");
  },
  "/Service": (service) => {
    if (service.spec?.type !== "LoadBalancer") return READY;
    const balancer = service.status?.loadBalancer;
    return isRecord(balancer) && Array.isArray(balancer.ingress) && balancer.ingress.length > 0
      ? READY
      : waiting("the Service has no address from a load balancer");
  },
  "/Secret": (secret) => {
    if (secret.type !== "kubernetes.io/service-account-token") return READY;
    return isRecord(secret.data) && secret.data.token ? READY : waiting("the account's token is not there yet");
  },
  "/Namespace": (namespace) =>
    namespace.status?.phase === "Active" ? READY : waiting(`the Namespace is ${String(namespace.status?.phase)}`),
  "apiextensions.k8s.io/CustomResourceDefinition": (definition) => {
    const names = condition(definition, "NamesAccepted");
    if (names?.status === "False") return failed(`the CustomResourceDefinition's names clash: ${explain(names)}`);
    return condition(definition, "Established")?.status === "True" ? READY : waiting("the kind is not served yet");
  },
};

function observed(object: KubeObject): Readiness {
  return count(object.status?.observedGeneration) >= (object.metadata.generation ?? 0)
    ? READY
    : waiting("the controller has not seen the change yet");
}

function rolledOut(object: KubeObject, counter: "availableReplicas" | "readyReplicas"): Readiness {
  const seen = observed(object);
  if (seen.state !== "ready") return seen;
  const wanted = object.spec?.replicas === undefined ? 1 : count(object.spec.replicas);
  const [updated, good] = [count(object.status?.updatedReplicas), count(object.status?.[counter])];
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods are of the new version`);
  if (good < wanted) return waiting(`${good} of ${wanted} pods are ready`);
  return count(object.status?.replicas) > wanted ? waiting("pods of the old version are still there") : READY;
}

function explain({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(": ") || "no reason given";
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
