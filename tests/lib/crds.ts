/** The operators' own schemas, as strict as an API server that is asked for strict field validation. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import { parse } from "yaml";

const FOLDER = join(__dirname, "..", "..", "..", "shared", "crds");

interface Crd {
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

type Schema = Record<string, unknown>;

/** Why tests against the operators' schemas cannot run, or false when they can. They have to wherever CI runs them. */
export function schemasMissing(): string | false {
  const required = process.env.CI || process.env.ICONIK_REQUIRE_SHARED === "1";
  return !existsSync(FOLDER) && !required && `${FOLDER} is not here`;
}

/** Checks objects of custom kinds; each answer is a list of what is wrong, empty when nothing is. */
export class CustomKinds {
  private readonly ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  private readonly files = readdirSync(FOLDER);
  private readonly compiled = new Map<string, ValidateFunction>();

  check(object: Record<string, unknown>): string[] {
    const { apiVersion, kind, metadata } = object as { apiVersion: string; kind: string; metadata?: { name?: string } };
    const validate = this.validator(apiVersion, kind);
    if (!validate) return [`${apiVersion} ${kind}: no schema in ${FOLDER}`];
    if (validate(object)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const more = "additionalProperty" in params ? ` (${params.additionalProperty})` : "";
      return `${kind} ${metadata?.name}: ${instancePath || "/"} ${message}${more}`;
    });
  }

  private validator(apiVersion: string, kind: string): ValidateFunction | undefined {
    const known = this.compiled.get(`${apiVersion} ${kind}`);
    if (known) return known;
    const [group, version] = apiVersion.split("/") as [string, string];
    for (const file of this.files.filter((name) => name.startsWith(`${group}_`))) {
      const { spec } = parse(readFileSync(join(FOLDER, file), "utf8")) as Crd;
      const found = spec.versions.find(({ name }) => name === version);
      if (spec.names.kind !== kind || !found) continue;
      const validate = this.ajv.compile(strict(found.schema.openAPIV3Schema));
      this.compiled.set(`${apiVersion} ${kind}`, validate);
      return validate;
    }
    return undefined;
  }
}

/** The schema with unknown fields refused wherever it doesn't say that they are kept. */
function strict(schema: Schema): Schema {
  const own = schema.properties as Record<string, Schema> | undefined;
  const closed = own && !schema["x-kubernetes-preserve-unknown-fields"] && !schema.additionalProperties;
  return {
    ...schema,
    ...(own && { properties: Object.fromEntries(Object.entries(own).map(([name, of]) => [name, strict(of)])) }),
    ...(isSchema(schema.items) && { items: strict(schema.items) }),
    ...(isSchema(schema.additionalProperties) && { additionalProperties: strict(schema.additionalProperties) }),
    ...(closed && { additionalProperties: false }),
  };
}

const isSchema = (value: unknown): value is Schema => value !== null && typeof value === "object";
