import { types } from "../lib/types";
import { datacenter, type Props, resource, specify } from "../testing";
import { cassandraTwoReplicas } from "./cassandra-two-replicas";

const yaml = (replicas: number) => ({
  default_keyspace_rf: replicas,
  minimum_replication_factor_fail_threshold: replicas,
});
const cassandra = (size: number, racks: number, replicas: number, ofDatacenter: Props = {}) =>
  resource(types.cassandra, {
    spec: {
      cassandra: {
        datacenters: [{ ...datacenter(size, racks), ...ofDatacenter }],
        config: { cassandraYaml: yaml(replicas) },
      },
    },
  });

specify(cassandraTwoReplicas, {
  holds: [
    cassandra(2, 2, 2),
    cassandra(3, 3, 3),
    resource(types.cassandraDatacenter, { spec: { ...datacenter(2, 2), config: { "cassandra-yaml": yaml(2) } } }),
  ],
  violated: [
    [cassandra(1, 2, 2), /S1, D3: datacenter "apac" has size 1/],
    [cassandra(2, 1, 2), /"apac" has 1 racks/],
    [cassandra(2, 0, 2), /"apac" has 0 racks/],
    [cassandra(2, 2, 1), /default_keyspace_rf is 1.*\n.*fail_threshold is 1/],
    [cassandra(2, 2, 2, { config: { cassandraYaml: yaml(1) } }), /datacenter "apac" config.*rf is 1/],
    [resource(types.cassandra), /datacenters is empty/],
    [resource(types.cassandra, { spec: { cassandra: { datacenters: [] } } }), /datacenters is empty/],
    [resource(types.cassandra), /default_keyspace_rf is not set/],
    [resource(types.cassandraDatacenter), /size not set/],
    [resource(types.cassandraDatacenter, { spec: datacenter(2, 2) }), /cassandra-yaml.default_keyspace_rf is not set/],
  ],
});
