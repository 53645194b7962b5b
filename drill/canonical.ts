/** Canonical form of stored values: what is digested is the same whoever gives or reads it. */
import type { types } from "cassandra-driver";

/** Fields of the user-defined types by name: their values are read and written by name, and hashed in this order. */
export type UserTypes = Record<string, Record<string, string>>;

/**
 * A value of a CQL type as JSON data, the same for what was given to the driver and what it reads. An empty collection
 * equals none, because Cassandra does not tell them apart.
 *
 * @throws on a type without a canonical form
 */
export function canonicalValue(type: string, value: unknown, userTypes: UserTypes): unknown {
  if (value === null || value === undefined) return null;
  const [, outer = "", inner = ""] = /^(\w+)<(.*)>$/.exec(type) ?? [];
  const nested = (of: string) => (entry: unknown) => canonicalValue(of, entry, userTypes);
  switch (outer || type) {
    case "frozen":
      return canonicalValue(inner, value, userTypes);
    case "list":
      return (value as unknown[]).length === 0 ? null : (value as unknown[]).map(nested(inner));
    case "set":
      return (value as unknown[]).length === 0 ? null : sorted((value as unknown[]).map(nested(inner)));
    case "map": {
      const [key = "", entry = ""] = split(inner);
      const pairs = Object.entries(value).map((pair) => [nested(key)(pair[0]), nested(entry)(pair[1])]);
      return pairs.length === 0 ? null : sorted(pairs);
    }
    case "tuple":
      return split(inner).map((of, index) => nested(of)((value as types.Tuple).get(index)));
    case "int":
    case "double":
    case "boolean":
    case "text":
      return value;
    case "bigint":
    case "decimal":
    case "uuid":
    case "timeuuid":
      return String(value);
    case "timestamp":
      return (value as Date).getTime();
    case "blob":
      return (value as Buffer).toString("hex");
  }
  const fields = userTypes[type];
  if (!fields) throw new Error(`no canonical form of CQL type ${type}`);
  return Object.entries(fields).map(([name, of]) => nested(of)((value as Record<string, unknown>)[name]));
}

/** JSON data with the keys of every object in order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, entry) =>
    entry !== null && typeof entry === "object" && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1)))
      : entry,
  );
}

function sorted(values: unknown[]): unknown[] {
  const texts = values.map((value) => [JSON.stringify(value), value] as const);
  return texts.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value);
}

/** Type arguments at the outermost level. */
function split(list: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const char of list) {
    if (char === "<") depth++;
    if (char === ">") depth--;
    if (char === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}
