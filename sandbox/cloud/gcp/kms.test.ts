/** Keys as Cloud KMS keeps them, and clusters that need one. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";

const RING = "gcp:kms/keyRing:KeyRing";
const KEY = "gcp:kms/cryptoKey:CryptoKey";
const BINDING = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding";
const IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity";
const RING_ID = "projects/p/locations/europe-west1/keyRings/r";
const KEY_ID = `${RING_ID}/cryptoKeys/k`;
const ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter";

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.end());

const create = (type: string, inputs: Props) => cloud.control.create(type, "x", inputs, "me@x");
const ring = (change: Props = {}) => create(RING, { project: "p", location: "europe-west1", name: "r", ...change });
const key = (change: Props = {}) => create(KEY, { keyRing: RING_ID, name: "k", ...change });
const bind = (change: Props = {}) => create(BINDING, { cryptoKeyId: KEY_ID, role: ROLE, members: [], ...change });
const agent = async () => {
  const { outputs } = await create(IDENTITY, { project: "p", service: "container.googleapis.com" });
  return String(outputs.member);
};
const cluster = (change: Props = {}) =>
  create("gcp:container/cluster:Cluster", {
    project: "p",
    name: "c",
    location: "europe-west1",
    removeDefaultNodePool: true,
    databaseEncryption: { state: "ENCRYPTED", keyName: KEY_ID },
    ...change,
  });

test("names of rings and keys are taken for ever", async () => {
  await ring();
  const { id } = await key({ rotationPeriod: "7776000s" });
  assert.equal(id, KEY_ID);
  await cloud.control.delete(KEY, KEY_ID, "me@x");
  await refused(key(), 409, /cryptoKeys\/k already exists/);
  await cloud.control.delete(RING, RING_ID, "me@x");
  await refused(ring(), 409, /keyRings\/r already exists/);
  await ring({ name: "r2" });
});

test("a key needs its ring, and periods that Cloud KMS takes", async () => {
  await refused(key(), 404, /keyRings\/r was not found/);
  await ring();
  await refused(key({ rotationPeriod: "3600s" }), 400, /at least one day/);
  await refused(key({ rotationPeriod: "90d" }), 400, /rotationPeriod/);
  await refused(key({ destroyScheduledDuration: "1s" }), 400, /between 24 hours and 120 days/);
});

test("a key is granted to who exists", async () => {
  await refused(bind(), 404, /CryptoKey .* was not found/);
  await ring();
  await key();
  const member = "serviceAccount:service-1@container-engine-robot.iam.gserviceaccount.com";
  await refused(bind({ members: [member] }), 400, /does not exist/);
  await refused(bind({ role: "roles/none" }), 400, /Role roles\/none is not supported/);
  const { id } = await bind({ members: [await agent()] });
  assert.equal(id, `${KEY_ID}/${ROLE}`);
});

test("the same role is granted again under a condition of its own", async () => {
  await ring();
  await key();
  const group = { role: "roles/cloudkms.cryptoKeyDecrypter", members: ["group:g@example.com"] };
  await bind(group);
  await refused(bind(group), 409, /already exists/);
  const condition = { title: "soon", expression: 'request.time < timestamp("2027-01-01T00:00:00Z")' };
  assert.match((await bind({ ...group, condition })).id, /cryptoKeyDecrypter\/soon\/\w+$/);
  await refused(bind({ ...group, condition: { ...condition, expression: "request.time <" } }), 400, /condition/i);
});

test("a binding is gone with its key", async () => {
  await ring();
  await key();
  const { id } = await bind({ members: ["group:g@example.com"] });
  await cloud.control.delete(KEY, KEY_ID, "me@x");
  assert.equal(await cloud.control.read(BINDING, id), undefined);
});

test("a project's account of GKE is always the same", async () => {
  assert.equal(await agent(), await agent());
  await refused(create(IDENTITY, { project: "p", service: "none.googleapis.com" }), 400, /no agent here/);
});

test("a cluster needs a key in its region that GKE may use", async () => {
  await refused(cluster(), 400, /does not exist/);
  await ring();
  await key();
  await refused(cluster(), 400, /cannot be used/);
  await bind({ members: [await agent()] });
  await refused(cluster({ location: "us-east1" }), 400, /must be in the cluster's region us-east1/);
  await cluster();
});
