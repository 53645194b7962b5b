import type { ResourceRule } from "../lib/rule";

const keys = ["gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey", "aws:iam/accessKey:AccessKey"] as const;

/** S5: nobody can lose a key that does not exist. */
export const noExportedKeys: ResourceRule = {
  name: "no-exported-keys",
  description: "No service account or access key is ever made",
  types: keys,
  check: ({ type }) => [`${type} exports a long-lived key; use Workload Identity (components/workload-identity.ts)`],
};
