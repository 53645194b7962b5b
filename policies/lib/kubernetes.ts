/** Kubernetes objects, whichever way they are declared: by themselves, as a patch, or in a list. */
import type { Declared } from "./rule";
import { at, object, objects, type Values } from "./values";

/** An object with its kind. */
export interface KubernetesObject {
  kind: string;
  body: Values;
}

/** Type tokens of these kinds in any API group and version, their patches and their lists. */
export function ofKinds(...kinds: readonly string[]): (type: string) => boolean {
  return (type) => {
    const kind = kindOf(type);
    return kind !== undefined && (kind === "List" || kinds.includes(kind.replace(/(List|Patch)$/, "")));
  };
}

/** `kubernetes:apps/v1:Deployment` is a Deployment; undefined for what is not Kubernetes'. */
function kindOf(type: string): string | undefined {
  return /^kubernetes:.*:([^:]+)$/.exec(type)?.[1];
}

/** The objects that a resource declares: its items when it is a list. */
export function kubernetesObjects({ type, props }: Declared): KubernetesObject[] {
  const kind = kindOf(type) ?? "";
  if (!kind.endsWith("List")) return [{ kind: kind.replace(/Patch$/, ""), body: props }];
  return objects(props.items).map((body) => ({ kind: String(body.kind ?? kind.slice(0, -"List".length)), body }));
}

/** Every container of a workload, those that run first or for a while among them. */
export function containers({ kind, body }: KubernetesObject): Values[] {
  const pod = object(
    kind === "Pod"
      ? body.spec
      : (at(body, "spec", "template", "spec") ??
          at(body, "spec", "jobTemplate", "spec", "template", "spec") ??
          at(body, "template", "spec")),
  );
  return [...objects(pod.initContainers), ...objects(pod.containers), ...objects(pod.ephemeralContainers)];
}

/** A `metadata` field's name, or `?`. */
export function nameOf({ body }: KubernetesObject): string {
  return String(at(body, "metadata", "name") ?? "?");
}

/** The region of a cluster written as `projects/P/locations/L/clusters/N`. */
export function regionOf(cluster: string | undefined): string | undefined {
  return /\/locations\/([^/]+)\//.exec(cluster ?? "")?.[1];
}

/** The project of a resource, its cluster's for what is in one; undefined where nothing says it. */
export function projectOf({ props, cluster, type }: Declared): string | undefined {
  if (type.startsWith("kubernetes:")) return /^projects\/([^/]+)\//.exec(cluster ?? "")?.[1];
  if (props.project !== undefined) return String(props.project);
  return /^projects\/([^/]+)\//.exec(String(props.keyRing ?? ""))?.[1];
}
