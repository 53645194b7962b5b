/** What becomes of bindings whose service account is deleted. Source: "Deleted principals" of the IAM documentation. */
import type { CloudResource, Props } from "../../lib/types";
import { type Binding, TYPES } from "../iam/access";
import { type Registry, text } from "../registry";

/**
 * Renames a deleted account in every binding to `deleted:serviceAccount:EMAIL?uid=ID`, as IAM does: an account that is
 * later created under the same address gets nothing of it until the bindings are declared anew. Bindings on the account
 * itself end with it.
 */
export function leaveDangling(registry: Registry, account: CloudResource): void {
  const member = `serviceAccount:${text(account.outputs, "email")}`;
  const rename = (each: string) =>
    each === member ? `deleted:${member}?uid=${text(account.outputs, "uniqueId")}` : each;
  const replace = (resource: CloudResource, change: (props: Props) => Props) => {
    const inputs = change(resource.inputs);
    if (JSON.stringify(inputs) !== JSON.stringify(resource.inputs))
      registry.put({ ...resource, inputs, outputs: change(resource.outputs) });
  };
  for (const policy of registry.all(TYPES.bucketPolicy)) {
    replace(policy, (props) => ({ ...props, policyData: renamed(text(props, "policyData"), rename) }));
  }
  for (const binding of registry.all(TYPES.projectMember)) {
    replace(binding, (props) => ({ ...props, member: rename(text(props, "member")) }));
  }
  for (const binding of registry.all(TYPES.accountBinding)) {
    if (binding.inputs.serviceAccountId === account.id) registry.remove(binding.type, binding.id);
    else replace(binding, (props) => ({ ...props, members: ((props.members as string[]) ?? []).map(rename) }));
  }
}

/** The policy's text as it was, unless a member changes. */
function renamed(policyData: string, rename: (member: string) => string): string {
  const policy = JSON.parse(policyData) as { bindings?: Binding[] };
  const bindings = policy.bindings?.map((each) => ({ ...each, members: (each.members ?? []).map(rename) }));
  return JSON.stringify(bindings) === JSON.stringify(policy.bindings)
    ? policyData
    : JSON.stringify({ ...policy, bindings });
}
