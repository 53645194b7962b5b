import * as gcp from "@pulumi/gcp";
import type { ComponentResourceOptions, Input, Resource } from "@pulumi/pulumi";
import { ComponentResource } from "@pulumi/pulumi";
import type { IdentityId } from "../plan/identities";
import { primariesLabel, primariesLabelValue, storeLabel, storeLabelValue } from "../plan/labels";
import { type BucketStore, bindings, customRoles, type Grant } from "../plan/permissions";
import { daysInSeconds } from "../plan/retention";

/** Arguments of {@link StoreBucket}. */
export interface StoreBucketArgs {
  project: string;
  /** Globally unique bucket name. */
  bucket: string;
  /** Region or multi-region code. */
  location: string;
  /** Column of the identity matrix that the bucket is. */
  store: BucketStore;
  /** Who gets what the matrix gives the row; nobody else gets anything. */
  grants: Grant[];
  /**
   * Rows that get something now and then: their roles stay. The id of a role that was deleted cannot be used again for 37 days.
   */
  standing?: readonly IdentityId[];
  /** Second copies: locations of what they are copies of; a policy holds the bucket's own against them. */
  primaries?: string[];
  softDeleteDays: number;
  /** Keep versions, and remove noncurrent ones after these days. Default: no versions. Excludes `retentionDays`. */
  noncurrentDays?: number;
  /** Abort multipart uploads that nobody completed after these days. Default: never. */
  uploadDays?: number;
  /** Keep each object this long, whoever wants to remove it. Default: not kept. */
  retentionDays?: number;
  /** Protects the bucket, locks its retention (for ever), and refuses to empty it. */
  deletionProtection: boolean;
  /** Keep the bucket when it leaves the stack. Default: false. */
  retainOnDelete?: boolean;
  /** Accounts that must exist before the policy can name them. */
  accounts?: Input<Resource>[];
  /** The store's custom roles when another bucket of it in the project declares them. Default: its own. */
  roles?: gcp.projects.IAMCustomRole[];
}

/**
 * A bucket whose access is the identity matrix and nothing else: custom roles with exactly a cell's permissions, and an
 * authoritative policy, so that no default binding (projectOwner, Editor, Viewer) adds to it. It names the deployer as
 * well: without those bindings not even the project's owner could read or change it again.
 */
export class StoreBucket extends ComponentResource {
  readonly bucket: gcp.storage.Bucket;
  readonly policy: gcp.storage.BucketIAMPolicy;
  readonly roles: gcp.projects.IAMCustomRole[];

  constructor(name: string, args: StoreBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:StoreBucket", name, {}, opts);
    const { project, store, deletionProtection } = args;
    this.bucket = new gcp.storage.Bucket(
      `${name}-bucket`,
      {
        project,
        name: args.bucket,
        location: args.location.toUpperCase(),
        storageClass: "STANDARD",
        uniformBucketLevelAccess: true,
        publicAccessPrevention: "enforced",
        softDeletePolicy: { retentionDurationSeconds: daysInSeconds(args.softDeleteDays) },
        ...(args.retentionDays && {
          retentionPolicy: {
            retentionPeriod: String(daysInSeconds(args.retentionDays)),
            isLocked: deletionProtection,
          },
        }),
        ...(args.noncurrentDays && { versioning: { enabled: true } }),
        lifecycleRules: lifecycle(args),
        labels: {
          [storeLabel]: storeLabelValue(store),
          ...(args.primaries?.length && { [primariesLabel]: primariesLabelValue(args.primaries) }),
        },
        forceDestroy: !deletionProtection,
      },
      {
        parent: this,
        protect: deletionProtection,
        retainOnDelete: args.retainOnDelete ?? false,
      },
    );
    const granted = new Set([...args.grants.map((grant) => grant.identity), ...(args.standing ?? [])]);
    this.roles =
      args.roles ??
      customRoles(store, (row) => granted.has(row.id)).map(
        (role) =>
          new gcp.projects.IAMCustomRole(
            `${name}-${role.identity}${role.roleId.endsWith("Below") ? "-below" : ""}`,
            { project, roleId: role.roleId, title: role.title, permissions: role.permissions, stage: "GA" },
            { parent: this },
          ),
      );
    this.policy = new gcp.storage.BucketIAMPolicy(
      `${name}-policy`,
      {
        bucket: this.bucket.name,
        policyData: JSON.stringify({ bindings: bindings(store, project, args.grants, args.bucket) }),
      },
      { parent: this, dependsOn: [...this.roles, ...(args.accounts ?? [])], deletedWith: this.bucket },
    );
    this.registerOutputs({ bucket: this.bucket.name });
  }
}

/** Rules that end noncurrent versions and abandoned uploads; live objects are never touched. */
function lifecycle({ noncurrentDays, uploadDays }: StoreBucketArgs) {
  const rules = [
    ...(noncurrentDays
      ? [{ action: { type: "Delete" }, condition: { daysSinceNoncurrentTime: noncurrentDays, withState: "ARCHIVED" } }]
      : []),
    ...(uploadDays ? [{ action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: uploadDays } }] : []),
  ];
  return rules.length ? rules : undefined;
}
