/**
 * IAM policy documents: read and refused as the APIs do. Source: "Grammar of the IAM JSON policy language", "IAM and STS
 * quotas".
 */
import { CloudError } from "../../../lib/types";
import { isOperator } from "./conditions";

/** What a document is attached to: that decides which elements it may have. */
export type PolicyKind = "identity" | "resource" | "trust";

/** Condition values by operator and key. */
export type Conditions = Record<string, Record<string, string[]>>;

/** Whom a statement is about: `"*"` alone is `{ AWS: ["*"] }`. */
export type Principals = Record<string, string[]>;

/** One statement, with every list written as a list. */
export interface Statement {
  sid: string;
  effect: "Allow" | "Deny";
  principals?: Principals;
  notPrincipals?: Principals;
  actions?: string[];
  notActions?: string[];
  resources?: string[];
  notResources?: string[];
  conditions: Conditions;
}

export interface Policy {
  statements: Statement[];
}

/** Characters without blanks that each kind may have; a bucket's policy is counted in bytes. */
const LIMITS: Record<PolicyKind, number> = { identity: 10_240, resource: 20_480, trust: 4096 };

const ELEMENTS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];
const PRINCIPAL_TYPES = ["AWS", "Service", "Federated", "CanonicalUser"];

/**
 * Reads a document, given as JSON text or as an object.
 * @param code the API's word for a refusal: `MalformedPolicyDocument` of IAM, `MalformedPolicy` of S3
 * @throws CloudError 400
 */
export function parsePolicy(document: unknown, kind: PolicyKind, code = "MalformedPolicyDocument"): Policy {
  const fail = (message: string): never => {
    throw new CloudError(400, code, message);
  };
  const text = typeof document === "string" ? document : JSON.stringify(document ?? "");
  if (text.replace(/\s/g, "").length > LIMITS[kind])
    throw new CloudError(409, "LimitExceeded", `Cannot exceed quota for PolicySize: ${LIMITS[kind]}`);
  const parsed = parseJson(text);
  if (!isRecord(parsed)) return fail("Syntax errors in policy.");
  for (const key of Object.keys(parsed))
    if (!["Version", "Id", "Statement"].includes(key)) fail(`Syntax error: ${key}`);
  if (parsed.Version !== undefined && parsed.Version !== "2012-10-17" && parsed.Version !== "2008-10-17")
    fail(`The policy must contain a valid version string, not ${JSON.stringify(parsed.Version)}; write "2012-10-17"`);
  const written = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  if (written.length === 0 || written[0] === undefined) fail("Syntax errors in policy. It has no statement.");
  const statements = written.map((each) => statement(each, kind, fail));
  const sids = statements.map(({ sid }) => sid).filter(Boolean);
  const twice = sids.find((sid, index) => sids.indexOf(sid) !== index);
  if (twice !== undefined) fail(`Statement IDs (SID) in a single policy must be unique: ${twice}`);
  return { statements };
}

type Fail = (message: string) => never;

function statement(value: unknown, kind: PolicyKind, fail: Fail): Statement {
  if (!isRecord(value)) return fail("Syntax errors in policy. A statement must be an object.");
  for (const key of Object.keys(value))
    if (!ELEMENTS.includes(key))
      fail(`Syntax errors in policy. Unknown element ${key}; known are ${ELEMENTS.join(", ")}`);
  const { Effect: effect, Sid: sid = "" } = value;
  if (effect !== "Allow" && effect !== "Deny")
    return fail(`Syntax errors in policy. Effect must be Allow or Deny, not ${JSON.stringify(effect)}`);
  if (kind === "identity" && !/^[A-Za-z0-9]*$/.test(String(sid)))
    fail(`Statement IDs (SID) must be alpha-numeric, not "${sid}"`);
  one(value, "Action", "NotAction", fail);
  const actions = words(value.Action, "Action", fail);
  const notActions = words(value.NotAction, "NotAction", fail);
  for (const action of [...(actions ?? []), ...(notActions ?? [])])
    if (action !== "*" && !/^[a-z0-9-]+:[A-Za-z0-9*?]+$/.test(action))
      fail(`Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: "${action}"`);
  const result: Statement = {
    sid: String(sid),
    effect,
    ...(actions && { actions }),
    ...(notActions && { notActions }),
    conditions: conditions(value.Condition, fail),
  };
  return { ...result, ...subjects(value, kind, fail), ...objects(value, kind, fail) };
}

function subjects(value: Record<string, unknown>, kind: PolicyKind, fail: Fail) {
  const has = value.Principal !== undefined || value.NotPrincipal !== undefined;
  if (kind === "identity") return has ? fail("Policy document should not specify a principal.") : {};
  if (!has) fail("Missing required field Principal");
  one(value, "Principal", "NotPrincipal", fail);
  return value.Principal === undefined
    ? { notPrincipals: principals(value.NotPrincipal, fail) }
    : { principals: principals(value.Principal, fail) };
}

function objects(value: Record<string, unknown>, kind: PolicyKind, fail: Fail) {
  const has = value.Resource !== undefined || value.NotResource !== undefined;
  if (kind === "trust") return has ? fail("Has prohibited field Resource") : {};
  if (!has) fail("Policy statement must contain resources.");
  one(value, "Resource", "NotResource", fail);
  const resources = words(value.Resource, "Resource", fail);
  const notResources = words(value.NotResource, "NotResource", fail);
  for (const resource of [...(resources ?? []), ...(notResources ?? [])])
    if (resource !== "*" && !/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+/.test(resource))
      fail(`Resource ${resource} must be in ARN format or "*".`);
  return { ...(resources && { resources }), ...(notResources && { notResources }) };
}

function principals(value: unknown, fail: Fail): Principals {
  if (value === "*") return { AWS: ["*"] };
  if (!isRecord(value)) return fail(`Invalid principal in policy: ${JSON.stringify(value)}`);
  return Object.fromEntries(
    Object.entries(value).map(([type, names]) => {
      if (!PRINCIPAL_TYPES.includes(type)) fail(`Invalid principal in policy: "${type}" is none of ${PRINCIPAL_TYPES}`);
      const list = words(names, type, fail) ?? [];
      for (const name of list) {
        const fits = type !== "AWS" || name === "*" || /^\d{12}$|^arn:aws:(iam|sts)::\d{12}:.+/.test(name);
        if (!fits) fail(`Invalid principal in policy: "AWS":"${name}"`);
      }
      return [type, list];
    }),
  );
}

function conditions(value: unknown, fail: Fail): Conditions {
  if (value === undefined) return {};
  if (!isRecord(value)) return fail("Syntax errors in policy. Condition must be an object.");
  return Object.fromEntries(
    Object.entries(value).map(([operator, keys]) => {
      if (!isOperator(operator)) fail(`Invalid Condition type : ${operator}`);
      if (!isRecord(keys)) return fail(`Syntax errors in policy. ${operator} must be an object of keys.`);
      const written = Object.entries(keys).map(([key, values]) => {
        if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*:.+/.test(key)) fail(`Invalid condition key: ${key}`);
        const list = Array.isArray(values) ? values : [values];
        if (list.some((each) => !["string", "number", "boolean"].includes(typeof each)))
          fail(`Syntax errors in policy. Values of ${key} must be texts, numbers or truth values.`);
        return [key, list.map(String)] as const;
      });
      return [operator, Object.fromEntries(written)] as const;
    }),
  );
}

/** Exactly one of two elements. */
function one(value: Record<string, unknown>, a: string, b: string, fail: Fail): void {
  if ((value[a] === undefined) === (value[b] === undefined))
    fail(`Syntax errors in policy. A statement needs ${a} or ${b}, and not both.`);
}

function words(value: unknown, name: string, fail: Fail): string[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.some((each) => typeof each !== "string"))
    fail(`Syntax errors in policy. ${name} must be a text or a list of texts, but is ${JSON.stringify(value)}`);
  return list as string[];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
