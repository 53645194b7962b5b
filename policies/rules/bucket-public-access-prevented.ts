import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { shown } from "../lib/values";

/** S6: no binding can ever make a bucket public. */
export const bucketPublicAccessPrevented: ResourceRule = {
  name: "bucket-public-access-prevented",
  description: "Buckets prevent public access",
  plan: ["S2", "S6", "D5"],
  types: [types.bucket],
  check: ({ props }) =>
    props.publicAccessPrevention === "enforced"
      ? []
      : [`publicAccessPrevention is ${shown(props.publicAccessPrevention)}; set "enforced"`],
};
