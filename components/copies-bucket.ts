import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import type { Grant } from "../plan/permissions";
import { retention } from "../plan/retention";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link CopiesBucket}. */
export interface CopiesBucketArgs {
  project: string;
  bucket: string;
  /** A single region outside the primaries' multi-region, on the same continent. */
  location: string;
  /** Locations of the primaries, e.g. `EU`. */
  primaries: string[];
  /** Days that no identity can remove a copy; locked for ever while protected. 0 (drills only): not kept. */
  retentionDays: number;
  /** The deployer, the replicator, and restorers while their grants last. */
  grants: Grant[];
  deletionProtection: boolean;
  /** Accounts that must exist before the policy can name them. */
  accounts?: Input<Resource>[];
}

/** The second copy of the backups (S2): append-only for the replicator, out of reach of every production identity (D5). */
export class CopiesBucket extends ComponentResource {
  readonly store: StoreBucket;

  constructor(name: string, args: CopiesBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:CopiesBucket", name, {}, opts);
    this.store = new StoreBucket(
      name,
      {
        ...args,
        store: "secondCopy",
        softDeleteDays: retention.copiesSoftDeleteDays,
        retainOnDelete: args.deletionProtection,
      },
      { parent: this },
    );
    this.registerOutputs({ bucket: this.store.bucket.name });
  }
}
