import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, objects, shown } from "../lib/values";

/** S1: at least two nodes hold each row in each region, in racks of their own. */
export const cassandraTwoReplicas: ResourceRule = {
  name: "cassandra-two-replicas",
  description: "Every Cassandra datacenter has two nodes, two racks and two replicas or more",
  types: [types.cassandra],
  check: ({ props }) => {
    const cassandra = object(object(props.spec).cassandra);
    const yaml = object(object(cassandra.config).cassandraYaml);
    const problems = objects(cassandra.datacenters).flatMap((datacenter) => {
      const name = shown(object(datacenter.metadata).name);
      const found: string[] = [];
      if (Number(datacenter.size ?? 0) < 2)
        found.push(`datacenter ${name} has size ${shown(datacenter.size)}; set 2 or more`);
      if (objects(datacenter.racks).length < 2)
        found.push(`datacenter ${name} has ${objects(datacenter.racks).length} racks; set 2 or more`);
      return found;
    });
    if (objects(cassandra.datacenters).length === 0) problems.push("spec.cassandra.datacenters is empty; declare one");
    for (const key of ["default_keyspace_rf", "minimum_replication_factor_fail_threshold"]) {
      if (Number(yaml[key] ?? 0) < 2) problems.push(`cassandraYaml.${key} is ${shown(yaml[key])}; set 2 or more`);
    }
    return problems;
  },
};
