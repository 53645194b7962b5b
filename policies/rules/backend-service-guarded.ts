import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** A region that fails is noticed and left out, and an attack is stopped at Google's edge. */
export const backendServiceGuarded: ResourceRule = {
  name: "backend-service-guarded",
  description: "Backend services have a health check, outlier detection and a security policy",
  plan: ["D1"],
  types: [types.backendService],
  check: ({ props }) => {
    const problems: string[] = [];
    if (props.loadBalancingScheme !== "EXTERNAL_MANAGED")
      problems.push(`loadBalancingScheme is ${shown(props.loadBalancingScheme)}; set "EXTERNAL_MANAGED"`);
    // The values of links are not known before their targets exist; that they are given is.
    if (!("healthChecks" in props) || isEmpty(props, "healthChecks"))
      problems.push("healthChecks is not set: no region would ever be left out; set one");
    if (Object.keys(object(props.outlierDetection)).length === 0)
      problems.push("outlierDetection is not set: endpoints that answer with errors would stay; set it");
    if (!("securityPolicy" in props)) problems.push("securityPolicy is not set; set the Cloud Armor policy's id");
    return problems;
  },
};

function isEmpty(props: Record<string, unknown>, key: string): boolean {
  const value = Object.getOwnPropertyDescriptor(props, key)?.value;
  return Array.isArray(value) ? value.length === 0 : !value;
}
