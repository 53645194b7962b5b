import * as gcp from "@pulumi/gcp";
import { Certificate } from "../components/certificate";
import { FrontEnd } from "../components/front-end";
import { MediaBuckets } from "../components/media-buckets";
import { ProjectServices } from "../components/project-services";

import { accountId, type IdentityId } from "../plan/identities";
import { mediaBucketsOf } from "../plan/media";
import { serviceAccountEmail } from "../plan/names";
import type { Grant } from "../plan/permissions";

import { appDomain, backendServiceLink } from "../plan/traffic";

import type { FoundationConfig } from "./config";
import { labelEverything } from "./labels";
import { monitorFoundation } from "./monitoring";
import type { Outputs } from "./program";

/**
 * What keeps a globally unique name or an address: the media buckets, and of `app.iconik.io` the address, the certificate
 * and what stands in front. It comes up first and without anybody who uses the media; sites and the vault are named once
 * their accounts exist, and of the sites the one that serves: naming another one moves the traffic.
 */
export function foundation(config: FoundationConfig): Outputs {
  labelEverything(config.role);
  const { project, media, deployer, deletionProtection, app } = config;
  const services = new ProjectServices("apis", {
    project,
    services: [
      "certificatemanager.googleapis.com",
      "compute.googleapis.com",
      "iam.googleapis.com",
      "monitoring.googleapis.com",
      "storage.googleapis.com",
    ],
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
        ...(config.vault?.failback ? [grant("standby-failback", config.vault.project)] : []),
      ],
      ...(config.vault && { restores: { project: config.vault.project, open: media.restores } }),
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const address = new gcp.compute.GlobalAddress(
    "app",
    { project, name: "app", addressType: "EXTERNAL", ipVersion: "IPV4" },
    { protect: deletionProtection, retainOnDelete: deletionProtection, dependsOn: [services] },
  );
  const certificate = new Certificate(
    "certificate",
    { project, certificateName: "app", domain: appDomain, deletionProtection },
    { dependsOn: [services] },
  );
  if (app) {
    new FrontEnd(
      "front-end",
      {
        project,
        frontEndName: "app",
        domain: appDomain,
        address: address.address,
        certificateMap: certificate.map,
        backendService: backendServiceLink(app.project),
      },
      // Who gets the traffic has the media already.
      { dependsOn: [services, buckets] },
    );
  }
  monitorFoundation(
    config,
    mediaBucketsOf(media.prefix).map(({ name }) => name),
    [services],
  );
  return {
    mediaBuckets: buckets.stores.map((store) => store.bucket.name),
    address: address.address,
    // For the zone in Route 53: the address, and the record by which the certificate is issued and renewed.
    records: [{ name: `${appDomain}.`, type: "A", data: address.address }, certificate.record],
    ...(app && { serving: app.project }),
  };
}

/** What the matrix gives an identity whose account lives in another stack's project. */
function grant(row: IdentityId, project: string): Grant {
  return { identity: row, member: `serviceAccount:${serviceAccountEmail(accountId(row), project)}` };
}
