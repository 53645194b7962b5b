import type { ResourceRule } from "../lib/rule";

const KEYS =
  /^(gcp:(serviceaccount\/key|storage\/hmacKey|projects\/apiKey)|aws:iam\/(accessKey|serviceSpecificCredential|userLoginProfile)):/;

/** Nobody can lose a key that does not exist. */
export const noExportedKeys: ResourceRule = {
  name: "no-exported-keys",
  description: "No service account or access key is ever made",
  plan: ["S5", "D5"],
  types: (type) => KEYS.test(type),
  check: ({ type }) => [`${type} exports a long-lived key; use Workload Identity (components/workload-identity.ts)`],
};
