import { namespaces } from "../../plan/names";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, objects, shown, texts, type Values } from "../lib/values";

const guarded: readonly string[] = [namespaces.cassandra, namespaces.elasticsearch, namespaces.dr];

/** Whoever got into another pod does not reach the stores and the jobs that have their keys. */
export const networkPolicies: StackRule = {
  name: "network-policies",
  description: "Namespaces with data or its jobs refuse what no network policy allows, and none allows everything",
  plan: ["S1", "S3", "D5"],
  checkStack: (resources) => {
    const policies = resources.filter(({ type }) => type === types.networkPolicy);
    return [
      ...judge(
        resources.filter(({ type }) => type === types.namespace),
        (namespace) => {
          const name = String(at(namespace.props, "metadata", "name"));
          if (!guarded.includes(name)) return [];
          const refused = policies.some((each) => each.cluster === namespace.cluster && refusesAll(each, name));
          return refused
            ? []
            : [`namespace ${name} (${namespace.name}) has no default-deny NetworkPolicy; refuse ingress and egress`];
        },
      ),
      ...judge(policies, ({ name, props }) => {
        if (!guarded.includes(String(at(props, "metadata", "namespace")))) return [];
        return objects(at(props, "spec", "ingress"))
          .filter(allowsEverything)
          .map((rule) => `NetworkPolicy ${name} lets everything in (${shown(rule)}); name who may and the ports`);
      }),
    ];
  },
};

/** Selects every pod, and allows none of both directions by itself. */
function refusesAll({ props }: Declared, namespace: string): boolean {
  const spec = object(props.spec);
  const selector = object(spec.podSelector);
  const empty = Object.values(selector).every((value) => Object.keys(object(value)).length === 0);
  const directions = texts(spec.policyTypes);
  return (
    at(props, "metadata", "namespace") === namespace &&
    empty &&
    directions.includes("Ingress") &&
    directions.includes("Egress") &&
    objects(spec.ingress).length === 0 &&
    objects(spec.egress).length === 0
  );
}

function allowsEverything(rule: Values): boolean {
  const anybody =
    objects(rule.from).length === 0 ||
    objects(rule.from).some(({ ipBlock }) => /^(0\.0\.0\.0|::)\/0$/.test(String(object(ipBlock).cidr)));
  return anybody && objects(rule.ports).length === 0;
}
