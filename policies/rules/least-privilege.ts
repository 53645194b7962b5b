import { type Identity, identities, identityOfAccount } from "../../plan/identities";
import { type BucketStore, belowCondition, permissionOf, permissions } from "../../plan/permissions";
import { type DeclaredGrant, declaredAccounts, deploys, grantsOf, isCrowd, lasting, reachOfWideRole } from "../lib/iam";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { bucketsByName, storeOf } from "../lib/stores";
import { types } from "../lib/types";

/** Bindings that reach further than one resource. */
const WIDE = /^gcp:(projects|folder|organizations)\/iAM(Member|Binding|Policy):/;

/**
 * What is declared gives no identity more than its row of the matrix. Computed from the bucket policies and the custom
 * roles that they name, not from how they were generated.
 */
export const leastPrivilege: StackRule = {
  name: "least-privilege",
  description: "No identity has more on a bucket than the plan's matrix says",
  plan: ["S2", "S6", "D5"],
  checkStack: (resources) => {
    const buckets = bucketsByName(resources);
    return [
      ...judge(
        resources.filter(({ type }) => type === types.bucketPolicy),
        (policy) => bucketProblems(policy, buckets.get(String(policy.props.bucket)), resources),
      ),
      ...judge(
        resources.filter(({ type }) => WIDE.test(type)),
        (binding) => wideProblems(binding, resources),
      ),
    ];
  },
};

function bucketProblems(policy: Declared, bucket: Declared | undefined, resources: Declared[]): string[] {
  const store = bucket && storeOf(bucket);
  if (!store) return [`policy of bucket ${policy.props.bucket}: the stack declares no such store`];
  const workloads = declaredAccounts(resources);
  const project = String(bucket.props.project);
  return grantsOf(policy, resources).flatMap((grant) => {
    const problem = excess(grant, store, project, workloads, String(policy.props.bucket));
    return problem ? [`bucket ${policy.props.bucket}: ${problem}`] : [];
  });
}

/** What a grant gives beyond the matrix, in words. */
function excess(
  grant: DeclaredGrant,
  store: BucketStore,
  project: string,
  workloads: Set<string>,
  bucket: string,
): string | undefined {
  const { member, role, condition } = grant;
  if (isCrowd(member)) return `${member} is nobody in particular; name an identity of the plan`;
  if (!grant.permissions) return `${member} has ${role}, which is no generated role; generate it from the plan`;
  const [, account, home] = /^serviceAccount:([^@]+)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(member) ?? [];
  const known = account ? identityOfAccount(account) : undefined;
  // Accounts of people and pipelines are as good as their names only where they are declared together with the states.
  const ours = known && (known.home !== "deployer" || (store === "state" && workloads.has(member)));
  const row = ours ? known : outsider(grant, store, workloads);
  if (!row) return `${member} is no identity of the plan; add a row to plan/identities.ts`;
  if (row.home === homes[store] && home !== project)
    return `${member} is no ${row.id} of ours: that one's account is in ${project}`;
  const why = row.granted && store !== "primaryBackups" && store !== "media" && lasting(condition);
  if (why) return `${member} (${row.id}) ${why}`;
  const allowed = [...permissions(row.id, store), ...allowedBelow(row, store, bucket, condition)];
  const more = grant.permissions.filter((permission) => !allowed.includes(permission));
  if (more.length === 0) return undefined;
  return `${member} (${row.id}) gets ${more.join(", ")}; the matrix allows ${allowed.join(", ") || "nothing"}`;
}

/** What the matrix gives below a prefix, where the condition is exactly that prefix. */
function allowedBelow(row: Identity, store: BucketStore, bucket: string, condition: string | undefined): string[] {
  const below = row.below?.[store];
  const fits = below && condition === belowCondition(bucket, below.prefixes).expression;
  return fits ? below.actions.map((action) => permissionOf[action]) : [];
}

/** Whose accounts are in the bucket's own project. */
const homes: Partial<Record<BucketStore, Identity["home"]>> = {
  primaryBackups: "site",
  secondCopy: "vault",
  secondMedia: "vault",
  failback: "vault",
  state: "aws",
};

/** How the condition of a manifest reader begins, see readerCondition: names and listings below the markers of one site. */
const MARKERS_ONLY =
  /^\(resource\.name\.startsWith\("projects\/_\/buckets\/[^"]+\/objects\/markers\/[^"]+\/"\) \|\| api\.getAttribute\("storage\.googleapis\.com\/objectListPrefix", ""\)\.startsWith\("markers\/[^"]+\/"\)\) && /;

/** The row of a member that is no account of the matrix: whoever deploys the stack, or previews a rebuild for a while. */
function outsider(
  { member, permissions: given, condition }: DeclaredGrant,
  store: BucketStore,
  workloads: Set<string>,
) {
  const person = /^(user|group|serviceAccount|principal|principalSet):/.test(member);
  if (!person || workloads.has(member) || member.includes(".svc.id.goog")) return undefined;
  // Pipelines reach a state as an account, never by their own tokens.
  if (store === "state" && member.startsWith("principal")) return undefined;
  const fits = ({ id, home, granted }: Identity) =>
    home === "deployer" && !granted && given?.every((permission) => permissions(id, store).includes(permission));
  return (
    identities.find(fits) ?? (MARKERS_ONLY.test(condition ?? "") ? identityOfAccount("manifest-reader") : undefined)
  );
}

function wideProblems(binding: Declared, resources: Declared[]): string[] {
  const where = `binding ${binding.name}`;
  return grantsOf(binding, resources).flatMap((grant) => {
    const { member, role } = grant;
    const reach = deploys(grant, binding.props.project, resources) ? undefined : reachOfWideRole(role, resources);
    return [
      ...(isCrowd(member) ? [`${where}: ${member} is nobody in particular; name who gets ${role}`] : []),
      ...(reach
        ? [`${where}: ${role} gives ${member} ${reach}, on every bucket and identity below; use a store's own policy`]
        : []),
    ];
  });
}
