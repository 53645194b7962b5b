import { kubeconfigSecret, namespaces, secrets } from "../../plan/names";
import { containers, type KubernetesObject, kubernetesObjects, nameOf, ofKinds } from "../lib/kubernetes";
import type { ResourceRule } from "../lib/rule";
import { workloads } from "../lib/types";
import { at, object, objects, shown, texts, type Values } from "../lib/values";

const SUSPICIOUS = /(password|passwd|passphrase|secret|token|api_?key|private_?key|credential)s?$/i;

/** Secret of a control cluster with the kubeconfig of a region, see ADR 8. */
const KUBECONFIG = new RegExp(`^${kubeconfigSecret("[a-z0-9]+")}$`);

/**
 * Secrets come from 1Password inside the cluster. The only one handed over is the token that opens it; the ones that a
 * stack makes are the control plane's tokens, which Kubernetes fills in, and the kubeconfigs with them.
 */
export const noPlainSecrets: ResourceRule = {
  name: "no-plain-secrets",
  description:
    "No Secret but the 1Password token and the control plane's access is declared, and no secret value in a ConfigMap, environment, argument or chart value",
  plan: ["S5"],
  types: ofKinds("Secret", "ConfigMap", "Release", "Chart", ...workloads),
  check: (resource) => kubernetesObjects(resource).flatMap(problems),
};

function problems(each: KubernetesObject): string[] {
  const { kind, body } = each;
  if (kind === "Secret")
    return excepted(body)
      ? []
      : [`Secret ${shown(at(body, "metadata", "name"))} is declared; fetch it with a OnePasswordItem instead`];
  if (kind === "ConfigMap")
    return Object.keys({ ...object(body.data), ...object(body.binaryData), ...object(body.stringData) })
      .filter((key) => SUSPICIOUS.test(key))
      .map((key) => `ConfigMap ${nameOf(each)}: key ${key} looks like a secret; fetch it with a OnePasswordItem`);
  if (kind === "Release" || kind === "Chart")
    return valuesWithSecrets(body.values).map(
      (path) => `chart value ${path} looks like a secret; name a Secret that a OnePasswordItem fills`,
    );
  return containers(each).flatMap(containerProblems);
}

function containerProblems(container: Values): string[] {
  const set = (value: unknown) => typeof value === "string" && value !== "";
  return [
    ...objects(container.env)
      .filter(({ name, value }) => SUSPICIOUS.test(String(name)) && set(value) && !isFile(name, value))
      .map(({ name }) => `container ${shown(container.name)} has a value in ${name}; use secretKeyRef`),
    ...[...texts(container.command), ...texts(container.args)]
      .flatMap((argument) => /^--?([\w-]+)=./.exec(argument)?.[1] ?? [])
      .filter((flag) => SUSPICIOUS.test(flag.replaceAll("-", "_")))
      .map((flag) => `container ${shown(container.name)} has a value in argument ${flag}; read it from a file`),
  ];
}

/** Google's clients are told where a file is, whose content is looked at where it is declared. */
const isFile = (name: unknown, value: unknown) =>
  name === "GOOGLE_APPLICATION_CREDENTIALS" && String(value).startsWith("/");

/** Paths of texts whose key says that they are secret. */
function valuesWithSecrets(values: unknown, path: string[] = []): string[] {
  if (typeof values === "string") return values !== "" && SUSPICIOUS.test(path.at(-1) ?? "") ? [path.join(".")] : [];
  if (values === null || typeof values !== "object") return [];
  return Object.entries(values).flatMap(([key, inner]) => valuesWithSecrets(inner, [...path, key]));
}

/** Is the Secret one of those that stacks may declare? */
function excepted(body: Values): boolean {
  const { name, namespace } = object(body.metadata);
  if (namespace === namespaces.onepassword) return name === secrets.onePasswordToken;
  if (namespace !== namespaces.cassandra) return false;
  if (KUBECONFIG.test(String(name))) return true;
  const filledIn = body.type === "kubernetes.io/service-account-token" && !body.data && !body.stringData;
  return filledIn && name === secrets.controlPlaneToken;
}
