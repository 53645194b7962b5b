import type { Declared } from "../lib/rule";
import { types } from "../lib/types";
import { clusterIn, passingCluster, resource, specify } from "../testing";
import { loadBalancerEveryRegion } from "./load-balancer-every-region";

const region = (name: string, project = "p") =>
  resource(types.elasticsearch, {}, { cluster: clusterIn(name, project) });
const site = [region("europe-west1"), region("us-east4")];
const group = (zone: string) => ({
  group: `https://www.googleapis.com/compute/v1/projects/p/zones/${zone}/networkEndpointGroups/app-${zone}`,
});
const balancer = (...backends: object[]): Declared => resource(types.backendService, { name: "app", backends });
const declaredGroup = resource(types.endpointGroup, { zone: "us-east4-a", selfLink: "link" }, { id: "neg-id" });

specify(loadBalancerEveryRegion, {
  holds: [
    [...site, balancer(group("europe-west1-b"), group("europe-west1-c"), group("us-east4-a"))],
    [...site, balancer(group("europe-west1-b"), { group: "neg-id" }), declaredGroup],
    [...site, balancer(group("europe-west1-b"), { group: "link" }), declaredGroup],
    [...site, balancer(group("europe-west1-b")), passingCluster("joining")],
    [region("europe-west1", "iconik-drill-prod")],
    // A vault has no traffic.
    [resource(types.cluster)],
    // The standby's.
    [resource(types.elasticsearch, {}, { cluster: "arn:aws:eks:eu-central-1:123456789012:cluster/standby" })],
  ],
  violated: [
    [site, /D1, S4: no backend service is declared/],
    [[...site, balancer(group("europe-west1-b")), passingCluster("retired")], /no endpoints in us-east4/],
    [[...site, balancer(group("europe-west1-b"))], /backend service app has no endpoints in us-east4/],
    [[...site, balancer(group("europe-west1-b"), { group: "unknown" }), declaredGroup], /no endpoints in us-east4/],
    [[...site, balancer()], /no endpoints in europe-west1.*\n.*no endpoints in us-east4/],
    [[...site, resource(types.backendService)], /no endpoints in europe-west1/],
    // A zone is of the region whose whole name it begins with.
    [[region("europe-west1"), balancer(group("europe-west10-a"))], /no endpoints in europe-west1;/],
    [[region("europe-west1", "iconik-drill-prod"), balancer()], /no endpoints in europe-west1/],
  ],
});
