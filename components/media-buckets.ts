import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { mediaBuckets } from "../plan/media";
import type { Grant } from "../plan/permissions";
import { retention } from "../plan/retention";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link MediaBuckets}. */
export interface MediaBucketsArgs {
  project: string;
  /** Multi-region code. */
  location: string;
  /** Services and the media replicator, as the matrix says. */
  grants: Grant[];
  deletionProtection: boolean;
}

/** The product's own media buckets (S6). Customer-owned buckets are never declared here. */
export class MediaBuckets extends ComponentResource {
  readonly stores: StoreBucket[];

  constructor(name: string, args: MediaBucketsArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:MediaBuckets", name, {}, opts);
    this.stores = mediaBuckets.map(
      (media) =>
        new StoreBucket(
          `${name}-${media.name}`,
          {
            project: args.project,
            bucket: media.name,
            location: args.location,
            store: "media",
            grants: args.grants,
            softDeleteDays: retention.mediaSoftDeleteDays,
            deletionProtection: args.deletionProtection,
            retainOnDelete: args.deletionProtection,
          },
          { parent: this },
        ),
    );
    this.registerOutputs({ buckets: this.stores.map((store) => store.bucket.name) });
  }
}
