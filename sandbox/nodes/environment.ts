/** A container's environment and command as Kubernetes computes them. */
import type { V1Container, V1EnvVar, V1Pod } from "@kubernetes/client-node";
import type { ImageProgram } from "../lib/types";

/** Reads a ConfigMap or Secret; undefined when it does not exist. Values are text. */
export type ReadMap = (kind: "ConfigMap" | "Secret", name: string) => Promise<Record<string, string> | undefined>;

/** What keeps a container from being created, with the reason that Kubernetes reports. */
export class ContainerConfigError extends Error {
  readonly reason = "CreateContainerConfigError";
}

/** Replaces `$(NAME)` by the variable's value; `$$(NAME)` stays `$(NAME)`; an unknown name stays as written. */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (match, name?: string) =>
    match === "$$" ? "$" : (variables[name ?? ""] ?? match),
  );
}

/** Resolves `envFrom` and `env` in order; later ones win and may refer to earlier ones. */
export async function containerEnv(
  container: V1Container,
  pod: V1Pod,
  podIP: string,
  read: ReadMap,
  base: Record<string, string>,
): Promise<Record<string, string>> {
  const env = { ...base };
  for (const source of container.envFrom ?? []) {
    const ref = source.configMapRef ?? source.secretRef;
    if (!ref?.name) continue;
    const kind = source.configMapRef ? "ConfigMap" : "Secret";
    const values = await read(kind, ref.name);
    if (!values && !ref.optional) throw new ContainerConfigError(`${kind} "${ref.name}" not found`);
    for (const [key, value] of Object.entries(values ?? {})) env[`${source.prefix ?? ""}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = await variableValue(variable, container, pod, podIP, read, env);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

async function variableValue(
  variable: V1EnvVar,
  container: V1Container,
  pod: V1Pod,
  podIP: string,
  read: ReadMap,
  env: Record<string, string>,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? "", env);
  if (from.fieldRef) return podField(pod, from.fieldRef.fieldPath, podIP);
  if (from.resourceFieldRef) {
    const [kind, resource] = from.resourceFieldRef.resource.split(".") as ["limits" | "requests", string];
    return container.resources?.[kind]?.[resource] ?? "0";
  }
  const ref = from.secretKeyRef ?? from.configMapKeyRef;
  if (!ref?.name) return undefined;
  const kind = from.secretKeyRef ? "Secret" : "ConfigMap";
  const values = await read(kind, ref.name);
  const value = values?.[ref.key];
  if (value === undefined && !ref.optional) {
    throw new ContainerConfigError(
      values ? `couldn't find key ${ref.key} in ${kind} ${ref.name}` : `${kind} "${ref.name}" not found`,
    );
  }
  return value;
}

/** A field of the downward API. @throws when the path is none that Kubernetes offers. */
export function podField(pod: V1Pod, path: string, podIP: string): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return pod.metadata?.[keyed[1] as "labels" | "annotations"]?.[keyed[2]!] ?? "";
  const fields: Record<string, string | undefined> = {
    "metadata.name": pod.metadata?.name,
    "metadata.namespace": pod.metadata?.namespace,
    "metadata.uid": pod.metadata?.uid,
    "spec.nodeName": pod.spec?.nodeName,
    "spec.serviceAccountName": pod.spec?.serviceAccountName,
    "status.podIP": podIP,
    "status.podIPs": podIP,
    "status.hostIP": podIP,
    "metadata.labels": listing(pod.metadata?.labels),
    "metadata.annotations": listing(pod.metadata?.annotations),
  };
  if (!(path in fields))
    throw new ContainerConfigError(`field ${path} is not one of ${Object.keys(fields).join(", ")}`);
  return fields[path] ?? "";
}

const listing = (values: Record<string, string> = {}) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");

/** `command` replaces the image's entrypoint, `args` its default arguments; both are expanded. */
export function commandLine(container: V1Container, image: ImageProgram, env: Record<string, string>): string[] {
  const command = container.command?.length ? container.command : image.entrypoint;
  return [...command, ...(container.args ?? [])].map((word) => expand(word, env));
}
