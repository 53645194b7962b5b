import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, objects, shown, type Values } from "../lib/values";

const KEYS = ["default_keyspace_rf", "minimum_replication_factor_fail_threshold"];

/** At least two nodes hold each row in each region, in racks of their own. */
export const cassandraTwoReplicas: ResourceRule = {
  name: "cassandra-two-replicas",
  description: "Every Cassandra datacenter has two nodes, two racks and two replicas or more",
  plan: ["S1", "D3"],
  types: [types.cassandra, types.cassandraDatacenter],
  check: ({ type, name, props }) => {
    if (type === types.cassandraDatacenter) {
      return [
        ...sizeProblems({ ...(at(props, "spec") as Values), metadata: { name } }),
        ...replicaProblems(at(props, "spec", "config", "cassandra-yaml"), "config.cassandra-yaml", true),
      ];
    }
    const datacenters = objects(at(props, "spec", "cassandra", "datacenters"));
    return [
      ...(datacenters.length === 0 ? ["spec.cassandra.datacenters is empty; declare one"] : []),
      ...datacenters.flatMap((each) => [
        ...sizeProblems(each),
        // What a datacenter says of its own goes before what the cluster says.
        ...replicaProblems(
          at(each, "config", "cassandraYaml"),
          `datacenter ${nameOf(each)} config.cassandraYaml`,
          false,
        ),
      ]),
      ...replicaProblems(at(props, "spec", "cassandra", "config", "cassandraYaml"), "cassandraYaml", true),
    ];
  },
};

const nameOf = (datacenter: Values) => shown(at(datacenter, "metadata", "name"));

function sizeProblems(datacenter: Values): string[] {
  const racks = objects(datacenter.racks).length;
  return [
    ...(Number(datacenter.size ?? 0) >= 2
      ? []
      : [`datacenter ${nameOf(datacenter)} has size ${shown(datacenter.size)}; set 2 or more`]),
    ...(racks >= 2 ? [] : [`datacenter ${nameOf(datacenter)} has ${racks} racks; set 2 or more`]),
  ];
}

function replicaProblems(yaml: unknown, where: string, required: boolean): string[] {
  return KEYS.filter((key) => required || at(yaml, key) !== undefined)
    .filter((key) => !(Number(at(yaml, key) ?? 0) >= 2))
    .map((key) => `${where}.${key} is ${shown(at(yaml, key))}; set 2 or more`);
}
