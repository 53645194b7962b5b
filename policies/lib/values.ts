/** Reading loosely typed properties. */

export type Values = Record<string, unknown>;

/** A nested object; empty when absent. */
export function object(value: unknown): Values {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Values) : {};
}

/** A list of objects; empty when absent. */
export function objects(value: unknown): Values[] {
  return Array.isArray(value) ? value.map(object) : [];
}

/** A list of texts; empty when absent. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** A value as a person reads it in a message. */
export function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
