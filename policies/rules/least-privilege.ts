import { identityOfAccount } from "../../plan/identities";
import { serviceAccountEmail } from "../../plan/names";
import { administration, type BucketStore, permissions } from "../../plan/permissions";
import { type DeclaredGrant, grantsOf, storagePermissionsOfProjectRole } from "../lib/iam";
import type { StackRule } from "../lib/rule";
import { bucketsByName, storeOf } from "../lib/stores";
import { types } from "../lib/types";

/**
 * S2, D5: what is declared gives no identity more than its row of the matrix. Computed from the bucket policies and the
 * custom roles that they name, not from how they were generated.
 */
export const leastPrivilege: StackRule = {
  name: "least-privilege",
  description: "No identity has more on a bucket than the plan's matrix says",
  checkStack: (resources) => {
    const buckets = bucketsByName(resources);
    const workloads = new Set(
      resources
        .filter(({ type }) => type === types.account)
        .map(({ props }) => `serviceAccount:${serviceAccountEmail(String(props.accountId), String(props.project))}`),
    );
    const problems: string[] = [];
    for (const policy of resources.filter(({ type }) => type === types.bucketPolicy)) {
      const bucket = buckets.get(String(policy.props.bucket));
      const store = bucket && storeOf(bucket);
      if (!store) {
        problems.push(`policy of bucket ${policy.props.bucket}: the stack declares no such store`);
        continue;
      }
      for (const grant of grantsOf(policy, resources)) {
        const problem = excess(grant, store, workloads);
        if (problem) problems.push(`bucket ${policy.props.bucket}: ${problem}`);
      }
    }
    for (const { name, props } of resources.filter(({ type }) => type.startsWith("gcp:projects/iAM"))) {
      const found = storagePermissionsOfProjectRole(String(props.role ?? ""), resources);
      if (found) problems.push(`project binding ${name}: ${props.role} gives ${found} on every bucket of the project`);
    }
    return problems;
  },
};

/** What a grant gives beyond the matrix, in words. */
function excess(grant: DeclaredGrant, store: BucketStore, workloads: Set<string>): string | undefined {
  if (!grant.permissions)
    return `${grant.member} has ${grant.role}, which is no generated role; generate it from the plan`;
  const account = /^serviceAccount:([^@]+)@/.exec(grant.member)?.[1];
  const known = account ? identityOfAccount(account) : undefined;
  const row = known && known.home !== "deployer" ? known.id : outsider(grant, workloads);
  if (!row) return `${grant.member} is no identity of the plan; add a row to plan/identities.ts`;
  const allowed = permissions(row, store);
  const more = grant.permissions.filter((permission) => !allowed.includes(permission));
  if (more.length === 0) return undefined;
  return `${grant.member} (${row}) gets ${more.join(", ")}; the matrix allows ${allowed.join(", ") || "nothing"}`;
}

/** The row of a member that is no account of the matrix: whoever deploys the stack, or previews a rebuild for a while. */
function outsider({ member, permissions: given, conditional }: DeclaredGrant, workloads: Set<string>) {
  const person = /^(user|group|serviceAccount|principal|principalSet):/.test(member);
  const workload = workloads.has(member) || member.includes(".svc.id.goog");
  if (person && !workload && given?.every((permission) => administration.includes(permission))) return "deployer";
  return conditional ? "manifest-reader" : undefined;
}
