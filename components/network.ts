import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { regionRanges } from "../plan/addresses";

/** Arguments of {@link Network}. */
export interface NetworkArgs {
  project: string;
  /** Prefix of the resources' names in Google Cloud, e.g. the site's name. */
  prefix: string;
  /** Regions with a subnet each. */
  regions: string[];
  /** What pods of one region's cluster may reach in the others'. Default: nothing. */
  podAccess?: PodAccess[];
}

/** Access of the pods of some regions to pods on some machines of every region. */
export interface PodAccess {
  /** Last part of the firewall rule's name. */
  name: string;
  from: string[];
  /** Network tag of the machines that serve them. */
  on: string;
  /** TCP ports. */
  ports: number[];
}

/** Names of the secondary ranges of every subnet. */
export const podRange = "pods";
export const serviceRange = "services";

/**
 * A private network: one subnet per region with ranges for nodes, pods and services from the address plan, Private
 * Google Access, and Cloud NAT for what leaves Google. Nothing in it has an address on the Internet.
 */
export class Network extends ComponentResource {
  readonly network: gcp.compute.Network;
  /** Subnets by region. */
  readonly subnets: Record<string, gcp.compute.Subnetwork> = {};

  constructor(name: string, args: NetworkArgs, opts?: ComponentResourceOptions) {
    super("iconik:network:Network", name, {}, opts);
    const { project, prefix } = args;
    this.network = new gcp.compute.Network(
      `${name}-vpc`,
      { project, name: prefix, autoCreateSubnetworks: false, routingMode: "GLOBAL" },
      { parent: this },
    );
    for (const region of args.regions) {
      const ranges = regionRanges(region);
      this.subnets[region] = new gcp.compute.Subnetwork(
        `${name}-${region}`,
        {
          project,
          region,
          name: `${prefix}-${region}`,
          network: this.network.id,
          ipCidrRange: ranges.nodes,
          secondaryIpRanges: [
            { rangeName: podRange, ipCidrRange: ranges.pods },
            { rangeName: serviceRange, ipCidrRange: ranges.services },
          ],
          privateIpGoogleAccess: true,
          logConfig: { aggregationInterval: "INTERVAL_5_SEC", flowSampling: 0.5, metadata: "INCLUDE_ALL_METADATA" },
        },
        { parent: this },
      );
      const router = new gcp.compute.Router(
        `${name}-${region}-router`,
        { project, region, name: `${prefix}-${region}`, network: this.network.id },
        { parent: this },
      );
      new gcp.compute.RouterNat(
        `${name}-${region}-nat`,
        {
          project,
          region,
          name: `${prefix}-${region}`,
          router: router.name,
          natIpAllocateOption: "AUTO_ONLY",
          sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
          logConfig: { enable: true, filter: "ERRORS_ONLY" },
        },
        { parent: this },
      );
    }
    // GKE opens a cluster's nodes to its own pods only; stores that span regions need each other's.
    for (const access of args.podAccess ?? []) {
      new gcp.compute.Firewall(
        `${name}-${access.name}`,
        {
          project,
          name: `${prefix}-${access.name}`,
          network: this.network.id,
          direction: "INGRESS",
          sourceRanges: access.from.map((region) => regionRanges(region).pods),
          targetTags: [access.on],
          allows: [{ protocol: "tcp", ports: access.ports.map(String) }],
          logConfig: { metadata: "INCLUDE_ALL_METADATA" },
        },
        { parent: this },
      );
    }
    this.registerOutputs({ network: this.network.id });
  }
}
