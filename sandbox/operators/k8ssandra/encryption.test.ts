import assert from "node:assert/strict";
import { test } from "node:test";
import type { Objects } from "../objects";
import { encrypted, storeVolumes, withStores } from "./encryption";
import type { CassandraTemplate, EncryptionStores } from "./types";

const stores: EncryptionStores = {
  keystoreSecretRef: { name: "stores", key: "keystore.p12" },
  truststoreSecretRef: { name: "stores" },
  keystorePasswordSecretRef: { name: "passwords", key: "word" },
};
const template = (
  options: unknown,
  serverEncryptionStores: EncryptionStores | undefined = stores,
): CassandraTemplate => ({
  config: { cassandraYaml: options === undefined ? {} : { server_encryption_options: options } },
  serverEncryptionStores,
  datacenters: [],
});
const encoded = (text: string) => Buffer.from(text).toString("base64");
const secrets: Record<string, unknown> = {
  stores: { data: { "truststore-password": encoded("trust") } },
  passwords: { data: { word: encoded("key") } },
};
const remote = { get: async (_: unknown, __: string, name: string) => secrets[name] } as unknown as Objects;

test("nodes encrypt with stores and when they are told to, not otherwise", () => {
  assert.ok(encrypted(template({ internode_encryption: "all" })));
  assert.ok(!encrypted(template({ internode_encryption: "none" })));
  assert.ok(!encrypted(template({})));
  assert.ok(!encrypted(template(undefined)));
  assert.ok(!encrypted({ ...template({ internode_encryption: "all" }), serverEncryptionStores: undefined }));
});

test("stores are mounted by their own keys", () => {
  const items = storeVolumes(template({})).map(({ name, secret }) => [name, secret?.secretName, secret?.items]);
  assert.deepEqual(items, [
    ["server-keystore", "stores", [{ key: "keystore.p12", path: "keystore" }]],
    ["server-truststore", "stores", [{ key: "truststore", path: "truststore" }]],
  ]);
  assert.throws(() => storeVolumes(template({}, {})), /keystoreSecretRef is required/);
});

test("paths and passwords are filled in below what is declared", async () => {
  const yaml = await withStores(template({ internode_encryption: "dc", keystore: "/own" }), remote, "db");
  assert.deepEqual(yaml.server_encryption_options, {
    internode_encryption: "dc",
    keystore: "/own",
    keystore_password: "key",
    truststore: "/mnt/server-truststore/truststore",
    truststore_password: "trust",
  });
});

test("a Secret that is not there yet is waited for", async () => {
  const absent = { ...stores, keystorePasswordSecretRef: { name: "absent" } };
  await assert.rejects(
    withStores(template({ internode_encryption: "all" }, absent), remote, "db"),
    /Secret db\/absent with the password of the keystore does not exist/,
  );
});
