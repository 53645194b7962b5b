import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";

/** Resources that add to a bucket's access beside its policy. */
const ADDITIVE =
  /^gcp:storage\/(bucketIAM(Member|Binding)|bucketAccessControl|bucketACL|defaultObjectACL|defaultObjectAccessControl|objectACL|objectAccessControl|managedFolderIam(Member|Binding|Policy)):/;

/** A bucket's policy is written whole, so that no default binding (projectOwner, Editor, Viewer) stays in it. */
export const bucketIamAuthoritative: StackRule = {
  name: "bucket-iam-authoritative",
  description: "Each bucket of the plan has exactly one authoritative policy and nothing beside it",
  plan: ["S2", "D5"],
  checkStack: (resources) => {
    const policies = resources.filter(({ type }) => type === types.bucketPolicy);
    return [
      ...resources
        .filter(({ type }) => ADDITIVE.test(type))
        .map(({ type, name }) => `${type} ${name} adds to a bucket's access; use the store's own policy`),
      ...judge(
        resources.filter(({ type }) => type === types.bucket),
        (bucket) => {
          const name = String(bucket.props.name);
          if (!storeOf(bucket))
            return [`bucket ${name} has no label that says which store it is; declare it as a StoreBucket`];
          const own = policies.filter(({ props }) => props.bucket === bucket.props.name);
          return own.length === 1
            ? []
            : [`bucket ${name} has ${own.length} authoritative policies; declare exactly one`];
        },
      ),
    ];
  },
};
