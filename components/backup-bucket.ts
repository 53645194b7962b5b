import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import type { Grant } from "../plan/permissions";
import { retention } from "../plan/retention";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link BackupBucket}. */
export interface BackupBucketArgs {
  project: string;
  bucket: string;
  /** Multi-region or dual-region code: S1 and S3 want the backups to outlive a region. */
  location: string;
  grants: Grant[];
  deletionProtection: boolean;
  /** Accounts that must exist before the policy can name them. */
  accounts?: Input<Resource>[];
}

/**
 * A site's primary backup bucket. It has soft delete and no retention lock: Medusa and Elasticsearch overwrite their
 * pointers, and a locked pointer would break the second backup.
 */
export class BackupBucket extends ComponentResource {
  readonly store: StoreBucket;

  constructor(name: string, args: BackupBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:BackupBucket", name, {}, opts);
    this.store = new StoreBucket(
      name,
      { ...args, store: "primaryBackups", softDeleteDays: retention.primarySoftDeleteDays },
      { parent: this },
    );
    this.registerOutputs({ bucket: this.store.bucket.name });
  }
}
