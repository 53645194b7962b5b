import { ofDrill } from "../lib/aws";
import { judge } from "../lib/judge";
import { isPassing } from "../lib/passing";
import type { StackRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";

const holders: readonly string[] = [
  types.bucket,
  types.cluster,
  types.repository,
  types.address,
  types.cassandra,
  types.elasticsearch,
];

/**
 * What holds data or keeps a name is protected from `pulumi destroy` and from replacement, except in a drill's projects. Google's
 * own protection of a cluster ends when its region is retired; Pulumi's stays until somebody lifts it by name.
 */
export const dataProtected: StackRule = {
  name: "data-protected",
  description: "Stores, clusters, the registry and the address are protected outside drills",
  plan: ["S1", "S2", "S3", "S6", "D1", "D3"],
  checkStack: (resources) =>
    judge(
      resources.filter(({ type }) => holders.includes(type)),
      (resource) => {
        const holdsData = resource.type !== types.bucket || storeOf(resource) !== undefined;
        if (!holdsData || ofDrill(resource, resources)) return [];
        const problems = resource.protect ? [] : ["protect is not set; set the stack's deletionProtection to true"];
        const deletable = resource.type !== types.cluster || isPassing("retired", resource);
        if (!deletable && resource.props.deletionProtection !== true)
          problems.push("deletionProtection is off; set the stack's deletionProtection to true");
        return problems;
      },
    ),
};
