import type { Resource } from "@pulumi/pulumi";
import { EndpointGroups } from "../components/endpoint-groups";
import { networkTag } from "../components/gke-cluster";
import { LoadBalancer } from "../components/load-balancer";
import type { Network } from "../components/network";
import { ServicesSchema } from "../components/services-schema";
import { hasServices, isActive } from "../plan/region-states";
import { pools } from "../plan/sizing";
import type { SiteConfig } from "./config";
import { serviceManifests } from "./manifests";
import { type Region, services } from "./region";

/** What the services and their load balancer build on. */
export interface AppArgs {
  config: SiteConfig;
  network: Network;
  /** In the configuration's order. */
  regions: Region[];
  /** Comes before everything. */
  dependsOn: Resource[];
  /** The data that the services serve: Cassandra, and a restore that is under way. */
  dataDependsOn: Resource[];
}

/**
 * Declares what answers for `app.iconik.io` in a site: the services of every region and the load balancer over them (D1).
 * A region that is to be removed keeps its services and gets no requests any more; one that joins has none until it is active.
 */
export function app({ config, network, regions, dependsOn, dataDependsOn }: AppArgs): void {
  const { project } = config;
  const active = regions.filter((_, index) => isActive(config.regions[index]!));
  const first = active[0]!;
  const schema = new ServicesSchema(
    "services-schema",
    {
      cluster: first.cluster,
      datacenter: first.datacenter,
      datacenters: active.map(({ datacenter }) => datacenter),
      replicationFactor: config.cassandra.replicationFactor,
      image: config.images.services,
      onePasswordVault: config.onePassword.vault,
    },
    { dependsOn: dataDependsOn },
  );
  const manifests = serviceManifests();
  const serving = config.regions.flatMap((entry, index) =>
    hasServices(entry) ? [{ entry, region: regions[index]! }] : [],
  );
  const behind = serving.map(({ entry, region }) => {
    const zonal = new EndpointGroups(
      `endpoint-groups-${entry.name}`,
      {
        project,
        network: network.network.id,
        subnetwork: network.subnets[entry.name]!.id,
        zones: entry.zones,
      },
      { dependsOn },
    );
    return {
      groups: zonal.groups.map((group) => ({ group, share: isActive(entry) ? entry.share : 0 })),
      services: services(region, { config, region: entry, manifests, dependsOn: [zonal, schema] }),
    };
  });
  new LoadBalancer(
    "load-balancer",
    {
      project,
      network: network.network.id,
      prefix: config.site,
      groups: behind.flatMap(({ groups }) => groups),
      on: networkTag(pools.services),
      frontEndDeployer: config.foundation.deployer,
    },
    { dependsOn: behind.map((each) => each.services) },
  );
}
