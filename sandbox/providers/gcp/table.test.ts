import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as gcp from "@pulumi/gcp";
import { parseType } from "../shape/table";
import { type PackageSchema, resourceTypes, tableOf } from "./generate";
import schema from "./schema.json";
import { objectType, resourceType } from "./table";

const original = join(__dirname, "../../../../shared/schemas/gcp-9.35.json");

test("the table is what the package's schema says", {
  skip: !existsSync(original) && !process.env.CI && `${original} is not here`,
}, () => {
  const table = tableOf(JSON.parse(readFileSync(original, "utf8")) as PackageSchema, resourceTypes);
  assert.deepEqual(schema, table, "run sandbox/providers/gcp/generate.ts");
});

test("every type is registered by the SDK under the table's token", () => {
  const modules = [...new Set(resourceTypes.map((key) => key.split("/")[0]!))];
  const tokens = modules.flatMap((module) =>
    Object.values((gcp as unknown as Record<string, object>)[module] ?? {}).map(
      (member: { __pulumiType?: string }) => member.__pulumiType,
    ),
  );
  const missing = Object.keys(schema.resources).filter((key) => !tokens.includes(`gcp:${key}`));
  assert.deepEqual(missing, []);
});

test("every type expression can be followed to its end", () => {
  const all = [...Object.values(schema.resources), ...Object.values(schema.objects)];
  for (const { properties } of all) {
    for (const expression of Object.values<string>(properties)) {
      let type = parseType(expression);
      while (type.kind === "list" || type.kind === "map") type = parseType(type.of);
      if (type.kind === "object") assert.ok(objectType(type.of));
      else assert.match(type.of, /^(?:string|boolean|integer|number)$/);
    }
  }
  assert.equal(resourceType("gcp:storage/bucket:Nonsense"), undefined);
  assert.equal(resourceType("gcp:constructor"), undefined);
});
