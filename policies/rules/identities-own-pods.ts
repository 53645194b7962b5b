import { identityOfAccount } from "../../plan/identities";
import { lasting } from "../lib/iam";
import type { ResourceRule } from "../lib/rule";
import { at, shown, texts } from "../lib/values";

const BINDING = "gcp:serviceaccount/iAMBinding:IAMBinding";
const USER = "roles/iam.workloadIdentityUser";

/**
 * Who may act as an identity has all that the identity has. Only the pods of its row may, by a binding that nothing can be
 * added to, and only those of its own project unless it is granted; a granted identity's ends with the grant.
 */
export const identitiesOwnPods: ResourceRule = {
  name: "identities-own-pods",
  description: "Only the Kubernetes accounts of its row may act as an identity",
  plan: ["S2", "D5"],
  types: [BINDING, "gcp:serviceaccount/iAMMember:IAMMember", "gcp:serviceaccount/iAMPolicy:IAMPolicy"],
  check: ({ type, name, props }) => {
    if (type !== BINDING)
      return [`${type} ${name} adds to who may act as an identity; use components/workload-identity.ts`];
    if (props.role !== USER) return [`role is ${shown(props.role)}; set "${USER}": nobody else acts as an identity`];
    const [, account = "", project = ""] =
      /\/serviceAccounts\/([^@]+)@([^.]+)\./.exec(String(props.serviceAccountId)) ?? [];
    const row = identityOfAccount(account);
    if (!row)
      return [`account ${shown(props.serviceAccountId)} is no identity of the plan; add a row to plan/identities.ts`];
    const pools = row.granted ? "" : `serviceAccount:${project}`;
    const own = row.kubernetes.map((user) => `${pools}.svc.id.goog[${user.namespace}/${user.name}]`);
    const problems = texts(props.members)
      .filter((member) => !own.some((pods) => member.endsWith(pods) && member.startsWith("serviceAccount:")))
      .map((member) => `${member} may act as ${account}; allowed: ${own.join(", ") || "nobody"}`);
    const why = row.granted && lasting(at(props, "condition", "expression"));
    return why ? [...problems, `${account} ${why}`] : problems;
  },
};
