import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** What 1Password's operator writes into a cluster is encrypted in etcd with a key of ours. */
export const clusterSecretsEncrypted: ResourceRule = {
  name: "cluster-secrets-encrypted",
  description: "GKE encrypts Secrets with a Cloud KMS key",
  plan: ["S5", "D5"],
  types: [types.cluster],
  check: ({ props }) => {
    const encryption = object(props.databaseEncryption);
    return [
      ...(encryption.state === "ENCRYPTED"
        ? []
        : [`databaseEncryption.state is ${shown(encryption.state)}; set "ENCRYPTED" and keyName`]),
      // Its value is not known while the key does not exist.
      ...("keyName" in encryption ? [] : ["databaseEncryption.keyName is not set; set the id of a Cloud KMS key"]),
    ];
  },
};
