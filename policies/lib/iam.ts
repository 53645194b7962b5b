/** Effective permissions of what a stack declares. */
import {
  bucketPermissions,
  bucketRole,
  type DeployedRole,
  grantsOnly,
  projectRoles,
  servicesOf,
} from "../../plan/deployers";
import { serviceAccountEmail } from "../../plan/names";
import { roleName } from "../../plan/permissions";
import { retention } from "../../plan/retention";
import type { Declared } from "./rule";
import { types } from "./types";
import { json, object, objects, texts, type Values } from "./values";

/** One member of one binding. */
export interface DeclaredGrant {
  member: string;
  role: string;
  /** Permissions of the role; undefined when the stack does not declare it, so nobody can tell. */
  permissions: string[] | undefined;
  /** Expression of the condition; undefined without one. */
  condition: string | undefined;
}

/** Every grant that a resource makes, whether as a policy, a binding or a member. */
export function grantsOf({ name, props }: Declared, resources: Declared[]): DeclaredGrant[] {
  const bindings =
    "policyData" in props
      ? objects(json(props.policyData, `policyData of ${name}`).bindings)
      : [
          {
            ...pick(props, "role", "condition"),
            members: props.members ?? (props.member === undefined ? [] : [props.member]),
          },
        ];
  return bindings.flatMap((binding: Values) =>
    texts(binding.members).map((member) => ({
      member,
      role: String(binding.role),
      permissions: customRolePermissions(String(binding.role), resources),
      condition: binding.condition ? String(object(binding.condition).expression) : undefined,
    })),
  );
}

function pick(props: Values, ...keys: string[]): Values {
  return Object.fromEntries(keys.map((key) => [key, props[key]]));
}

/** Permissions of a custom role that the stack declares. */
export function customRolePermissions(role: string, resources: Declared[]): string[] | undefined {
  const [, project, roleId] = /^projects\/([^/]+)\/roles\/(.+)$/.exec(role) ?? [];
  const declared = resources.find(
    ({ type, props }) => type === types.customRole && props.project === project && props.roleId === roleId,
  );
  return declared && texts(declared.props.permissions);
}

/** Whom a member is not: somebody in particular. */
export function isCrowd(member: string): boolean {
  return /^(allUsers$|allAuthenticatedUsers$|domain:|project(Owner|Editor|Viewer):|principalSet:.*\/\*$)/.test(member);
}

/** Predefined roles that reach no bucket and let nobody act as somebody else. Everything else is a custom role. */
const HARMLESS =
  /^roles\/(container\.(defaultNodeServiceAccount|clusterViewer)|compute\.(viewer|network\w+|loadBalancerAdmin)|cloudkms\.cryptoKeyEncrypterDecrypter|(artifactregistry|autoscaling|certificatemanager|cloudtrace|dns|errorreporting|logging|monitoring|serviceusage|stackdriver)\.(?!serviceAgent)[\w.]+)$/;

/** Permissions by which one acts as somebody else, or makes oneself more than one is. */
const BECOMES =
  /^(iam\.serviceAccounts\.(actAs|getAccessToken|getOpenIdToken|implicitDelegation|setIamPolicy|signBlob|signJwt)|iam\.serviceAccountKeys\.create|iam\.roles\.update|resourcemanager\.\w+\.setIamPolicy|.*\*.*)$/;

/** What a role on a project, folder or organization gives on the plan's stores, in words; undefined when nothing. */
export function reachOfWideRole(role: string, resources: Declared[]): string | undefined {
  if (HARMLESS.test(role)) return undefined;
  const permissions = customRolePermissions(role, resources);
  if (!permissions) return `what ${role} holds`;
  const reaching = permissions.filter((each) => each.startsWith("storage.") || BECOMES.test(each));
  return reaching.length > 0 ? reaching.join(", ") : undefined;
}

/** IAM members of the accounts that the stack declares. */
export function declaredAccounts(resources: Declared[]): Set<string> {
  return new Set(
    resources
      .filter(({ type }) => type === types.account)
      .map(({ props }) => `serviceAccount:${serviceAccountEmail(String(props.accountId), String(props.project))}`),
  );
}

/** Accounts of a pipeline that have roles in the project of the stack that they act for. */
const purposes = { deployer: "deploy", previewer: "preview" } as const;

/**
 * Whether a grant on a project is one of those by which a pipeline deploys or previews a stack: a role of plan/deployers.ts
 * with its condition, for an account of that name that the stack declares, in the account's own project.
 */
export function deploys(grant: DeclaredGrant, project: unknown, resources: Declared[]): boolean {
  const { member, role, condition } = grant;
  const [, account = "", home = ""] =
    /^serviceAccount:(deployer|previewer)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(member) ?? [];
  if (home !== project || !declaredAccounts(resources).has(member)) return false;
  if (account === "deployer" && role === roleName(home, bucketRole.roleId))
    return grant.permissions?.every((permission) => bucketPermissions.includes(permission)) ?? false;
  return (Object.keys(servicesOf) as DeployedRole[])
    .flatMap((stackRole) => projectRoles(stackRole, purposes[account as keyof typeof purposes]))
    .some((each) => each.role === role && (!each.grants || condition === grantsOnly(each.grants).expression));
}

/** Grants that end, and how long they last at most. */
const ending = {
  "a restore grant": retention.restoreGrantDays,
  "break-glass access": retention.breakGlassDays,
} as const;

/**
 * Why a condition does not end with a grant, in words; undefined when it does. It ends when the moment is one of the terms
 * that all have to hold, and not further away than such a grant may last.
 */
export function lasting(
  condition: unknown,
  grant: keyof typeof ending = "a restore grant",
  now = Date.now(),
): string | undefined {
  if (!condition) return "is granted for ever; set a condition that ends with the grant";
  const terms = conjuncts(String(condition));
  const moments = terms.flatMap((term) => /^request\.time\s*<=?\s*timestamp\("([^"]+)"\)$/.exec(term)?.[1] ?? []);
  const end = Math.min(...moments.map((moment) => Date.parse(moment)));
  if (!Number.isFinite(end))
    return `has a condition that does not end (${condition}); add && request.time < timestamp("…") to all of it`;
  const days = ending[grant];
  return end > now + days * 24 * 3600_000
    ? `has a condition that ends at ${new Date(end).toISOString()}; ${grant} lasts ${days} ${days === 1 ? "day" : "days"} at most`
    : undefined;
}

/** The terms of an expression that all have to hold; none when some of them are alternatives. */
function conjuncts(expression: string): string[] {
  const terms = [""];
  let depth = 0;
  for (const [part] of expression.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|&&|\|\||[\s\S]/g)) {
    if ("([{".includes(part)) depth += 1;
    if (")]}".includes(part)) depth -= 1;
    if (depth === 0 && (part === "||" || part === "?")) return [];
    if (depth === 0 && part === "&&") terms.push("");
    else terms[terms.length - 1] += part;
  }
  return terms.map((term) => term.trim());
}
