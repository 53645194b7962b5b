import { identityOfAccount } from "../../plan/identities";
import { federated } from "../../plan/state";
import { isCrowd, lasting } from "../lib/iam";
import type { ResourceRule } from "../lib/rule";
import { at, shown, texts, type Values } from "../lib/values";

const BINDING = "gcp:serviceaccount/iAMBinding:IAMBinding";
const USER = "roles/iam.workloadIdentityUser";
/** By which people act as a deployer while its pipeline cannot. */
const BREAK_GLASS = "roles/iam.serviceAccountTokenCreator";

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
    const [, account = "", project = ""] =
      /\/serviceAccounts\/([^@]+)@([^.]+)\./.exec(String(props.serviceAccountId)) ?? [];
    if (props.role === BREAK_GLASS && account === "deployer") return breakGlass(props);
    if (props.role !== USER) return [`role is ${shown(props.role)}; set "${USER}": nobody else acts as an identity`];
    const row = identityOfAccount(account);
    if (!row)
      return [`account ${shown(props.serviceAccountId)} is no identity of the plan; add a row to plan/identities.ts`];
    const pools = row.granted ? "" : `serviceAccount:${project}`;
    const own = row.kubernetes
      // Pods on AWS come by federation.
      .filter(({ clusters }) => clusters !== "standby")
      .map((user) => `${pools}.svc.id.goog[${user.namespace}/${user.name}]`);
    const problems = texts(props.members)
      .filter((member) => !own.some((pods) => member.endsWith(pods) && member.startsWith("serviceAccount:")))
      .filter((member) => !federated[row.id]?.test(member))
      .map((member) => `${member} may act as ${account}; allowed: ${own.join(", ") || "nobody"}`);
    const why = row.granted && lasting(at(props, "condition", "expression"));
    return why ? [...problems, `${account} ${why}`] : problems;
  },
};

/** What is wrong with people's access to a deployer. */
function breakGlass(props: Values): string[] {
  const why = lasting(at(props, "condition", "expression"), "break-glass access");
  const others = texts(props.members).filter((member) => !/^(user|group):/.test(member) || isCrowd(member));
  return [
    ...others.map((member) => `${member} may act as deployer; allowed: people, for a while`),
    ...(why ? [`break-glass access to deployer ${why}`] : []),
  ];
}
