/**
 * The table of resource types the sandbox knows, made from the provider's package schema by generate.ts.
 *
 * A property is written as a short type expression: `string`, `boolean`, `integer`, `number` or an object type such as
 * `storage/BucketCor:BucketCor`, followed by `[]` for a list or `{}` for a map of it, and by `!` when changing it
 * replaces the resource.
 */
import schema from "./schema.json";

/** An object type: its properties and which of them must be set. */
export interface ObjectType {
  properties: Record<string, string>;
  required?: string[];
}

/** A resource type: inputs, required inputs, and outputs. */
export interface ResourceType extends ObjectType {
  outputs: string[];
}

/** The whole table; keys leave out the `gcp:` in front. */
export interface Table {
  version: string;
  resources: Record<string, ResourceType>;
  objects: Record<string, ObjectType>;
}

/** A parsed type expression. */
export interface PropertyType {
  /** `scalar`: `of` is string, boolean, integer or number; `object`: `of` is a key of the table's objects. */
  kind: "scalar" | "object" | "list" | "map";
  of: string;
  replaces: boolean;
}

const table: Table = schema;

/** Version of the package the table was made from. */
export const packageVersion = table.version;

/** The type behind a token such as `gcp:storage/bucket:Bucket`, or undefined when the table lacks it. */
export function resourceType(token: string): ResourceType | undefined {
  const key = token.replace(/^gcp:/, "");
  return Object.hasOwn(table.resources, key) ? table.resources[key] : undefined;
}

/** The object type a type expression names. */
export function objectType(key: string): ObjectType {
  const found = Object.hasOwn(table.objects, key) ? table.objects[key] : undefined;
  if (!found) throw new Error(`sandbox/providers/gcp/schema.json lacks the object type ${key}; run generate.ts again`);
  return found;
}

/** Reads a type expression; `of` of a list or map is the element's expression. */
export function parseType(expression: string): PropertyType {
  const replaces = expression.endsWith("!");
  const type = replaces ? expression.slice(0, -1) : expression;
  if (type.endsWith("[]")) return { kind: "list", of: type.slice(0, -2), replaces };
  if (type.endsWith("{}")) return { kind: "map", of: type.slice(0, -2), replaces };
  return { kind: type.includes(":") ? "object" : "scalar", of: type, replaces };
}
