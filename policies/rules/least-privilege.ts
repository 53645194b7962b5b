import { type Identity, identityOfAccount } from "../../plan/identities";
import { serviceAccountEmail } from "../../plan/names";
import { administration, type BucketStore, permissions } from "../../plan/permissions";
import { type DeclaredGrant, grantsOf, isCrowd, lasting, reachOfWideRole } from "../lib/iam";
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
  const workloads = new Set(
    resources
      .filter(({ type }) => type === types.account)
      .map(({ props }) => `serviceAccount:${serviceAccountEmail(String(props.accountId), String(props.project))}`),
  );
  const project = String(bucket.props.project);
  return grantsOf(policy, resources).flatMap((grant) => {
    const problem = excess(grant, store, project, workloads);
    return problem ? [`bucket ${policy.props.bucket}: ${problem}`] : [];
  });
}

/** What a grant gives beyond the matrix, in words. */
function excess(grant: DeclaredGrant, store: BucketStore, project: string, workloads: Set<string>): string | undefined {
  const { member, role, condition } = grant;
  if (isCrowd(member)) return `${member} is nobody in particular; name an identity of the plan`;
  if (!grant.permissions) return `${member} has ${role}, which is no generated role; generate it from the plan`;
  const [, account, home] = /^serviceAccount:([^@]+)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(member) ?? [];
  const known = account ? identityOfAccount(account) : undefined;
  const row = known && known.home !== "deployer" ? known : outsider(grant, workloads);
  if (!row) return `${member} is no identity of the plan; add a row to plan/identities.ts`;
  if (row.home === homes[store] && home !== project)
    return `${member} is no ${row.id} of ours: that one's account is in ${project}`;
  const why = row.granted && store !== "primaryBackups" && store !== "media" && lasting(condition);
  if (why) return `${member} (${row.id}) ${why}`;
  const allowed = permissions(row.id, store);
  const more = grant.permissions.filter((permission) => !allowed.includes(permission));
  if (more.length === 0) return undefined;
  return `${member} (${row.id}) gets ${more.join(", ")}; the matrix allows ${allowed.join(", ") || "nothing"}`;
}

/** Whose accounts are in the bucket's own project. */
const homes: Partial<Record<BucketStore, Identity["home"]>> = {
  primaryBackups: "site",
  secondCopy: "vault",
  secondMedia: "vault",
};

/** How the condition of a manifest reader begins, see readerCondition: names and listings below the markers of one site. */
const MARKERS_ONLY =
  /^\(resource\.name\.startsWith\("projects\/_\/buckets\/[^"]+\/objects\/markers\/[^"]+\/"\) \|\| api\.getAttribute\("storage\.googleapis\.com\/objectListPrefix", ""\)\.startsWith\("markers\/[^"]+\/"\)\) && /;

/** The row of a member that is no account of the matrix: whoever deploys the stack, or previews a rebuild for a while. */
function outsider({ member, permissions: given, condition }: DeclaredGrant, workloads: Set<string>) {
  const person = /^(user|group|serviceAccount|principal|principalSet):/.test(member);
  if (!person || workloads.has(member) || member.includes(".svc.id.goog")) return undefined;
  if (given?.every((permission) => administration.includes(permission))) return identityOfAccount("deployer");
  return MARKERS_ONLY.test(condition ?? "") ? identityOfAccount("manifest-reader") : undefined;
}

function wideProblems(binding: Declared, resources: Declared[]): string[] {
  const where = `binding ${binding.name}`;
  return grantsOf(binding, resources).flatMap(({ member, role }) => {
    const reach = reachOfWideRole(role, resources);
    return [
      ...(isCrowd(member) ? [`${where}: ${member} is nobody in particular; name who gets ${role}`] : []),
      ...(reach
        ? [`${where}: ${role} gives ${member} ${reach}, on every bucket and identity below; use a store's own policy`]
        : []),
    ];
  });
}
