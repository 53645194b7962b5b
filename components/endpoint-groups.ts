import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { appDomain, endpointGroupName } from "../plan/traffic";

/** Arguments of {@link EndpointGroups}. */
export interface EndpointGroupsArgs {
  project: string;
  network: Input<string>;
  /** Subnetwork of the region's cluster: the controller would replace a group of another one. */
  subnetwork: Input<string>;
  /** Every zone that the cluster has nodes in. */
  zones: string[];
}

/**
 * The network endpoint groups of one region (D1): one in each zone under the same name, made before the Service that
 * names them. GKE's controller takes them over and fills in the front's pods; the load balancer can be declared in
 * the same update, and a group outlives neither the stack nor, unseen, its cluster.
 */
export class EndpointGroups extends ComponentResource {
  readonly groups: gcp.compute.NetworkEndpointGroup[];

  constructor(name: string, args: EndpointGroupsArgs, opts?: ComponentResourceOptions) {
    super("iconik:traffic:EndpointGroups", name, {}, opts);
    this.groups = args.zones.map(
      (zone) =>
        new gcp.compute.NetworkEndpointGroup(
          `${name}-${zone}`,
          {
            project: args.project,
            name: endpointGroupName,
            // The controller refuses a group without a description, and one whose JSON names another Service.
            description: `Pods of ${appDomain}, kept by GKE`,
            zone,
            network: args.network,
            subnetwork: args.subnetwork,
            networkEndpointType: "GCE_VM_IP_PORT",
          },
          { parent: this },
        ),
    );
    this.registerOutputs({});
  }
}
