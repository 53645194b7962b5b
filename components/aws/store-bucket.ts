import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { storeLabel, storeLabelValue } from "../../plan/labels";
import { bucketPolicy, lockedStores, publicAccessBlocked, type S3Store } from "../../plan/s3-permissions";

/** Arguments of {@link S3StoreBucket}. */
export interface S3StoreBucketArgs {
  account: string;
  /** Globally unique name. */
  bucket: string;
  /** Column of the identity matrix that the bucket is. */
  store: S3Store;
  /** ARN of the role that deploys the stack. */
  deployer: string;
  /** ARNs of the roles that preview it. */
  previewers: string[];
  /** Site whose markers they may read. */
  site: string;
  /**
   * Locked stores: Object Lock of every new version, in days. In compliance mode, which not even the account's root can shorten;
   * in governance mode without `deletionProtection`.
   */
  lockDays?: number;
  /** Versions that were replaced or removed end after these days. */
  noncurrentDays: number;
  /** Bucket of the access logs. */
  logs: aws.s3.Bucket;
  /** Protects the bucket, keeps it when it leaves the stack, and refuses to empty it. */
  deletionProtection: boolean;
}

/** Days after which parts of an upload that nobody completed go. */
const uploadDays = 7;

/**
 * A bucket of the standby whose access is the identity matrix and nothing else: its policy refuses everybody whom the matrix
 * does not name, whatever a role says. Encrypted with S3's own keys (ADR 26): whoever deletes a key of ours must not take the
 * locked copies along, and ETags stay the MD5 that Medusa and rclone compare.
 */
export class S3StoreBucket extends ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** From then on the bucket is closed, and may be written to. */
  readonly policy: Resource;

  constructor(name: string, args: S3StoreBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:S3StoreBucket", name, {}, opts);
    const { store, lockDays, deletionProtection } = args;
    if (lockedStores.includes(store) !== (lockDays !== undefined)) {
      throw new Error(
        `bucket ${args.bucket}: lockDays is ${lockDays ?? "not set"}, and store ${store} is ${lockedStores.includes(store) ? "" : "not "}locked; ` +
          `stores with a lock: ${lockedStores.join(", ")}`,
      );
    }
    this.bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      {
        bucket: args.bucket,
        // Can never be switched off again.
        objectLockEnabled: lockDays !== undefined,
        forceDestroy: !deletionProtection,
        tags: { [storeLabel]: storeLabelValue(store) },
      },
      { parent: this, protect: deletionProtection, retainOnDelete: deletionProtection },
    );
    const of = { bucket: this.bucket.bucket };
    const inside = { parent: this, deletedWith: this.bucket };
    const versioning = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      inside,
    );
    const closed = secureSettings(name, of, inside);
    if (lockDays !== undefined) {
      // A drill's deployer may end what the drill has left.
      const mode = deletionProtection ? "COMPLIANCE" : "GOVERNANCE";
      new aws.s3.BucketObjectLockConfiguration(
        `${name}-lock`,
        { ...of, rule: { defaultRetention: { mode, days: lockDays } } },
        { ...inside, dependsOn: [versioning] },
      );
    }
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { ...of, rules: lifecycle(args.noncurrentDays), transitionDefaultMinimumObjectSize: "all_storage_classes_128K" },
      { ...inside, dependsOn: [versioning] },
    );
    new aws.s3.BucketLogging(
      `${name}-logging`,
      { ...of, targetBucket: args.logs.bucket, targetPrefix: `s3/${args.bucket}/` },
      inside,
    );
    this.policy = new aws.s3.BucketPolicy(
      `${name}-policy`,
      { ...of, policy: JSON.stringify(bucketPolicy({ ...args, emptiable: !deletionProtection })) },
      { ...inside, dependsOn: [closed, versioning] },
    );
    this.registerOutputs({ bucket: this.bucket.bucket });
  }
}

/**
 * What every bucket of the standby has: no ACLs, nothing public, encryption.
 * @returns the public access block, which a policy comes after
 */
export function secureSettings(
  name: string,
  of: { bucket: aws.s3.Bucket["bucket"] },
  opts: { parent: Resource; deletedWith: Resource },
): Resource {
  const closed = new aws.s3.BucketPublicAccessBlock(`${name}-public-access`, { ...of, ...publicAccessBlocked }, opts);
  new aws.s3.BucketOwnershipControls(
    `${name}-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    opts,
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}-encryption`,
    { ...of, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] },
    opts,
  );
  return closed;
}

/** Rules that end what was replaced or removed, and uploads that nobody completed; live objects are never touched. */
export function lifecycle(noncurrentDays: number) {
  return [
    {
      id: "noncurrent",
      status: "Enabled",
      filter: { prefix: "" },
      noncurrentVersionExpiration: { noncurrentDays },
      abortIncompleteMultipartUpload: { daysAfterInitiation: uploadDays },
      expiration: { expiredObjectDeleteMarker: true },
    },
  ];
}
