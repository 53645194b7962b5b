/** What is refused about clusters, keys and their windows before anything is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../../lib/types";
import { UNKNOWN } from "../values";
import { checkRules } from "./rules";

const CLUSTER = "container/cluster:Cluster";
const POOL = "container/nodePool:NodePool";
const KEY = "kms/cryptoKey:CryptoKey";
const RING = "projects/p/locations/europe-west1/keyRings/r";

const window = (startTime: string, endTime: string, recurrence: string): Props => ({
  initialNodeCount: 1,
  maintenancePolicy: {
    recurringWindow: {
      startTime: `2026-01-03T${startTime}:00:00Z`,
      endTime: `2026-01-03T${endTime}:00:00Z`,
      recurrence,
    },
  },
});
const cluster = (change: Props): Props => ({ initialNodeCount: 1, ...change });

const taken: [string, Props][] = [
  [CLUSTER, window("08", "16", "FREQ=WEEKLY;BYDAY=MO,TU")],
  [CLUSTER, window("00", "04", "FREQ=DAILY")],
  [CLUSTER, cluster({ databaseEncryption: { state: "ENCRYPTED", keyName: UNKNOWN } })],
  [CLUSTER, cluster({ databaseEncryption: { state: "DECRYPTED" } })],
  [CLUSTER, cluster({ loggingConfig: { enableComponents: [] } })],
  [KEY, { name: "k", keyRing: RING, rotationPeriod: "7776000s" }],
  ["kms/keyRing:KeyRing", { name: "r", location: "europe-west1" }],
  [POOL, { nodeConfig: { tags: ["pool-db"], kubeletConfig: { insecureKubeletReadonlyPortEnabled: "FALSE" } } }],
];

for (const [type, inputs] of taken) {
  test(`${type} takes ${JSON.stringify(inputs)}`, () => assert.deepEqual(checkRules(type, inputs), []));
}

const refused: [string, Props, RegExp][] = [
  [CLUSTER, window("08", "16", "FREQ=WEEKLY;BYDAY=SU"), /recurringWindow.*48 hours or more in 32 days.*got 32/],
  [CLUSTER, window("08", "10", "FREQ=DAILY"), /a window has 4 hours or more, got 2/],
  [CLUSTER, cluster({ databaseEncryption: { state: "ENCRYPTED" } }), /keyName.*needs the name of a key/],
  [CLUSTER, cluster({ databaseEncryption: { state: "ON" } }), /databaseEncryption\.state.*expected one of ENCRYPTED/],
  [CLUSTER, cluster({ loggingConfig: { enableComponents: ["PODS"] } }), /enableComponents\[0\].*got "PODS"/],
  [CLUSTER, cluster({ monitoringConfig: { enableComponents: ["NODES"] } }), /enableComponents\[0\].*got "NODES"/],
  [CLUSTER, cluster({ securityPostureConfig: { mode: "ON" } }), /securityPostureConfig\.mode/],
  [CLUSTER, cluster({ gatewayApiConfig: { channel: "OFF" } }), /gatewayApiConfig\.channel/],
  [CLUSTER, cluster({ anonymousAuthenticationConfig: { mode: "OFF" } }), /anonymousAuthenticationConfig\.mode/],
  [POOL, { nodeConfig: { tags: ["Pool"] } }, /tags\[0\]/],
  [POOL, { nodeConfig: { kubeletConfig: { insecureKubeletReadonlyPortEnabled: "no" } } }, /ReadonlyPortEnabled/],
  [KEY, { name: "k", keyRing: "r" }, /keyRing.*id of a key ring/],
  [KEY, { name: "k", keyRing: RING, purpose: "SIGN" }, /purpose.*expected one of ENCRYPT_DECRYPT/],
  [KEY, { name: "k", keyRing: RING, rotationPeriod: "90d" }, /rotationPeriod.*in seconds/],
  ["kms/keyRing:KeyRing", { name: "a.b", location: "europe-west1" }, /name/],
  ["kms/keyRing:KeyRing", { name: "r", location: "europe-west1-b" }, /location.*in a region/],
  ["kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", { role: "admin", members: [] }, /role/],
  ["projects/serviceIdentity:ServiceIdentity", { service: "container" }, /service/],
];

for (const [type, inputs, words] of refused) {
  test(`${type} refuses ${JSON.stringify(inputs)}`, () => {
    const failures = checkRules(type, inputs).map(({ property, reason }) => `${property}: ${reason}`);
    assert.equal(failures.length, 1, failures.join("\n"));
    assert.match(failures[0]!, words);
  });
}
