import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { cassandraEncrypted } from "./cassandra-encrypted";

const cassandra = (internode?: string, serverEncryptionStores?: object) =>
  resource(types.cassandra, {
    spec: {
      cassandra: {
        serverEncryptionStores,
        config: { cassandraYaml: { server_encryption_options: { internode_encryption: internode } } },
      },
    },
  });
const stores = { keystoreSecretRef: { name: "s" }, truststoreSecretRef: { name: "s" } };

specify(cassandraEncrypted, {
  holds: [cassandra("all", stores)],
  violated: [
    [resource(types.cassandra), /S1, D5: .*internode_encryption is not set.*\n.*serverEncryptionStores is not set/],
    [cassandra("dc", stores), /internode_encryption is "dc"; set "all"/],
    [cassandra("none", stores), /internode_encryption is "none"/],
    [cassandra("all"), /serverEncryptionStores is not set/],
    [cassandra("all", {}), /serverEncryptionStores is not set/],
  ],
});
