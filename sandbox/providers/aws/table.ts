/** The table of resource types the sandbox knows, made from the package's declarations by generate.ts. */
import type { ObjectType, ResourceType, Table } from "../shape/table";
import schema from "./schema.json";

const table: Table = schema;

/** Version of the package the table was made from. */
export const packageVersion = table.version;

/** The type behind a token such as `aws:s3/bucket:Bucket`, or undefined when the table lacks it. */
export function resourceType(token: string): ResourceType | undefined {
  const key = token.replace(/^aws:/, "");
  return Object.hasOwn(table.resources, key) ? table.resources[key] : undefined;
}

/** The object type a type expression names. */
export function objectType(key: string): ObjectType {
  const found = Object.hasOwn(table.objects, key) ? table.objects[key] : undefined;
  if (!found) throw new Error(`sandbox/providers/aws/schema.json lacks the object type ${key}; run generate.ts again`);
  return found;
}
