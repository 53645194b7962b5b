import { kubeconfigSecret, namespaces, secrets } from "../../plan/names";
import type { ResourceRule } from "../lib/rule";
import { types, workloads } from "../lib/types";
import { object, objects, shown, type Values } from "../lib/values";

const SUSPICIOUS = /(password|passwd|secret|token|api_?key|private_?key|credential)s?$/i;

/** Secret of a control cluster with the kubeconfig of a region, see ADR 8. */
const KUBECONFIG = new RegExp(`^${kubeconfigSecret("[a-z0-9]+")}$`);

/**
 * S5: secrets come from 1Password inside the cluster. The only one handed over is the token that opens it; the ones that a
 * stack makes are the control plane's tokens, which Kubernetes fills in, and the kubeconfigs with them.
 */
export const noPlainSecrets: ResourceRule = {
  name: "no-plain-secrets",
  description:
    "No Secret but the 1Password token and the control plane's access is declared, and no secret value in a ConfigMap or environment",
  types: [types.secret, types.configMap, ...workloads],
  check: ({ type, props }) => {
    if (type === types.secret) {
      return excepted(props)
        ? []
        : [`Secret ${shown(object(props.metadata).name)} is declared; fetch it with a OnePasswordItem instead`];
    }
    if (type === types.configMap) {
      return Object.keys({ ...object(props.data), ...object(props.stringData) })
        .filter((key) => SUSPICIOUS.test(key))
        .map((key) => `ConfigMap key ${key} looks like a secret; fetch it with a OnePasswordItem`);
    }
    return containers(props).flatMap((container) =>
      objects(container.env)
        .filter(({ name, value }) => SUSPICIOUS.test(String(name)) && typeof value === "string" && value !== "")
        .map(({ name }) => `container ${shown(container.name)} has a value in ${name}; use secretKeyRef`),
    );
  },
};

/** Is the Secret one of those that stacks may declare? */
function excepted(props: Values): boolean {
  const { name, namespace } = object(props.metadata);
  if (namespace === namespaces.onepassword) return name === secrets.onePasswordToken;
  if (namespace !== namespaces.cassandra) return false;
  if (KUBECONFIG.test(String(name))) return true;
  const filledIn = props.type === "kubernetes.io/service-account-token" && !props.data && !props.stringData;
  return filledIn && name === secrets.controlPlaneToken;
}

/** Every container of a workload's pod template. */
export function containers(props: Values): Values[] {
  const spec = object(props.spec);
  const template = object(spec.template ?? object(object(spec.jobTemplate).spec).template);
  const pod = object(template.spec);
  return [...objects(pod.initContainers), ...objects(pod.containers)];
}
