import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, shown } from "../lib/values";

/** What Cassandra's nodes tell each other across regions is encrypted, with certificates that the cluster names. */
export const cassandraEncrypted: ResourceRule = {
  name: "cassandra-encrypted",
  description: "Cassandra encrypts everything between nodes",
  plan: ["S1", "D5"],
  types: [types.cassandra],
  check: ({ props }) => {
    const cassandra = object(at(props, "spec", "cassandra"));
    const internode = at(cassandra, "config", "cassandraYaml", "server_encryption_options", "internode_encryption");
    return [
      ...(internode === "all"
        ? []
        : [`server_encryption_options.internode_encryption is ${shown(internode)}; set "all" in cassandraYaml`]),
      ...(Object.keys(object(cassandra.serverEncryptionStores)).length > 0
        ? []
        : ["spec.cassandra.serverEncryptionStores is not set; name the Secret with keystore and truststore"]),
    ];
  },
};
