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
  /** The deployer, services and the media replicator, as the matrix says. */
  grants: Grant[];
  deletionProtection: boolean;
}

/** The product's own media buckets (S6). Customer-owned buckets are never declared here. */
export class MediaBuckets extends ComponentResource {
  readonly stores: StoreBucket[];

  constructor(name: string, args: MediaBucketsArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:MediaBuckets", name, {}, opts);
    this.stores = [];
    for (const media of mediaBuckets) {
      this.stores.push(
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
            // Their roles are the same; a project has each once.
            roles: this.stores[0]?.roles,
          },
          { parent: this },
        ),
      );
    }
    this.registerOutputs({ buckets: this.stores.map((store) => store.bucket.name) });
  }
}
