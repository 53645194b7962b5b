import { types } from "../lib/types";
import { clusterIn, datacenter, passingCluster, resource, specify } from "../testing";
import { storesEveryRegion } from "./stores-every-region";

const search = (region: string) => resource(types.elasticsearch, {}, { cluster: clusterIn(region) });
const cassandra = (...names: string[]) =>
  resource(types.cassandra, { spec: { cassandra: { datacenters: names.map((name) => datacenter(3, 3, name)) } } });

specify(storesEveryRegion, {
  holds: [
    [cassandra("emea", "amer"), search("europe-west1"), search("us-east4")],
    [cassandra("emea"), search("europe-west1")],
    [cassandra("emea"), search("europe-west1"), search("us-east4"), passingCluster("retired")],
    [cassandra("emea", "amer"), search("europe-west1"), search("us-east4"), passingCluster("joining")],
    // A vault has no store.
    [resource(types.cluster)],
  ],
  violated: [
    [
      [cassandra("emea"), search("europe-west1"), search("us-east4")],
      /S1, S3, D1: Cassandra has 1 datacenters \(emea\)/,
    ],
    [
      [cassandra("emea"), search("europe-west1"), search("us-east4"), passingCluster("joining")],
      /Elasticsearch 2 regions/,
    ],
    [
      [cassandra("emea", "amer"), search("europe-west1"), search("us-east4"), passingCluster("retired")],
      /has 2 datacenters .* and Elasticsearch 1 regions/,
    ],
    [[cassandra("emea", "amer"), search("europe-west1")], /has 2 datacenters .* and Elasticsearch 1 regions/],
    [[cassandra("emea"), search("europe-west1"), search("europe-west1")], /2 search clusters are in 1 GKE clusters/],
    [[cassandra("emea"), cassandra("amer"), search("europe-west1")], /2 Cassandra clusters are declared/],
    [[search("europe-west1")], /no Cassandra cluster/],
    [[cassandra(), search("europe-west1")], /has 0 datacenters/],
    [[resource(types.cassandra), search("europe-west1")], /has 0 datacenters/],
  ],
});
