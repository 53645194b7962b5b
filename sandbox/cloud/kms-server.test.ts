/** Signing as Cloud KMS does it: real keys, for who is granted, and public halves that check the signatures. */
import assert from "node:assert/strict";
import { createHash, verify } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../lib/types";
import { type KmsServer, serveKms } from "./kms-server";
import { refused, testCloud } from "./testing";
import { Tokens } from "./tokens";

const KEY = "projects/p/locations/europe-west6/keyRings/r/cryptoKeys/k";
const VERSION = `${KEY}/cryptoKeyVersions/1`;
const SIGNER = "signer@p.iam.gserviceaccount.com";
const template = { algorithm: "EC_SIGN_P256_SHA256", protectionLevel: "HSM" };

let cloud: ReturnType<typeof testCloud>;
let server: KmsServer;
const tokens = new Tokens();

const create = (type: string, inputs: Props) => cloud.control.create(type, "x", inputs, "owner@x");
const key = (change: Props = {}) =>
  create("gcp:kms/cryptoKey:CryptoKey", {
    keyRing: KEY.split("/cryptoKeys")[0],
    name: "k",
    purpose: "ASYMMETRIC_SIGN",
    versionTemplate: template,
    skipInitialVersionCreation: true,
    ...change,
  });
const version = () => create("gcp:kms/cryptoKeyVersion:CryptoKeyVersion", { cryptoKey: KEY });
const grant = (role: string) =>
  create("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", {
    cryptoKeyId: KEY,
    role,
    members: [`serviceAccount:${SIGNER}`],
  });

beforeEach(async () => {
  cloud = testCloud({ deployers: [{ email: "owner@x", projects: ["p"] }], preparedAccounts: [SIGNER] });
  server = await serveKms(cloud.control, tokens);
  await create("gcp:kms/keyRing:KeyRing", { project: "p", location: "europe-west6", name: "r" });
});
afterEach(async () => {
  await server.close();
  cloud.end();
});

async function call(path: string, token: string | undefined, body?: object): Promise<{ status: number; body: Props }> {
  const response = await fetch(new URL(path, server.endpoint), {
    method: body ? "POST" : "GET",
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Props };
}
const digest = { sha256: createHash("sha256").update("text").digest("base64") };
const sign = (email: string | undefined, body: object = { digest }) =>
  call(`/v1/${VERSION}:asymmetricSign`, email && tokens.issue(email).accessToken, body);

test("who is granted signs, and the public key that a program reads checks it, also after a restart", async () => {
  await key();
  assert.equal((await version()).id, VERSION);
  await grant("roles/cloudkms.signer");
  const { status, body } = await sign(SIGNER);
  assert.equal(status, 200, JSON.stringify(body));
  const invoke = (caller: string) =>
    cloud
      .restart()
      .invoke("gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion", { cryptoKey: KEY }, caller, async () => "");
  const [publicKey] = (await invoke("owner@x")).publicKeys as { algorithm: string; pem: string }[];
  assert.equal(publicKey!.algorithm, template.algorithm);
  assert.ok(verify("sha256", Buffer.from("text"), publicKey!.pem, Buffer.from(String(body.signature), "base64")));
  await refused(invoke("stranger@x"), 403, /viewPublicKey' denied/);
  const seen = await call(`/v1/${VERSION}/publicKey`, tokens.issue(SIGNER).accessToken);
  assert.equal(seen.status, 403, "signing is not seeing");
});

test("nobody else signs, and nothing but a digest with a version that is there", async () => {
  await key();
  await version();
  assert.equal((await sign(undefined)).status, 401);
  assert.match(JSON.stringify((await sign(SIGNER)).body), /useToSign' denied on resource/);
  await grant("roles/cloudkms.signer");
  assert.equal((await sign("other@p.iam.gserviceaccount.com")).status, 403);
  assert.equal((await sign(SIGNER, { digest: { sha256: "AAAA" } })).status, 400);
  assert.equal((await sign(SIGNER, { data: "text" })).status, 400);
  const absent = await call(`/v1/${KEY}/cryptoKeyVersions/2:asymmetricSign`, tokens.issue(SIGNER).accessToken, {
    digest,
  });
  assert.equal(absent.status, 404);
});

test("a key that signs has an algorithm and no rotation; versions are numbered as they come", async () => {
  await refused(key({ versionTemplate: undefined }), 400, /algorithm is required/);
  await refused(key({ rotationPeriod: "7776000s" }), 400, /rotation_period can only be set/);
  await refused(key({ versionTemplate: { algorithm: "RSA_SIGN_PSS_2048_SHA256" } }), 400, /EC_SIGN_P256_SHA256 only/);
  await refused(key({ purpose: "ENCRYPT_DECRYPT" }), 400, /no algorithm of this key's purpose/);
  await refused(version(), 404, /CryptoKey .* was not found/);
  await key();
  await version();
  assert.equal((await version()).id, `${KEY}/cryptoKeyVersions/2`);
});
