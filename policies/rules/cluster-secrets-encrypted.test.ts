import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { clusterSecretsEncrypted } from "./cluster-secrets-encrypted";

const cluster = (databaseEncryption?: object) => resource(types.cluster, { databaseEncryption });

specify(clusterSecretsEncrypted, {
  holds: [cluster({ state: "ENCRYPTED", keyName: "projects/p/locations/l/keyRings/r/cryptoKeys/k" })],
  violated: [
    [resource(types.cluster), /S5, D5: databaseEncryption.state is not set.*\n.*keyName is not set/],
    [cluster({ state: "DECRYPTED", keyName: "k" }), /state is "DECRYPTED"; set "ENCRYPTED"/],
    [cluster({ state: "ENCRYPTED" }), /keyName is not set/],
    [cluster({}), /state is not set/],
  ],
});
