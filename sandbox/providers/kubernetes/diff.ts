/** What an update would change, and whether the object has to be replaced for it. */
import type { Props } from "../../lib/types";
import type { DiffKind, DiffResult } from "../provider";
import { type Change, changesOf, pathText, touches } from "./changes";
import { AUTONAMED } from "./check";
import { condition } from "./readiness";
import { annotated, annotation, asObject, gvkOf, type KubeObject } from "./types";

/** Kinds whose data the provider treats as immutable unless its settings say otherwise. */
export interface DiffOptions {
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
}

/** Compares the inputs of the last update with the new ones. */
export function diffObjects(oldInputs: Props, news: Props, oldOutputs: Props, options: DiffOptions): DiffResult {
  const [before, after] = [asObject(oldInputs), asObject(news)];
  const changes = changesOf(before, after);
  const patterns = replacePatterns(before, after, options);
  const replacing = changes.filter((change) => patterns.some((pattern) => touches(change, pattern)));
  const replaces = replacing.map(({ path }) => pathText(path));
  const rerun = mustRerun(after, oldOutputs);
  if (rerun) replaces.push("status");
  return {
    changes: changes.length > 0 || rerun,
    replaces,
    diffs: [...new Set([...changes.map(({ path }) => String(path[0])), ...(rerun ? ["status"] : [])])],
    deleteBeforeReplace: replaces.length > 0 && samePlace(before, after),
    detailed: {
      ...Object.fromEntries(changes.map((change) => [pathText(change.path), detail(change, replacing)])),
      ...(rerun ? { status: "update-replace" as const } : {}),
    },
  };
}

function detail(change: Change, replacing: Change[]): DiffKind {
  return replacing.includes(change) ? `${change.kind}-replace` : change.kind;
}

/** A name that the program chose can be taken only once. */
function samePlace(before: KubeObject, after: KubeObject): boolean {
  if (annotation(after, AUTONAMED) === "true") return false;
  return before.metadata.name === after.metadata.name && before.metadata.namespace === after.metadata.namespace;
}

/** A Job cannot be started again: a failed one is replaced when its annotation asks for that. */
function mustRerun(after: KubeObject, oldOutputs: Props): boolean {
  if (!annotated(after, "pulumi.com/replaceUnready") || after.kind !== "Job" || !oldOutputs.status) return false;
  return condition(oldOutputs as KubeObject, "Failed")?.status === "True";
}

function replacePatterns(before: KubeObject, after: KubeObject, options: DiffOptions): string[] {
  const [from, to] = [gvkOf(before), gvkOf(after)];
  const always = ["kind", "metadata.name", "metadata.namespace"];
  if (from.group !== to.group) always.push("apiVersion");
  const key = `${to.group}/${to.kind}`;
  const mutable = key === "/ConfigMap" ? options.enableConfigMapMutable : options.enableSecretMutable;
  if ((key === "/ConfigMap" || key === "/Secret") && mutable && before.immutable !== true) {
    return key === "/Secret" ? [...always, "type"] : always;
  }
  return [...always, ...(IMMUTABLE[key] ?? [])];
}

const CONTAINER = [
  "args",
  "command",
  "env",
  "envFrom",
  "image",
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "name",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "startupProbe",
  "stdin",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "tty",
  "volumeDevices",
  "volumeMounts",
  "workingDir",
];
const POD = [
  "affinity",
  "automountServiceAccountToken",
  "dnsConfig",
  "dnsPolicy",
  "hostAliases",
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "hostname",
  "imagePullSecrets",
  "nodeName",
  "nodeSelector",
  "priorityClassName",
  "readinessGates",
  "restartPolicy",
  "runtimeClassName",
  "schedulerName",
  "securityContext",
  "serviceAccountName",
  "shareProcessNamespace",
  "subdomain",
  "terminationGracePeriodSeconds",
  "volumes",
];

/** Fields that cannot be changed in place, by group and kind. */
const IMMUTABLE: Record<string, string[]> = {
  "/ConfigMap": ["binaryData", "data", "immutable"],
  "/Secret": ["type", "stringData", "data", "immutable"],
  "/Service": ["spec.clusterIP", "spec.clusterIPs"],
  "/PersistentVolumeClaim": ["spec"],
  "/PersistentVolume": ["spec.csi", "spec.hostPath", "spec.local", "spec.nfs", "spec.gcePersistentDisk"],
  "/ResourceQuota": ["spec.scopes"],
  "/Pod": [
    ...POD.map((field) => `spec.${field}`),
    ...["containers", "initContainers"].flatMap((list) => CONTAINER.map((field) => `spec.${list}.*.${field}`)),
  ],
  "apps/Deployment": ["spec.selector"],
  "apps/DaemonSet": ["spec.selector"],
  "apps/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/Job": [
    "spec.completions",
    "spec.completionMode",
    "spec.parallelism",
    "spec.podFailurePolicy",
    "spec.selector",
    "spec.template",
  ],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};
