import { isDrillProject } from "../../plan/names";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";

/** What holds data is protected from `pulumi destroy` and from replacement, except in a drill's projects. */
export const dataProtected: ResourceRule = {
  name: "data-protected",
  description: "Buckets of the plan and clusters are protected outside drills",
  types: [types.bucket, types.cluster],
  check: (resource) => {
    const holdsData = resource.type === types.cluster || storeOf(resource) !== undefined;
    if (!holdsData || isDrillProject(String(resource.props.project))) return [];
    const problems = resource.protect ? [] : ["protect is not set; set the stack's deletionProtection to true"];
    if (resource.type === types.cluster && resource.props.deletionProtection !== true)
      problems.push("deletionProtection is off; set the stack's deletionProtection to true");
    return problems;
  },
};
