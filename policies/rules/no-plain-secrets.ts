import { namespaces, secrets } from "../../plan/names";
import type { ResourceRule } from "../lib/rule";
import { types, workloads } from "../lib/types";
import { object, objects, shown, type Values } from "../lib/values";

const SUSPICIOUS = /(password|passwd|secret|token|api_?key|private_?key|credential)s?$/i;

/** S5: secrets come from 1Password inside the cluster; the only one handed over is the token that opens it. */
export const noPlainSecrets: ResourceRule = {
  name: "no-plain-secrets",
  description: "No Secret but the 1Password token is declared, and no secret value in a ConfigMap or environment",
  types: [types.secret, types.configMap, ...workloads],
  check: ({ type, props }) => {
    if (type === types.secret) {
      const { name, namespace } = object(props.metadata);
      const bootstrap = name === secrets.onePasswordToken && namespace === namespaces.onepassword;
      return bootstrap ? [] : [`Secret ${shown(name)} is declared; fetch it with a OnePasswordItem instead`];
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

/** Every container of a workload's pod template. */
export function containers(props: Values): Values[] {
  const spec = object(props.spec);
  const template = object(spec.template ?? object(object(spec.jobTemplate).spec).template);
  const pod = object(template.spec);
  return [...objects(pod.initContainers), ...objects(pod.containers)];
}
