/** Service accounts, who may act as them, custom roles and project bindings. */
import { randomInt } from "node:crypto";
import type { Behaviour, Props } from "../../lib/types";
import { type Access, TYPES } from "../iam/access";
import { bindingId, type Condition, checkCondition } from "../iam/conditions";
import { type Registry, text } from "../registry";
import { checkMember } from "./bucket";
import { absent, etag, invalid, matches, notFound, required } from "./checks";
import { leaveDangling } from "./deleted";

/** Source: "Create service accounts", "Create and manage custom roles". */
const ACCOUNT_ID = /^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/;
const ROLE_ID = /^[a-zA-Z0-9_.]{3,64}$/;
/** Service, resource, verb. */
const PERMISSION = /^[a-z]+(\.[a-zA-Z]+){2}$/;
const BASIC_ROLES = ["roles/owner", "roles/editor", "roles/viewer"];
/** Fact of the registry: projects whose Workload Identity pool exists. */
export const POOLS = "workload identity pools";

/** `gcp:serviceaccount/account:Account`. */
export function accountBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const [project, accountId] = [required(inputs, "project", "service account"), text(inputs, "accountId")];
      matches(accountId, ACCOUNT_ID, "account id");
      const email = `${accountId}@${project}.iam.gserviceaccount.com`;
      const id = `projects/${project}/serviceAccounts/${email}`;
      const present = registry.get(TYPES.account, id);
      if (present && inputs.createIgnoreAlreadyExists === true)
        return { id, outputs: { ...present.outputs, ...inputs } };
      absent(registry, TYPES.account, id);
      if (text(inputs, "description").length > 256) throw invalid("description is longer than 256 characters");
      return { id, outputs: { ...inputs, ...accountOutputs(email, id) } };
    },
    update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
    delete: async (account) => leaveDangling(registry, account),
  };
}

/** An account that somebody made before any stack; one that is known stays. */
export function prepareAccount(registry: Registry, email: string): void {
  const [, accountId, project] = /^([^@]+)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
  if (!accountId || !project)
    throw new Error(`"${email}" is no service account; allowed: ID@PROJECT.iam.gserviceaccount.com`);
  const id = `projects/${project}/serviceAccounts/${email}`;
  if (registry.get(TYPES.account, id)) return;
  const inputs = { project, accountId };
  registry.put({ type: TYPES.account, id, inputs, outputs: { ...inputs, ...accountOutputs(email, id) } });
}

const accountOutputs = (email: string, name: string) => ({
  email,
  name,
  member: `serviceAccount:${email}`,
  uniqueId: uniqueId(),
});

/** Twenty-one digits, never the same again: an account made again under its old address is another one. */
const uniqueId = () => `1${Array.from({ length: 20 }, () => randomInt(10)).join("")}`;

/** `gcp:serviceaccount/iAMBinding:IAMBinding`: everyone who has a role on a service account. */
export function accountBindingBehaviour(registry: Registry, access: Access): Behaviour {
  const check = (inputs: Props) => {
    const account = required(inputs, "serviceAccountId", "service account IAM binding");
    if (!registry.get(TYPES.account, account)) throw notFound(`Service account ${account}`);
    const role = required(inputs, "role", "service account IAM binding");
    access.checkRole(role, /^projects\/([^/]+)\//.exec(account)?.[1] ?? "");
    if (inputs.condition) checkCondition(inputs.condition as Condition);
    for (const member of (inputs.members as string[]) ?? []) {
      const pool = /^serviceAccount:([^[]+\.svc\.id\.goog)\[[^/\]]+\/[^/\]]+\]$/.exec(member)?.[1];
      if (!pool) checkMember(member, registry);
      else if (!registry.knows(POOLS, pool)) throw invalid(`Identity Pool does not exist (${pool}).`);
    }
  };
  return {
    create: async (inputs) => {
      check(inputs);
      const parts = [text(inputs, "serviceAccountId"), text(inputs, "role")];
      const id = bindingId(parts, inputs.condition as Condition | undefined);
      absent(registry, TYPES.accountBinding, id);
      return { id, outputs: { ...inputs, etag: etag() } };
    },
    update: async (_, inputs) => {
      check(inputs);
      return { ...inputs, etag: etag() };
    },
    // A binding ends with its account.
    read: async ({ inputs, outputs }) =>
      registry.get(TYPES.account, text(inputs, "serviceAccountId")) ? outputs : undefined,
  };
}

/** `gcp:projects/iAMCustomRole:IAMCustomRole`. */
export function customRoleBehaviour(registry: Registry): Behaviour {
  const check = (inputs: Props) => {
    matches(text(inputs, "roleId"), ROLE_ID, "role_id");
    required(inputs, "title", "custom role");
    const permissions = (inputs.permissions as string[]) ?? [];
    if (permissions.length === 0) throw invalid("a custom role needs one permission or more");
    for (const permission of permissions) {
      if (!PERMISSION.test(permission)) throw invalid(`Permission ${permission} is not valid.`);
    }
  };
  return {
    create: async (inputs) => {
      check(inputs);
      const id = `projects/${required(inputs, "project", "custom role")}/roles/${text(inputs, "roleId")}`;
      // The cloud keeps a deleted role's id for a week; the provider undeletes and updates it, which looks like this.
      absent(registry, TYPES.customRole, id);
      return { id, outputs: { ...inputs, name: id, deleted: false } };
    },
    update: async ({ outputs }, inputs) => {
      check(inputs);
      return { ...outputs, ...inputs };
    },
  };
}

/** `gcp:projects/iAMMember:IAMMember`. Several stacks may declare the same one. */
export function projectMemberBehaviour(registry: Registry, access: Access): Behaviour {
  return {
    create: async (inputs) => {
      const field = (name: string) => required(inputs, name, "project IAM member");
      const [project, role, member] = [field("project"), field("role"), field("member")];
      access.checkRole(role, project);
      checkMember(member, registry);
      const condition = inputs.condition as Condition | undefined;
      if (condition) {
        checkCondition(condition);
        if (BASIC_ROLES.includes(role)) throw invalid(`Conditions can't be set on the basic role ${role}.`);
      }
      const id = bindingId([project, role, member], condition);
      return { id, outputs: { ...inputs, etag: etag() } };
    },
  };
}
