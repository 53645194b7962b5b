import { types } from "../lib/types";
import { clusterIn, passingCluster, resource, specify } from "../testing";
import { servicesEveryRegion } from "./services-every-region";

const regions = ["europe-west1", "us-east4"];
const site = regions.map((region) => resource(types.elasticsearch, {}, { cluster: clusterIn(region) }));
const service = (name: string, region: string, namespace = "services") =>
  resource(types.deployment, { metadata: { name, namespace } }, { cluster: clusterIn(region) });

specify(servicesEveryRegion, {
  holds: [
    [...site, ...regions.map((region) => service("front", region))],
    site,
    [...site, service("front", "europe-west1"), passingCluster("joining")],
    // What is no service of the product may run where it wants.
    [...site, service("operator", "us-east4", "cassandra")],
    [...site, resource(types.deployment)],
  ],
  violated: [
    [[...site, service("front", "europe-west1"), passingCluster("retired")], /front does not run in us-east4/],
    [[...site, service("front", "us-east4")], /S4, D1: service front does not run in europe-west1; deploy it/],
    [[...site, service("front", "europe-west4")], /front does not run in europe-west1.*\n.*in us-east4/],
    [
      [...site, ...regions.map((region) => service("front", region)), service("api", "us-east4")],
      /service api does not/,
    ],
  ],
});
