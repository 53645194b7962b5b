import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stackNames } from "../tests/lib/stacks";
import { completeImportFile, type Declared, importIds } from "./import-file";

const inventory = (stack: string): Declared[] =>
  JSON.parse(readFileSync(join(__dirname, "..", "tests", "golden", `${stack}.json`), "utf8"));

const schema: { resources: Record<string, { properties: object }> } = JSON.parse(
  readFileSync(join(__dirname, "..", "sandbox", "providers", "gcp", "schema.json"), "utf8"),
);

// A lost state of the standby is brought back from its copy in a second region of AWS, not imported.
for (const stack of stackNames.filter((name) => !name.startsWith("aws-"))) {
  test(`everything of ${stack} outside of clusters has an id of its own`, () => {
    const ids = importIds(inventory(stack));
    assert.ok(ids.size > 5);
    const types = [...ids.keys()].map((key) => key.split(" ")[0]);
    const seen = new Set([...ids.values()].map((id, index) => `${types[index]} ${id}`));
    assert.equal(seen.size, ids.size);
    for (const id of ids.values()) assert.doesNotMatch(id, /undefined|-id(\/|$)/);
  });
}

test("an id follows its parents' ids", () => {
  const ids = importIds(inventory("bootstrap"));
  const key = "projects/iconik-bootstrap/locations/europe/keyRings/pulumi-state/cryptoKeys/prod";
  assert.equal(ids.get("gcp:kms/cryptoKey:CryptoKey state-prod-key"), key);
  assert.equal(
    ids.get("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding state-prod-cryptoKeyDecrypter"),
    `${key} roles/cloudkms.cryptoKeyDecrypter`,
  );
});

test("every type of the provider is imported or known to be left out", () => {
  for (const type of Object.keys(schema.resources)) {
    const inputs = Object.fromEntries(Object.keys(schema.resources[type]!.properties).map((key) => [key, key]));
    const left = importIds([{ type: `gcp:${type}`, name: "it", inputs }]).size === 0;
    assert.equal(left, /^(monitoring\/|projects\/serviceIdentity:)/.test(type), type);
  }
});

test("components stay, clusters' objects go, ids are filled in", () => {
  const component = { type: "iconik:a:B", name: "c", component: true };
  const bucket = { type: "gcp:storage/bucket:Bucket", name: "b", id: "<PLACEHOLDER>", parent: "c" };
  const file = {
    resources: [component, bucket, { type: "kubernetes:core/v1:Secret", name: "s", id: "<PLACEHOLDER>" }],
  };
  const declared = [{ type: bucket.type, name: "b", inputs: { name: "media" } }];
  assert.deepEqual(completeImportFile(file, declared).resources, [component, { ...bucket, id: "media" }]);
  assert.throws(() => completeImportFile(file, []), /"b" is not in the inventory; make the inventory of this commit/);
  assert.throws(() => importIds([{ type: "gcp:pubsub/topic:Topic", name: "t", inputs: {} }]), /add it to recovery/);
  assert.throws(() => importIds([{ type: bucket.type, name: "b", inputs: {} }]), /says too little/);
});
