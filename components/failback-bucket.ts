import type * as gcp from "@pulumi/gcp";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import type { Grant } from "../plan/permissions";
import { retention } from "../plan/retention";
import { standbyAccount, standbyMember } from "./standby-reader";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link FailbackBucket}. */
export interface FailbackBucketArgs {
  project: string;
  bucket: string;
  location: string;
  /** Pool that lets the standby's accounts in. */
  pool: Output<string>;
  /** Who administers it and who copies from it; the standby's account, which fills it, comes with the bucket. */
  grants: Grant[];
  deletionProtection: boolean;
  /** Accounts that must exist before the policy can name them. */
  accounts: Input<Resource>[];
}

/**
 * Where the standby's own backups arrive in the window of a failback (ADR 29), laid out as a site's primary bucket: nothing that
 * lies here can be replaced, and the vault copies from it as from a site. Not there at any other time.
 */
export class FailbackBucket extends ComponentResource {
  readonly store: StoreBucket;
  readonly account: gcp.serviceaccount.Account;

  constructor(name: string, args: FailbackBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:FailbackBucket", name, {}, opts);
    const { project, bucket, location, deletionProtection } = args;
    this.account = standbyAccount(name, this, { project, identity: "standby-failback", pool: args.pool });
    this.store = new StoreBucket(
      name,
      {
        project,
        bucket,
        location,
        store: "failback",
        grants: [...args.grants, { identity: "standby-failback", member: standbyMember("standby-failback", project) }],
        softDeleteDays: retention.primarySoftDeleteDays,
        deletionProtection,
        accounts: [...args.accounts, this.account],
      },
      { parent: this },
    );
    this.registerOutputs({ bucket: this.store.bucket.name });
  }
}
