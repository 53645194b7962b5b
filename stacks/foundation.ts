import * as gcp from "@pulumi/gcp";
import { MediaBuckets } from "../components/media-buckets";
import { ProjectServices } from "../components/project-services";
import { mediaBuckets } from "../plan/media";
import type { FoundationConfig } from "./config";
import { monitorFoundation } from "./monitoring";
import type { Outputs } from "./program";

/** What keeps a globally unique name or an address: the media buckets and the address of `app.iconik.io`. */
export function foundation(config: FoundationConfig): Outputs {
  const { project, media, deployer, deletionProtection } = config;
  const services = new ProjectServices("apis", {
    project,
    services: ["compute.googleapis.com", "iam.googleapis.com", "monitoring.googleapis.com", "storage.googleapis.com"],
  });
  const buckets = new MediaBuckets(
    "media",
    // Nobody uses them yet: services and the media replicator are granted with their own issues.
    { project, location: media.location, grants: [{ identity: "deployer", member: deployer }], deletionProtection },
    { dependsOn: [services] },
  );
  const address = new gcp.compute.GlobalAddress(
    "app",
    { project, name: "app", addressType: "EXTERNAL", ipVersion: "IPV4" },
    { protect: deletionProtection, retainOnDelete: deletionProtection, dependsOn: [services] },
  );
  monitorFoundation(
    config,
    mediaBuckets.map(({ name }) => name),
    [services],
  );
  return {
    mediaBuckets: buckets.stores.map((store) => store.bucket.name),
    address: address.address,
  };
}
