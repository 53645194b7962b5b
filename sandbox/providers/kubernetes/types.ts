/** Which Kubernetes kind a Pulumi type token means, and the parts of a Kubernetes object that the provider reads. */
import type { Props } from "../../lib/types";
import { isRecord } from "../values";

/** API group, version and kind. The core group is "". */
export interface Gvk {
  group: string;
  version: string;
  kind: string;
}

/** A Kubernetes object, as far as the provider looks into it. */
export interface KubeObject extends Props {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: Props;
  status?: Props;
}

/** The metadata the provider reads. */
export interface ObjectMeta extends Props {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
}

/** Token of a Helm release: installed by the provider itself, not an object of the API server. */
export const HELM_RELEASE = "kubernetes:helm.sh/v3:Release";

/**
 * Group, version and kind of a type token such as `kubernetes:batch/v1:CronJob`.
 *
 * @throws for tokens that are no single object (charts, `*Patch` and `*List` types)
 */
export function gvkOfToken(token: string): Gvk {
  const match = /^kubernetes:(?:([^/:]+)\/)?([^/:]+):([A-Za-z0-9]+)$/.exec(token);
  if (!match) throw new Error(`${token} is no Kubernetes type: expected kubernetes:GROUP/VERSION:Kind`);
  const [, group = "", version = "", kind = ""] = match;
  if (kind.endsWith("Patch") && kind !== "Patch") {
    throw new Error(`${token} is not supported by this provider: declare the whole ${kind.slice(0, -5)} instead`);
  }
  return { group: group === "core" ? "" : fullGroup(group), version, kind };
}

/** `apiVersion` as objects write it: `v1`, `batch/v1`. */
export function apiVersionOf(gvk: Gvk): string {
  return gvk.group ? `${gvk.group}/${gvk.version}` : gvk.version;
}

/** Group, version and kind of an object. */
export function gvkOf(object: { apiVersion: string; kind: string }): Gvk {
  const [first = "", second] = object.apiVersion.split("/");
  return second === undefined
    ? { group: "", version: first, kind: object.kind }
    : { group: first, version: second, kind: object.kind };
}

/** The object that checked inputs describe. */
export function asObject(inputs: Props): KubeObject {
  if (typeof inputs.apiVersion !== "string" || typeof inputs.kind !== "string") {
    throw new Error(`inputs have no apiVersion and kind: ${JSON.stringify(inputs).slice(0, 200)}`);
  }
  return { ...inputs, metadata: isRecord(inputs.metadata) ? inputs.metadata : {} } as KubeObject;
}

/** Value of an annotation, if set. */
export function annotation(object: { metadata?: ObjectMeta }, name: string): string | undefined {
  const value = object.metadata?.annotations?.[name];
  return value === undefined ? undefined : String(value);
}

/** True for an annotation that says "true". */
export function annotated(object: { metadata?: ObjectMeta }, name: string): boolean {
  return annotation(object, name)?.toLowerCase() === "true";
}

/** How messages name an object: `batch/v1 Job backups/copy`. */
export function describe(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.apiVersion} ${object.kind} ${namespace ? `${namespace}/` : ""}${name ?? "(no name yet)"}`;
}

/** Short groups that the SDK's tokens use. */
const SHORT_GROUPS: Record<string, string> = {
  admissionregistration: "admissionregistration.k8s.io",
  apiextensions: "apiextensions.k8s.io",
  apiregistration: "apiregistration.k8s.io",
  networking: "networking.k8s.io",
  rbac: "rbac.authorization.k8s.io",
  scheduling: "scheduling.k8s.io",
  storage: "storage.k8s.io",
};

function fullGroup(group: string): string {
  return SHORT_GROUPS[group] ?? group;
}
