import type { StackRule } from "../lib/rule";
import { bucketsByName, storeOf } from "../lib/stores";
import { types } from "../lib/types";

/** Resources that add to a bucket's access beside its policy. */
const additive = [
  "gcp:storage/bucketIAMMember:BucketIAMMember",
  "gcp:storage/bucketIAMBinding:BucketIAMBinding",
  "gcp:storage/bucketAccessControl:BucketAccessControl",
  "gcp:storage/bucketACL:BucketACL",
  "gcp:storage/defaultObjectACL:DefaultObjectACL",
  "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
];

/** S2: a bucket's policy is written whole, so that no default binding (projectOwner, Editor, Viewer) stays in it. */
export const bucketIamAuthoritative: StackRule = {
  name: "bucket-iam-authoritative",
  description: "Each bucket of the plan has exactly one authoritative policy and nothing beside it",
  checkStack: (resources) => {
    const problems = resources
      .filter(({ type }) => additive.includes(type))
      .map(({ type, name }) => `${type} ${name} adds to a bucket's access; use the store's own policy`);
    for (const [name, bucket] of bucketsByName(resources)) {
      if (!storeOf(bucket)) {
        problems.push(`bucket ${name} has no label that says which store it is; declare it as a StoreBucket`);
        continue;
      }
      const policies = resources.filter(({ type, props }) => type === types.bucketPolicy && props.bucket === name);
      if (policies.length !== 1)
        problems.push(`bucket ${name} has ${policies.length} authoritative policies; declare exactly one`);
    }
    return problems;
  },
};
