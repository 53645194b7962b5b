import { types } from "../lib/types";
import { clusterIn, type Props, resource, specify } from "../testing";
import { networkPolicies } from "./network-policies";

const there = { cluster: clusterIn("europe-west1") };
const namespace = (name: string) => resource(types.namespace, { metadata: { name } }, there);
const policy = (spec: Props, name = "cassandra", more = there) =>
  resource(types.networkPolicy, { metadata: { name: "n", namespace: name }, spec }, more);
const deny = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
const space = namespace("cassandra");

specify(networkPolicies, {
  holds: [
    [space, policy(deny)],
    [space, policy({ ...deny, ingress: [], egress: [] })],
    [space, policy(deny), policy({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] })],
    [space, policy(deny), policy({ podSelector: {}, ingress: [{ ports: [{ port: 9042 }] }] })],
    [namespace("onepassword")],
    [policy({ ingress: [{}] }, "services")],
  ],
  violated: [
    [[space], /S1, S3, D5: namespace cassandra \(it\) has no default-deny NetworkPolicy/],
    [[namespace("elasticsearch")], /namespace elasticsearch/],
    [[namespace("dr")], /namespace dr/],
    [[space, policy(deny, "elasticsearch")], /namespace cassandra/],
    [[space, policy(deny, "cassandra", { cluster: clusterIn("us-east4") })], /namespace cassandra/],
    [[space, policy({ ...deny, policyTypes: ["Ingress"] })], /no default-deny/],
    [[space, policy({ ...deny, policyTypes: [] })], /no default-deny/],
    [[space, policy({ ...deny, podSelector: { matchLabels: { app: "x" } } })], /no default-deny/],
    [[space, resource(types.networkPolicy, {}, there)], /no default-deny/],
    [[policy({ ...deny, ingress: [{}] })], /NetworkPolicy it lets everything in/],
    [[policy({ ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }] })], /lets everything in/],
  ],
});
