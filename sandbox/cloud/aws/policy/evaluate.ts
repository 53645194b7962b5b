/** Decides requests from policies. Source: "Policy evaluation logic". */
import { accountOf } from "../arn";
import { type Context, hold } from "./conditions";
import type { Policy, Principals, Statement } from "./document";
import { matches, substitute } from "./patterns";

/** Who asks. */
export interface Principal {
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, of an anonymous caller empty. */
  arn: string;
  /** `arn:aws:iam::ACCOUNT:role/PATH/ROLE` of an assumed role. */
  roleArn: string;
  account: string;
  /** Id of the role; one that is made again under the same name has another. */
  roleId: string;
}

/** What is asked. */
export interface AccessRequest {
  /** E.g. `s3:GetObject`. */
  action: string;
  resource: string;
  context: Context;
}

/** Policies that count for a request. */
export interface Policies {
  /** Of the caller's role, attached and inline. */
  identity: Policy[];
  /** Permissions boundary; absent: no bounds. */
  boundary?: Policy;
  /** Policy of the session; absent: no bounds. */
  session?: Policy;
  /** Of the resource, with the ids that the roles it names had when it was written. */
  resource?: { policy: Policy; ids: Record<string, string> };
  /** Account of the resource. */
  resourceAccount: string;
  /** A key: its policy decides alone, unless it gives the account the word. */
  resourceDecides?: boolean;
}

export type Verdict = { allowed: true } | { allowed: false; reason: string };

const NO = (reason: string): Verdict => ({ allowed: false, reason });

/** Decides a request. The reason of a refusal is worded as AWS words it. */
export function evaluate(principal: Principal, request: AccessRequest, policies: Policies): Verdict {
  const { identity, boundary, session, resource } = policies;
  const named = (statement: Statement) => addressed(statement, principal, resource?.ids ?? {});
  const own = identity.flatMap(({ statements }) => statements);
  const bounds = [boundary, session].flatMap((policy) => (policy ? [policy.statements] : []));
  const at = (resource?.policy.statements ?? []).filter((each) => named(each) !== undefined);

  const denies = (list: Statement[]) => list.some((each) => each.effect === "Deny" && applies(each, request));
  const allows = (list: Statement[]) => list.some((each) => each.effect === "Allow" && applies(each, request));
  if (denies(own) || bounds.some(denies)) return NO("with an explicit deny in an identity-based policy");
  if (denies(at)) return NO("with an explicit deny in a resource-based policy");

  const byIdentity = allows(own);
  const byName = allows(at.filter((each) => named(each) === "itself"));
  const byAccount = allows(at.filter((each) => named(each) === "its account"));
  if (!bounds.every(allows)) return NO("because no permissions boundary or session policy allows the action");
  if (policies.resourceDecides) {
    if (byName || (byAccount && byIdentity)) return { allowed: true };
    return NO("because no resource-based policy allows the action");
  }
  // Somebody without an identity has what a resource gives to everybody.
  if (!principal.account) return byName ? { allowed: true } : NO("because no resource-based policy allows the action");
  if (principal.account === policies.resourceAccount) {
    return byIdentity || byName ? { allowed: true } : NO("because no identity-based policy allows the action");
  }
  if (!byIdentity) return NO("because no identity-based policy allows the action");
  return byName || byAccount ? { allowed: true } : NO("because no resource-based policy allows the action");
}

/** True when action, resource and conditions of a statement fit. */
export function applies(statement: Statement, { action, resource, context }: AccessRequest): boolean {
  const { actions, notActions, resources, notResources } = statement;
  const names = (list: string[]) => list.some((pattern) => matches(pattern, action, true));
  const covers = (list: string[]) =>
    list.some((pattern) => {
      const written = substitute(pattern, context);
      return written !== undefined && matches(written, resource);
    });
  if (actions ? !names(actions) : names(notActions ?? [])) return false;
  if (resources && !covers(resources)) return false;
  if (notResources && covers(notResources)) return false;
  return hold(statement.conditions, context);
}

/** How a resource's statement means the caller: by name, by its account, or not at all. */
function addressed(
  { principals, notPrincipals, effect }: Statement,
  principal: Principal,
  ids: Record<string, string>,
): "itself" | "its account" | undefined {
  if (notPrincipals) return means(notPrincipals, principal, ids) ? undefined : "itself";
  const how = principals && means(principals, principal, ids);
  // A denial of the account is one of everybody in it.
  return how === "its account" && effect === "Deny" ? "itself" : how;
}

function means(
  { AWS = [] }: Principals,
  principal: Principal,
  ids: Record<string, string>,
): "itself" | "its account" | undefined {
  if (AWS.includes("*")) return "itself";
  if (!principal.account) return undefined;
  const named = AWS.some(
    (each) =>
      each === principal.arn ||
      // A role that was made again is not the one that was named.
      (each === principal.roleArn && (ids[each] === undefined || ids[each] === principal.roleId)),
  );
  if (named) return "itself";
  const account = AWS.some((each) => each === principal.account || isRoot(each, principal.account));
  return account ? "its account" : undefined;
}

const isRoot = (name: string, account: string): boolean => accountOf(name) === account && name.endsWith(":root");
