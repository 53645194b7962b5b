/** Service accounts, who may act as them, custom roles and project bindings. */
import type { Behaviour, Props } from "../../lib/types";
import { type Access, TYPES } from "../iam/access";
import { type Condition, checkCondition } from "../iam/conditions";
import { type Registry, text } from "../registry";
import { checkMember } from "./bucket";
import { absent, invalid, matches, notFound, required } from "./checks";

/** Source: "Create service accounts", "Create and manage custom roles". */
const ACCOUNT_ID = /^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/;
const ROLE_ID = /^[a-zA-Z0-9_.]{3,64}$/;
const PERMISSION = /^[a-z]+(\.[a-zA-Z]+){2}$/;
/** Fact of the registry: projects whose Workload Identity pool exists. */
export const POOLS = "workload identity pools";

export function accountBehaviour(registry: Registry): Behaviour {
  return {
    create: async (inputs) => {
      const [project, accountId] = [required(inputs, "project", "service account"), text(inputs, "accountId")];
      matches(accountId, ACCOUNT_ID, "account id");
      const email = `${accountId}@${project}.iam.gserviceaccount.com`;
      const id = `projects/${project}/serviceAccounts/${email}`;
      absent(registry, TYPES.account, id);
      if (text(inputs, "description").length > 256) throw invalid("description is longer than 256 characters");
      return {
        id,
        outputs: { ...inputs, email, name: id, member: `serviceAccount:${email}`, uniqueId: unique(email) },
      };
    },
    update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
  };
}

/** Twenty-one digits, the same for the same account. */
const unique = (email: string) =>
  [...email]
    .reduce((sum, letter) => (sum * 31n + BigInt(letter.charCodeAt(0))) % 10n ** 20n, 7n)
    .toString()
    .padStart(21, "1");

export function accountBindingBehaviour(registry: Registry, access: Access): Behaviour {
  const check = (inputs: Props) => {
    const account = required(inputs, "serviceAccountId", "service account IAM binding");
    if (!registry.get(TYPES.account, account)) throw notFound(`Service account ${account}`);
    const role = required(inputs, "role", "service account IAM binding");
    if (!access.rolePermissions(role)) throw invalid(`Role ${role} is not supported for this resource.`);
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
      const condition = inputs.condition as Condition | undefined;
      const id = [text(inputs, "serviceAccountId"), text(inputs, "role"), condition?.title].filter(Boolean).join("/");
      absent(registry, TYPES.accountBinding, id);
      return { id, outputs: { ...inputs, etag: "BwY=" } };
    },
    update: async (_, inputs) => {
      check(inputs);
      return { ...inputs, etag: "BwY=" };
    },
    // A binding ends with its account.
    read: async ({ inputs, outputs }) =>
      registry.get(TYPES.account, text(inputs, "serviceAccountId")) ? outputs : undefined,
  };
}

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
      // A deleted role keeps its id for a week; the provider undeletes and updates it.
      absent(registry, TYPES.customRole, id);
      return { id, outputs: { ...inputs, name: id, deleted: false } };
    },
    update: async ({ outputs }, inputs) => {
      check(inputs);
      return { ...outputs, ...inputs };
    },
  };
}

export function projectMemberBehaviour(registry: Registry, access: Access): Behaviour {
  return {
    create: async (inputs) => {
      const [project, role, member] = ["project", "role", "member"].map((name) =>
        required(inputs, name, "project IAM member"),
      );
      if (!access.rolePermissions(role ?? "")) throw invalid(`Role ${role} is not supported for this resource.`);
      checkMember(member ?? "", registry);
      if (inputs.condition) checkCondition(inputs.condition as Condition);
      return { id: `${project}/${role}/${member}`, outputs: { ...inputs, etag: "BwY=" } };
    },
  };
}
