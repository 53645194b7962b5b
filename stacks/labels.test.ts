/** Labels: whatever can carry them does, and a stack's own never replace a component's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as gcp from "@pulumi/gcp";
import { labelInputs, primariesLabelValue, primariesOf, stackLabelKeys, stackLabels } from "../plan/labels";
import { declared } from "../tests/lib/declared";
import { allStackNames, declaredStack } from "../tests/lib/stacks";
import { labelEverything } from "./labels";

/** Inputs of the official provider's types that the project uses. */
const schema: { resources: Record<string, { properties: Record<string, unknown> }> } = JSON.parse(
  readFileSync(join(__dirname, "..", "sandbox", "providers", "gcp", "schema.json"), "utf8"),
);

test("every type that has labels is in the table", () => {
  for (const [type, { properties }] of Object.entries(schema.resources)) {
    const input = ["userLabels", "resourceLabels", "labels"].find((name) => name in properties);
    assert.equal(labelInputs[`gcp:${type}`], input, type);
  }
});

test("every type of AWS that has tags, as the provider's own declarations say, is in the table", async () => {
  for (const stack of allStackNames) {
    const { resources } = await declaredStack(stack);
    for (const type of new Set(resources.map((each) => each.type).filter((each) => each.startsWith("aws:")))) {
      const file = join(__dirname, "..", "node_modules", "@pulumi", "aws", `${type.split(":")[1]}.d.ts`);
      const args = /export interface \w+Args \{[\s\S]*/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
      assert.equal(labelInputs[type], /^ {4}tags\?: /m.test(args) ? "tags" : undefined, type);
    }
  }
});

test("every stack's resources say which stack and role declares them", async () => {
  for (const stack of allStackNames) {
    const { resources } = await declaredStack(stack);
    const labelled = resources.filter(({ type }) => labelInputs[type]);
    assert.ok(labelled.length > 0);
    const role = /^(prod|rebuild)/.test(stack) ? "site" : stack.startsWith("aws-") ? "standby" : stack.split("-")[0];
    for (const { type, name, inputs } of labelled) {
      const labels = inputs[labelInputs[type]!] as Record<string, string>;
      for (const key of stackLabelKeys) assert.equal(labels[key], stackLabels(stack, role!)[key], `${name}: ${key}`);
    }
  }
});

test("labels of a component's own stay, absent ones and those of a preview among them", async () => {
  const { resources } = await declared(() => {
    labelEverything("vault");
    const ring = new gcp.kms.KeyRing("ring", { location: "europe-west6" });
    new gcp.storage.Bucket("own", { location: "EU", labels: { owner: "x" } });
    new gcp.storage.Bucket("none", { location: "EU" });
    new gcp.storage.Bucket("later", {
      location: "EU",
      labels: ring.name.apply((name) => ({ ring: name ?? "unknown" })),
    });
  }, "Vault.Old");
  const labelsOf = (name: string) => resources.find((each) => each.name === name)?.inputs.labels;
  const labels = { "iconik-stack": "vault-old", "iconik-role": "vault", "managed-by": "pulumi" };
  assert.deepEqual(labelsOf("own"), { owner: "x", ...labels });
  assert.deepEqual(labelsOf("none"), labels);
  assert.deepEqual(labelsOf("later"), { ring: "unknown", ...labels });
  assert.equal(resources.find(({ name }) => name === "ring")?.inputs.labels, undefined);
});

test("labels are of the form that Google allows, and primaries lead back", () => {
  const labels = { ...stackLabels("A".repeat(100), "site"), ...stackLabels("x y/ü", "site") };
  for (const value of Object.values(labels)) assert.match(value, /^[a-z0-9_-]{1,63}$/);
  assert.equal(primariesLabelValue(["EU", "eur4", "EU"]), "eu_eur4");
  assert.deepEqual(primariesOf({ "iconik-primaries": "eu_eur4" }), ["EU", "EUR4"]);
  assert.deepEqual(primariesOf({}), []);
});
