import { judge } from "../lib/judge";
import { passing } from "../lib/passing";
import type { StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, objects } from "../lib/values";

/** One logical Cassandra with a datacenter in every region but a retired one, and a search cluster of its own in each. */
export const storesEveryRegion: StackRule = {
  name: "stores-every-region",
  description: "A site has one Cassandra cluster with a datacenter per region, and one Elasticsearch in each",
  plan: ["S1", "S3", "D1"],
  checkStack: (resources) => {
    const cassandra = resources.filter(({ type }) => type === types.cassandra);
    const searching = resources.filter(({ type }) => type === types.elasticsearch);
    const places = new Set(searching.map(({ cluster }) => cluster));
    const retired = passing("retired", resources).filter(({ cluster }) => places.has(cluster));
    const regions = places.size - retired.length;
    return [
      ...(cassandra.length > 1
        ? [`${cassandra.length} Cassandra clusters are declared; a site has one, over all regions`]
        : []),
      ...(cassandra.length === 0 && searching.length > 0
        ? ["search clusters are declared and no Cassandra cluster; a site has both"]
        : []),
      ...(searching.length > places.size
        ? [`${searching.length} search clusters are in ${places.size} GKE clusters; declare one in each region`]
        : []),
      ...judge(cassandra, ({ props }) => {
        const datacenters = objects(at(props, "spec", "cassandra", "datacenters"));
        const names = datacenters.map((each) => String(at(each, "metadata", "name")));
        return names.length === regions
          ? []
          : [
              `Cassandra has ${names.length} datacenters (${names.join(", ")}) and Elasticsearch ${regions} regions; declare one of each per region`,
            ];
      }),
    ];
  },
};
