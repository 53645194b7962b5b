import { ComponentResource, type ComponentResourceOptions, type Input, type Resource } from "@pulumi/pulumi";
import { type MediaBucket, type MediaRestore, mediaRestorerOf, mediaRestorers } from "../plan/media";
import { serviceAccountEmail } from "../plan/names";
import { expiry, type Grant } from "../plan/permissions";
import { retention } from "../plan/retention";
import { StoreBucket } from "./store-bucket";

/** Arguments of {@link MediaBuckets}. */
export interface MediaBucketsArgs {
  project: string;
  /** The plan's (plan/media.ts), or a drill's scratch ones. */
  buckets: readonly MediaBucket[];
  /** The buckets themselves, or their secondaries in the vault. */
  store: "media" | "secondMedia";
  /** Multi-region code; a single region outside it on the same continent for secondaries. */
  location: string;
  /** Secondaries: location of the primaries. */
  primaries?: string[];
  /** The deployer, services and the media replicator, as the matrix says. */
  grants: Grant[];
  /** Restores that are open, and the vault's project, which the identities for them are of. Default: none. */
  restores?: { project: string; open: readonly MediaRestore[] };
  deletionProtection: boolean;
  /** Accounts that must exist before the policies can name them. */
  accounts?: Input<Resource>[];
}

/**
 * The product's own media buckets or their secondaries (S6). Customer-owned buckets are never declared here. Who may delete objects may delete noncurrent versions too: soft delete is what brings those back.
 */
export class MediaBuckets extends ComponentResource {
  readonly stores: StoreBucket[];

  constructor(name: string, args: MediaBucketsArgs, opts?: ComponentResourceOptions) {
    super("iconik:storage:MediaBuckets", name, {}, opts);
    const primary = args.store === "media";
    this.stores = [];
    for (const media of args.buckets) {
      this.stores.push(
        new StoreBucket(
          `${name}-${media.name}`,
          {
            project: args.project,
            location: args.location,
            primaries: args.primaries,
            store: args.store,
            grants: [...args.grants, ...restoreGrants(media.name, args.restores)],
            standing: [...mediaRestorers, "standby-failback"],
            accounts: args.accounts,
            deletionProtection: args.deletionProtection,
            bucket: primary ? media.name : media.secondary,
            softDeleteDays: retention.mediaSoftDeleteDays,
            noncurrentDays: primary ? retention.mediaVersionsDays : retention.mediaAfterRemovalDays,
            uploadDays: retention.mediaUploadDays,
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

/** Condition of a restore's grants. */
export const restoreExpiry = (expires: string) => expiry(expires, "media-restore");

/** Who brings media back into a bucket, or from its secondary, until the last restore of that kind ends. */
function restoreGrants(bucket: string, restores: MediaBucketsArgs["restores"]): Grant[] {
  return mediaRestorers.flatMap((identity): Grant[] => {
    const ends = (restores?.open ?? [])
      .filter((each) => each.bucket === bucket && mediaRestorerOf(each) === identity)
      .map(({ expires }) => expires);
    if (!restores || ends.length === 0) return [];
    const member = `serviceAccount:${serviceAccountEmail(identity, restores.project)}`;
    return [{ identity, member, condition: restoreExpiry(latest(ends)) }];
  });
}

/** The latest of moments in ISO-8601, whatever their zones. */
export const latest = (moments: readonly string[]): string =>
  moments.reduce((one, other) => (Date.parse(other) > Date.parse(one) ? other : one));
