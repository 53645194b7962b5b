/** Effective permissions of what a stack declares. */
import type { Declared } from "./rule";
import { types } from "./types";
import { objects, texts } from "./values";

/** One member of one binding of a bucket's policy. */
export interface DeclaredGrant {
  member: string;
  role: string;
  /** Permissions of the role; undefined when the stack does not declare it, so nobody can tell. */
  permissions: string[] | undefined;
  conditional: boolean;
}

/** Every grant of a bucket policy, with the permissions of the custom roles declared beside it. */
export function grantsOf(policy: Declared, resources: Declared[]): DeclaredGrant[] {
  const { bindings } = JSON.parse(String(policy.props.policyData ?? "{}")) as { bindings?: unknown };
  return objects(bindings).flatMap((binding) =>
    texts(binding.members).map((member) => ({
      member,
      role: String(binding.role),
      permissions: customRolePermissions(String(binding.role), resources),
      conditional: binding.condition !== undefined,
    })),
  );
}

/** Permissions of a custom role that the stack declares. */
export function customRolePermissions(role: string, resources: Declared[]): string[] | undefined {
  const [, project, roleId] = /^projects\/([^/]+)\/roles\/(.+)$/.exec(role) ?? [];
  const declared = resources.find(
    ({ type, props }) => type === types.customRole && props.project === project && props.roleId === roleId,
  );
  return declared && texts(declared.props.permissions);
}

/** Predefined roles that reach into every bucket of a project. */
const WIDE = /^roles\/(owner|editor|viewer|storage\..+|iam\.serviceAccountTokenCreator|iam\.serviceAccountKeyAdmin)$/;

/** What a project-level role gives on the project's buckets, or undefined when nothing. */
export function storagePermissionsOfProjectRole(role: string, resources: Declared[]): string | undefined {
  if (WIDE.test(role)) return `what ${role} holds`;
  const storage = customRolePermissions(role, resources)?.filter((permission) => permission.startsWith("storage."));
  return storage?.length ? storage.join(", ") : undefined;
}
