import { identityOfAccount } from "../../plan/identities";
import type { ResourceRule } from "../lib/rule";
import { object, shown, texts } from "../lib/values";

const BINDING = "gcp:serviceaccount/iAMBinding:IAMBinding";
const USER = "roles/iam.workloadIdentityUser";

/**
 * S2, D5: who may act as an identity has all that the identity has. Only the pods of its row may, by a binding that
 * nothing can be added to; a granted identity's ends with the grant.
 */
export const identitiesOwnPods: ResourceRule = {
  name: "identities-own-pods",
  description: "Only the Kubernetes accounts of its row may act as an identity",
  types: [BINDING, "gcp:serviceaccount/iAMMember:IAMMember", "gcp:serviceaccount/iAMPolicy:IAMPolicy"],
  check: ({ type, name, props }) => {
    if (type !== BINDING)
      return [`${type} ${name} adds to who may act as an identity; use components/workload-identity.ts`];
    if (props.role !== USER) return [`role is ${shown(props.role)}; set "${USER}": nobody else acts as an identity`];
    const account = /\/serviceAccounts\/([^@]+)@/.exec(String(props.serviceAccountId))?.[1] ?? "";
    const row = identityOfAccount(account);
    if (!row)
      return [`account ${shown(props.serviceAccountId)} is no identity of the plan; add a row to plan/identities.ts`];
    const own = row.kubernetes.map((user) => `[${user.namespace}/${user.name}]`);
    const problems = texts(props.members)
      .filter((member) => !own.some((pods) => member.endsWith(`.svc.id.goog${pods}`)))
      .map((member) => `${member} may act as ${account}; allowed: ${own.join(", ") || "nobody"}`);
    if (row.granted && !/request\.time < timestamp\(/.test(String(object(props.condition).expression)))
      problems.push(`${account} is granted for ever; set a condition that ends with the grant`);
    return problems;
  },
};
