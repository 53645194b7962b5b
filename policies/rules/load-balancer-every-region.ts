import { isDrillProject } from "../../plan/names";
import { judge } from "../lib/judge";
import { projectOf, regionOf } from "../lib/kubernetes";
import { passing } from "../lib/passing";
import type { Declared, StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { objects } from "../lib/values";

/**
 * Traffic goes to the next-closest region by itself only when every region is in the load balancer. A site's regions are
 * those with a search cluster, but for one that joins; a drill's site may go without a load balancer.
 */
export const loadBalancerEveryRegion: StackRule = {
  name: "load-balancer-every-region",
  description: "A backend service of the global load balancer has endpoints in every region of the site",
  plan: ["D1", "S4"],
  checkStack: (resources) => {
    const clusters = resources.filter(({ type }) => type === types.elasticsearch);
    const services = resources.filter(({ type }) => type === types.backendService);
    const [first] = clusters;
    // A cluster on AWS has a load balancer of its own (dns-failover-declared).
    if (!first || first.cluster?.startsWith("arn:aws:eks:")) return [];
    if (services.length === 0) {
      return isDrillProject(projectOf(first) ?? "")
        ? []
        : ["no backend service is declared: no traffic reaches any region; declare the load balancer"];
    }
    const joining = passing("joining", resources).map(({ cluster }) => cluster);
    const regions = new Set(
      clusters.flatMap(({ cluster = "" }) => (joining.includes(cluster) ? [] : (regionOf(cluster) ?? []))),
    );
    return services.flatMap((service) =>
      judge([...regions], (region) =>
        groupsOf(service, resources).some((zone) => zone.startsWith(`${region}-`))
          ? []
          : [
              `backend service ${service.props.name ?? service.name} has no endpoints in ${region}; add the zonal NEGs of its zones`,
            ],
      ),
    );
  },
};

/** Zones of the endpoint groups behind a service. */
function groupsOf(service: Declared, resources: Declared[]): string[] {
  const declared = resources.filter(({ type }) => type === types.endpointGroup);
  return objects(service.props.backends).flatMap(({ group }) => {
    const zone = /\/zones\/([^/]+)\/networkEndpointGroups\//.exec(String(group))?.[1];
    const known = declared.find(({ id, props }) => group === id || (group !== undefined && group === props.selfLink));
    return zone ?? (known ? String(known.props.zone) : []);
  });
}
