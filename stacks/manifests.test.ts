/** What the stacks hand to the operators is what the operators' own schemas take. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CustomKinds, schemasMissing } from "../tests/lib/crds";
import { allStackNames, declaredStack } from "../tests/lib/stacks";

/** Kinds that come with Kubernetes; API servers check them in the drill. */
const BUILT_IN =
  /^kubernetes:(core|batch|apps|policy|autoscaling|(rbac\.authorization|networking|storage)\.k8s\.io|helm\.sh)\//;

/** Kinds whose schemas are not at hand; site-stores.test.ts and standby.test.ts say what they must hold. */
const WITHOUT_SCHEMA = /^kubernetes:(cert-manager\.io|monitoring\.googleapis\.com|elbv2\.k8s\.aws)\//;

describe("custom resources", { skip: schemasMissing() }, () => {
  let kinds: CustomKinds;
  before(() => {
    kinds = new CustomKinds();
  });

  for (const stack of allStackNames) {
    test(`of ${stack}`, async () => {
      const { resources } = await declaredStack(stack);
      const custom = resources.filter(
        ({ type }) => type.startsWith("kubernetes:") && !BUILT_IN.test(type) && !WITHOUT_SCHEMA.test(type),
      );
      assert.deepEqual(
        custom.flatMap(({ inputs }) => kinds.check(inputs)),
        [],
      );
      // A site that is being restored has no canaries, and no Secrets for them.
      const expected: Record<string, number> = { prod: 22, "rebuild-1": 17 };
      if (stack in expected) assert.equal(custom.length, expected[stack]);
    });
  }

  const good = { apiVersion: "onepassword.com/v1", kind: "OnePasswordItem", metadata: { name: "it" }, spec: {} };

  test("a field that the schema does not know is named", () => {
    assert.deepEqual(kinds.check({ ...good, spec: { itemPath: "a", path: "b" } }), [
      "OnePasswordItem it: /spec must NOT have additional properties (path)",
    ]);
  });

  test("a value of another type is named", () => {
    assert.deepEqual(kinds.check({ ...good, spec: { itemPath: 1 } }), [
      "OnePasswordItem it: /spec/itemPath must be string",
    ]);
  });

  test("a kind without a schema is named", () => {
    assert.match(kinds.check({ ...good, kind: "Unknown" }).join(), /onepassword\.com\/v1 Unknown: no schema/);
  });
});
