import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { bucketPermissions, bucketRole, type DeployedRole, grantsOnly, projectRoles } from "../plan/deployers";
import { accountId, type IdentityId, identity } from "../plan/identities";
import { serviceAccountEmail } from "../plan/names";
import { type Condition, roleName } from "../plan/permissions";
import { environmentMember, githubEnvironment, type Purpose } from "../plan/state";

/** Arguments of {@link Deployer}. */
export interface DeployerArgs {
  /** Stack that is deployed. */
  stack: string;
  /** Its role, which says what its deployer has to be able to do. */
  role: DeployedRole;
  /** The stack's own project: its deployer lives there and reaches nothing else. */
  project: string;
  /** Full name of the pool of GitHub's tokens. */
  pool: Output<string>;
  /** Also declare who pushes to the registry that the stack has. */
  publishes: boolean;
  /** Who may act as the deployer by hand, and until when. Default: nobody. */
  breakGlass?: { member: string; condition: Condition };
}

const accounts: Record<Purpose, IdentityId> = { deploy: "deployer", preview: "previewer", publish: "publisher" };

/**
 * The accounts by which a pipeline acts for a stack. No key exists: GitHub's token of one repository and environment is
 * exchanged for the account's. The predefined roles on the project are the plan's; `bucketPermissions` come by a custom role.
 */
export class Deployer extends ComponentResource {
  /** IAM member of each account. */
  readonly members: Partial<Record<Purpose, string>> = {};
  readonly accounts: gcp.serviceaccount.Account[] = [];

  constructor(name: string, args: DeployerArgs, opts?: ComponentResourceOptions) {
    super("iconik:identity:Deployer", name, {}, opts);
    const { stack, role, project } = args;
    for (const purpose of ["deploy", "preview", ...(args.publishes ? ["publish" as const] : [])] as const) {
      const account = this.account(`${name}-${accounts[purpose]}`, purpose, args);
      if (purpose === "publish") continue;
      for (const each of projectRoles(role, purpose)) {
        new gcp.projects.IAMMember(
          `${name}-${accounts[purpose]}-${each.role.replace(/^roles\//, "")}`,
          {
            project,
            role: each.role,
            member: this.members[purpose]!,
            ...(each.grants && { condition: grantsOnly(each.grants) }),
          },
          { parent: this, dependsOn: [account], deletedWith: account },
        );
      }
    }
    const buckets = new gcp.projects.IAMCustomRole(
      `${name}-buckets`,
      { project, ...bucketRole, permissions: [...bucketPermissions], stage: "GA" },
      { parent: this },
    );
    new gcp.projects.IAMMember(
      `${name}-deployer-buckets`,
      { project, role: roleName(project, bucketRole.roleId), member: this.members.deploy! },
      { parent: this, dependsOn: [buckets, ...this.accounts] },
    );
    this.registerOutputs({ stack, ...this.members });
  }

  /** An account and the workflows, or for a while the people, that may act as it. */
  private account(name: string, purpose: Purpose, { stack, project, pool, breakGlass }: DeployerArgs) {
    const id = accounts[purpose];
    const account = new gcp.serviceaccount.Account(
      `${name}-account`,
      { project, accountId: accountId(id), displayName: accountId(id), description: identity(id).why.slice(0, 256) },
      { parent: this },
    );
    new gcp.serviceaccount.IAMBinding(
      `${name}-workflows`,
      {
        serviceAccountId: account.name,
        role: "roles/iam.workloadIdentityUser",
        members: [pool.apply((of) => environmentMember(of, githubEnvironment(purpose, stack)))],
      },
      { parent: this },
    );
    if (breakGlass && purpose === "deploy") {
      new gcp.serviceaccount.IAMBinding(
        `${name}-break-glass`,
        {
          serviceAccountId: account.name,
          role: "roles/iam.serviceAccountTokenCreator",
          members: [breakGlass.member],
          condition: breakGlass.condition,
        },
        { parent: this },
      );
    }
    this.members[purpose] = `serviceAccount:${serviceAccountEmail(accountId(id), project)}`;
    this.accounts.push(account);
    return account;
  }
}
