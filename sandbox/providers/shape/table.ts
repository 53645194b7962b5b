/**
 * What tables of resource types are made of. Each provider has one, made from the real provider's package.
 *
 * A property is written as a short type expression: `string`, `boolean`, `integer`, `number`, `json` (an object or its JSON
 * text) or an object type such as `storage/BucketCor:BucketCor`, followed by `[]` for a list or `{}` for a map of it, and by
 * `!` when changing it replaces the resource.
 */

/** An object type: its properties and which of them must be set. */
export interface ObjectType {
  properties: Record<string, string>;
  required?: string[];
}

/** A resource type: inputs, required inputs, and outputs. */
export interface ResourceType extends ObjectType {
  outputs: string[];
}

/** The whole table; keys leave out the package's name in front. */
export interface Table {
  version: string;
  resources: Record<string, ResourceType>;
  objects: Record<string, ObjectType>;
}

/** A parsed type expression. */
export interface PropertyType {
  /** `scalar`: `of` is string, boolean, integer, number or json; `object`: `of` is a key of the table's objects. */
  kind: "scalar" | "object" | "list" | "map";
  of: string;
  replaces: boolean;
}

/** Finds an object type by its key. */
export type ObjectTypes = (key: string) => ObjectType;

/** Reads a type expression; `of` of a list or map is the element's expression. */
export function parseType(expression: string): PropertyType {
  const replaces = expression.endsWith("!");
  const type = replaces ? expression.slice(0, -1) : expression;
  if (type.endsWith("[]")) return { kind: "list", of: type.slice(0, -2), replaces };
  if (type.endsWith("{}")) return { kind: "map", of: type.slice(0, -2), replaces };
  return { kind: type.includes(":") ? "object" : "scalar", of: type, replaces };
}
