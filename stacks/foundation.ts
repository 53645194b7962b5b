import * as gcp from "@pulumi/gcp";
import { MediaBuckets } from "../components/media-buckets";
import { ProjectServices } from "../components/project-services";
import { accountId, type IdentityId } from "../plan/identities";
import { mediaBucketsOf } from "../plan/media";
import { serviceAccountEmail } from "../plan/names";
import type { Grant } from "../plan/permissions";
import type { FoundationConfig } from "./config";
import { labelEverything } from "./labels";
import { monitorFoundation } from "./monitoring";
import type { Outputs } from "./program";

/**
 * What keeps a globally unique name or an address: the media buckets and the address of `app.iconik.io`. It comes up
 * first and without anybody who uses the media; sites and the vault are named once their accounts exist.
 */
export function foundation(config: FoundationConfig): Outputs {
  labelEverything(config.role);
  const { project, media, deployer, deletionProtection } = config;
  const services = new ProjectServices("apis", {
    project,
    services: ["compute.googleapis.com", "iam.googleapis.com", "monitoring.googleapis.com", "storage.googleapis.com"],
  });
  const buckets = new MediaBuckets(
    "media",
    {
      project,
      buckets: mediaBucketsOf(media.prefix),
      store: "media",
      location: media.location,
      grants: [
        { identity: "deployer", member: deployer },
        ...config.sites.map((site) => grant("services", site.project)),
        ...(config.vault ? [grant("media-replicator", config.vault.project)] : []),
      ],
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const address = new gcp.compute.GlobalAddress(
    "app",
    { project, name: "app", addressType: "EXTERNAL", ipVersion: "IPV4" },
    { protect: deletionProtection, retainOnDelete: deletionProtection, dependsOn: [services] },
  );
  monitorFoundation(
    config,
    mediaBucketsOf(media.prefix).map(({ name }) => name),
    [services],
  );
  return {
    mediaBuckets: buckets.stores.map((store) => store.bucket.name),
    address: address.address,
  };
}

/** What the matrix gives an identity whose account lives in another stack's project. */
function grant(row: IdentityId, project: string): Grant {
  return { identity: row, member: `serviceAccount:${serviceAccountEmail(accountId(row), project)}` };
}
