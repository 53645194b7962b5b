import { judge } from "../lib/judge";
import { kubernetesObjects, nameOf, regionOf } from "../lib/kubernetes";
import { passing } from "../lib/passing";
import type { StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at } from "../lib/values";

/** Namespace of the product's services. */
const SERVICES = "services";

/** The next-closest region can take over only what runs there as well. One that joins has no data to serve yet. */
export const servicesEveryRegion: StackRule = {
  name: "services-every-region",
  description: "What runs in one region's cluster as a service runs in every region's",
  plan: ["S4", "D1"],
  checkStack: (resources) => {
    const regions = new Set(resources.flatMap(({ type, cluster }) => (type === types.elasticsearch ? [cluster] : [])));
    for (const { cluster } of passing("joining", resources)) regions.delete(cluster);
    const deployments = resources.filter(({ type }) => type === types.deployment);
    return judge([...regions], (cluster) => {
      const found = deployments.flatMap((each) =>
        kubernetesObjects(each)
          .filter(({ body }) => at(body, "metadata", "namespace") === SERVICES)
          .map((object) => ({ service: nameOf(object), cluster: each.cluster })),
      );
      const here = new Set(found.filter((each) => each.cluster === cluster).map(({ service }) => service));
      return [...new Set(found.map(({ service }) => service))]
        .filter((service) => !here.has(service))
        .map(
          (service) => `service ${service} does not run in ${regionOf(cluster) ?? cluster}; deploy it to every region`,
        );
    });
  },
};
