import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { shown } from "../lib/values";

/** S2, S6: access is IAM alone; object ACLs would be grants that nobody reviews. */
export const bucketUniformAccess: ResourceRule = {
  name: "bucket-uniform-access",
  description: "Buckets have uniform bucket-level access",
  plan: ["S2", "S6", "D5"],
  types: [types.bucket],
  check: ({ props }) =>
    props.uniformBucketLevelAccess === true
      ? []
      : [`uniformBucketLevelAccess is ${shown(props.uniformBucketLevelAccess)}; set true`],
};
