/** From cells of the identity matrix to Google Cloud IAM: permissions, custom roles and bucket bindings. */
import { type Action, allowed, type Identity, type IdentityId, identities, identity, type Store } from "./identities";
import { markersPrefix } from "./layout";

/** Google Cloud permission behind each action; nothing on buckets themselves is ever granted to a workload. */
export const permissionOf: Record<Action, string> = {
  create: "storage.objects.create",
  get: "storage.objects.get",
  list: "storage.objects.list",
  delete: "storage.objects.delete",
};

/** What administers a bucket; for deployers alone. */
export const administration: readonly string[] = [
  "storage.buckets.get",
  "storage.buckets.update",
  "storage.buckets.getIamPolicy",
  "storage.buckets.setIamPolicy",
];

/** Stores that are Google Cloud buckets, with the words used in role titles. */
const storeTitles = {
  primaryBackups: "primary backups",
  secondCopy: "second copies of the backups",
  media: "media",
  secondMedia: "second copies of the media",
  failback: "backups of the standby on their way back",
  state: "the state of a stack",
} as const satisfies Partial<Record<Store, string>>;

/** A store on Google Cloud. */
export type BucketStore = keyof typeof storeTitles;

/** Is a store on Google Cloud? */
export const isBucketStore = (store: Store): store is BucketStore => store in storeTitles;

/** A project-level custom role: the permissions of one cell of the matrix. It must live in the bucket's project. */
export interface CustomRole {
  identity: IdentityId;
  store: BucketStore;
  /** Role id, camel case, unique in a project. */
  roleId: string;
  title: string;
  permissions: string[];
}

/** Permissions of one cell, in the matrix's order; empty where the matrix says nothing. */
export function permissions(id: IdentityId, store: Store): string[] {
  const administers = identity(id).administers?.includes(store);
  return [...(administers ? administration : []), ...allowed(id, store).map((action) => permissionOf[action])];
}

/** Role id of a cell, e.g. `backupReplicatorSecondCopy`. */
export function roleId(id: IdentityId, store: BucketStore): string {
  const camel = id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return camel + store[0]!.toUpperCase() + store.slice(1);
}

/** The custom role of one cell, or undefined where the matrix says nothing. */
export function customRole(id: IdentityId, store: BucketStore): CustomRole | undefined {
  const granted = permissions(id, store);
  if (granted.length === 0) return undefined;
  return {
    identity: id,
    store,
    roleId: roleId(id, store),
    title: `${id} on ${storeTitles[store]}`,
    permissions: granted,
  };
}

/** The custom role of what an identity may do below a prefix of a store alone, or undefined. */
export function roleBelow(id: IdentityId, store: BucketStore): CustomRole | undefined {
  const below = identity(id).below?.[store];
  return (
    below && {
      identity: id,
      store,
      roleId: `${roleId(id, store)}Below`,
      title: `${id} below ${below.prefixes.join(" and ")} of ${storeTitles[store]}`,
      permissions: below.actions.map((action) => permissionOf[action]),
    }
  );
}

/** Condition of a binding that holds for objects below prefixes alone. It gives no listing: that names no object. */
export function belowCondition(bucket: string, prefixes: readonly string[]): Condition {
  const below = prefixes.map((prefix) => `resource.name.startsWith("projects/_/buckets/${bucket}/objects/${prefix}")`);
  return {
    title: "below-prefix",
    description: `Objects below ${prefixes.join(" and ")}`,
    expression: below.join(" || "),
  };
}

/** Every custom role a store's project needs. */
export function customRoles(store: BucketStore, only: (row: Identity) => boolean = () => true): CustomRole[] {
  return identities
    .filter(only)
    .flatMap((row) => [customRole(row.id, store), roleBelow(row.id, store)].filter((role) => role !== undefined));
}

/** Full name of a project's custom role as bindings want it. */
export function roleName(project: string, id: string): string {
  return `projects/${project}/roles/${id}`;
}

/** IAM condition that ends a binding at a moment. */
export interface Condition {
  title: string;
  description: string;
  expression: string;
}

/** Condition of a grant, by default to restore. `expires` is ISO-8601 with a zone; the expression uses UTC. */
export function expiry(expires: string, title = "restore-grant"): Condition {
  const moment = new Date(expires).toISOString().replace(/\.\d{3}Z$/, "Z");
  const words = title.replace("-", " ");
  return {
    title,
    description: `${words[0]!.toUpperCase()}${words.slice(1)} until ${moment}`,
    expression: `request.time < timestamp("${moment}")`,
  };
}

/**
 * Condition of the manifest reader: only the markers of one site, until the grant ends. Listing is allowed for their
 * prefix alone (the API names the bucket, not an object, when it lists).
 */
export function readerCondition(bucket: string, source: string, expires: string): Condition {
  const prefix = markersPrefix(source);
  const until = expiry(expires);
  return {
    title: "manifest-reader",
    description: `Markers of ${source}. ${until.description}`,
    expression:
      `(resource.name.startsWith("projects/_/buckets/${bucket}/objects/${prefix}") || ` +
      `api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("${prefix}")) && ${until.expression}`,
  };
}

/** A principal with its row of the matrix. */
export interface Grant {
  identity: IdentityId;
  /** IAM member, e.g. `serviceAccount:x@y.iam.gserviceaccount.com`. */
  member: string;
  condition?: Condition;
}

/** One binding of a bucket policy. */
export interface Binding {
  role: string;
  members: string[];
  condition?: Condition;
}

/**
 * The authoritative bindings of a store's bucket (`bucket`, for those below a prefix of it): the grants whose cell says something, and nobody else. Order is
 * stable (role, then condition), members of one role and condition share a binding.
 */
export function bindings(store: BucketStore, project: string, grants: Grant[], bucket = ""): Binding[] {
  const byKey = new Map<string, Binding>();
  const bind = (role: CustomRole | undefined, member: string, condition: Condition | undefined) => {
    if (!role) return;
    const key = `${role.roleId} ${condition?.expression ?? ""}`;
    const binding = byKey.get(key) ?? {
      role: roleName(project, role.roleId),
      members: [],
      ...(condition && { condition }),
    };
    if (!binding.members.includes(member)) binding.members.push(member);
    byKey.set(key, binding);
  };
  for (const { identity: id, member, condition } of grants) {
    bind(customRole(id, store), member, condition);
    const below = identity(id).below?.[store];
    if (below) bind(roleBelow(id, store), member, belowCondition(bucket, below.prefixes));
  }
  return [...byKey.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, binding]) => ({ ...binding, members: binding.members.sort() }));
}
