import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { customRoles, type Grant } from "../plan/permissions";
import { daysInSeconds, retention } from "../plan/retention";
import { backendUrl, keyLocation, secretsProvider, stateBucketName } from "../plan/state";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link StateBackend}. */
export interface StateBackendArgs {
  project: string;
  /** Stack whose state it is. */
  stack: string;
  /** Multi-region code, or a region that the stack does not run in. */
  location: string;
  keyRing: gcp.kms.KeyRing;
  /** Custom roles of the matrix's column; a project has each once. */
  roles: StateRoles;
  grants: Grant[];
  /** IAM members that write secrets into the state and read them; everybody else sees them encrypted. */
  encrypters: string[];
  /** IAM members that read secrets in the state. */
  decrypters: string[];
  /** Accounts that must exist before a policy can name them. */
  accounts: Input<Resource>[];
  deletionProtection: boolean;
}

/**
 * Where a stack keeps its state, and the key that encrypts the secrets in it. Every version of the state stays for a while,
 * so that a broken or removed one can be taken back. A state without its key is lost: the key is protected like the bucket.
 */
export class StateBackend extends ComponentResource {
  /** Value of PULUMI_BACKEND_URL. */
  readonly url: string;
  /** Value of `--secrets-provider`. */
  readonly secretsProvider: string;

  constructor(name: string, args: StateBackendArgs, opts?: ComponentResourceOptions) {
    super("iconik:state:StateBackend", name, {}, opts);
    const { project, stack, location, accounts, deletionProtection } = args;
    new StoreBucket(
      name,
      {
        project,
        bucket: stateBucketName(project, stack),
        location,
        store: "state",
        grants: args.grants,
        softDeleteDays: retention.stateSoftDeleteDays,
        noncurrentDays: retention.stateVersionsDays,
        deletionProtection,
        retainOnDelete: deletionProtection,
        accounts,
        roles: args.roles.roles,
      },
      { parent: this },
    );
    const key = new gcp.kms.CryptoKey(
      `${name}-key`,
      {
        name: stack,
        keyRing: args.keyRing.id,
        purpose: "ENCRYPT_DECRYPT",
        rotationPeriod: `${daysInSeconds(retention.stateKeyRotationDays)}s`,
        destroyScheduledDuration: `${daysInSeconds(retention.stateKeyDestroyDays)}s`,
      },
      { parent: this, protect: deletionProtection, retainOnDelete: deletionProtection },
    );
    const users = { cryptoKeyEncrypterDecrypter: args.encrypters, cryptoKeyDecrypter: args.decrypters };
    for (const [role, members] of Object.entries(users)) {
      // A binding without a member is none.
      if (members.length === 0) continue;
      new gcp.kms.CryptoKeyIAMBinding(
        `${name}-${role}`,
        { cryptoKeyId: key.id, role: `roles/cloudkms.${role}`, members },
        { parent: this, dependsOn: accounts, deletedWith: key },
      );
    }
    this.url = backendUrl(project, stack);
    this.secretsProvider = secretsProvider(project, keyLocation(location)!, stack);
    this.registerOutputs({ url: this.url, secretsProvider: this.secretsProvider });
  }
}

/** The custom roles of the column `state`, shared by the state buckets of a project. */
export class StateRoles extends ComponentResource {
  readonly roles: gcp.projects.IAMCustomRole[];

  constructor(name: string, args: { project: string }, opts?: ComponentResourceOptions) {
    super("iconik:state:StateRoles", name, {}, opts);
    this.roles = customRoles("state").map(
      ({ identity, roleId, title, permissions }) =>
        new gcp.projects.IAMCustomRole(
          `${name}-${identity}`,
          { project: args.project, roleId, title, permissions, stage: "GA" },
          { parent: this },
        ),
    );
    this.registerOutputs({});
  }
}
