/** Who may do what, computed from the IAM that is declared now. */
import { CloudError, type CloudResource } from "../../lib/types";
import { type Registry, text } from "../registry";
import { type Condition, type ConditionContext, holds } from "./conditions";
import { predefinedPermissions, predefinedRoles } from "./roles";

/** One binding of a policy. */
export interface Binding {
  role: string;
  members: string[];
  condition?: Condition;
}

/** Fact of the registry: buckets whose policy was removed, so that nobody has access by them. */
export const EMPTIED = "buckets without bindings";

/** Type tokens that IAM decisions look at. */
export const TYPES = {
  bucket: "gcp:storage/bucket:Bucket",
  bucketPolicy: "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
  account: "gcp:serviceaccount/account:Account",
  accountBinding: "gcp:serviceaccount/iAMBinding:IAMBinding",
  customRole: "gcp:projects/iAMCustomRole:IAMCustomRole",
  projectMember: "gcp:projects/iAMMember:IAMMember",
  cluster: "gcp:container/cluster:Cluster",
  nodePool: "gcp:container/nodePool:NodePool",
  serviceIdentity: "gcp:projects/serviceIdentity:ServiceIdentity",
} as const;

/** Whoever deploys owns these projects. */
export interface Deployer {
  email: string;
  /** Project ids, or a pattern of them. */
  projects: string[] | RegExp;
}

/** IAM member of an email address. */
export const memberOf = (email: string): string =>
  `${email.endsWith(".gserviceaccount.com") ? "serviceAccount" : "user"}:${email}`;

/** Decisions from bindings of buckets, projects and service accounts. */
export class Access {
  constructor(
    private readonly registry: Registry,
    private readonly deployers: Deployer[] = [],
  ) {}

  /** Bindings of a bucket: its authoritative policy, or what Cloud Storage gives a new bucket. */
  bucketBindings(bucket: CloudResource): Binding[] {
    const policy = this.registry.get(TYPES.bucketPolicy, `b/${bucket.id}`);
    if (policy) return (JSON.parse(text(policy.inputs, "policyData")).bindings ?? []) as Binding[];
    if (this.registry.knows(EMPTIED, bucket.id)) return [];
    const project = text(bucket.outputs, "project");
    return [
      {
        role: "roles/storage.legacyBucketOwner",
        members: [`projectEditor:${project}`, `projectOwner:${project}`],
      },
      { role: "roles/storage.legacyBucketReader", members: [`projectViewer:${project}`] },
    ];
  }

  /** Bindings of a project. */
  projectBindings(project: string): Binding[] {
    const owners = this.deployers.filter((each) => owns(each, project));
    const declared: Binding[] = this.registry
      .all(TYPES.projectMember)
      .filter(({ inputs }) => inputs.project === project)
      .map(({ inputs }) => ({
        role: text(inputs, "role"),
        members: [text(inputs, "member")],
        ...(inputs.condition ? { condition: inputs.condition as Condition } : {}),
      }));
    return [...declared, { role: "roles/owner", members: owners.map(({ email }) => memberOf(email)) }];
  }

  /** True when a deployer owns the project. */
  hasDeployer(project: string): boolean {
    return this.deployers.some((each) => owns(each, project));
  }

  /** Permissions of a predefined or declared custom role; undefined: there is no such role. */
  rolePermissions(role: string): readonly string[] | undefined {
    const custom = this.registry.get(TYPES.customRole, role);
    return custom ? ((custom.inputs.permissions as string[]) ?? []) : predefinedPermissions(role);
  }

  /** @throws CloudError 400 unless the role exists and can be granted in the project */
  checkRole(role: string, project: string): void {
    const owner = /^projects\/([^/]+)\/roles\//.exec(role)?.[1];
    if (owner !== undefined && owner !== project)
      throw new CloudError(400, "invalid", `Role ${role} is of another project; ${project} cannot grant it.`);
    if (this.rolePermissions(role)) return;
    const known = owner === undefined ? ` The sandbox knows ${predefinedRoles.join(", ")}.` : "";
    throw new CloudError(400, "invalid", `Role ${role} is not supported for this resource.${known}`);
  }

  /** True when the bucket's or its project's bindings give the member the permission. */
  bucketAllows(bucket: CloudResource, member: string, permission: string, context: ConditionContext): boolean {
    const project = text(bucket.outputs, "project");
    const inherited = this.projectBindings(project);
    // Members such as projectEditor:P are whoever holds that role in the project.
    const names = [member, ...convenience(project, inherited, member)];
    return [...this.bucketBindings(bucket), ...inherited].some(
      ({ role, members, condition }) =>
        members.some((each) => names.includes(each) || each === "allUsers" || each === "allAuthenticatedUsers") &&
        (this.rolePermissions(role)?.includes(permission) ?? false) &&
        (!condition || holds(condition, context)),
    );
  }

  /** True when one of the bindings gives the member the permission. */
  holdsPermission(
    bindings: readonly Binding[],
    member: string,
    permission: string,
    context: ConditionContext,
  ): boolean {
    return bindings.some(
      ({ role, members, condition }) =>
        (members ?? []).includes(member) &&
        (this.rolePermissions(role)?.includes(permission) ?? false) &&
        (!condition || holds(condition, context)),
    );
  }

  /** True when a binding on the account lets the member act as it. */
  mayActAs(member: string, email: string, time: Date): boolean {
    const account = this.registry.all(TYPES.account).find(({ outputs }) => outputs.email === email);
    if (!account) return false;
    const declared = this.registry
      .all(TYPES.accountBinding)
      .filter(({ inputs }) => inputs.serviceAccountId === account.id)
      .map(({ inputs }) => ({
        role: text(inputs, "role"),
        members: (inputs.members as string[]) ?? [],
        ...(inputs.condition ? { condition: inputs.condition as Condition } : {}),
      }));
    // What the project grants holds for each of its accounts.
    const inherited = this.projectBindings(text(account.outputs, "project"));
    const context = { time, resourceName: account.id, resourceType: "iam.googleapis.com/ServiceAccount" };
    return this.holdsPermission([...declared, ...inherited], member, "iam.serviceAccounts.getAccessToken", context);
  }
}

const owns = ({ projects }: Deployer, project: string): boolean =>
  Array.isArray(projects) ? projects.includes(project) : projects.test(project);

function convenience(project: string, bindings: Binding[], member: string): string[] {
  return (["owner", "editor", "viewer"] as const)
    .filter((role) => bindings.some((each) => each.role === `roles/${role}` && each.members.includes(member)))
    .map((role) => `project${role[0]?.toUpperCase()}${role.slice(1)}:${project}`);
}
