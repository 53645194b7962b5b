/** Reading loosely typed properties. */
import { MalformedError } from "./judge";

export type Values = Record<string, unknown>;

/** A nested object; empty when absent. */
export function object(value: unknown): Values {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Values) : {};
}

/** A list of objects; empty when absent. */
export function objects(value: unknown): Values[] {
  return Array.isArray(value) ? Array.from(value, object) : [];
}

/** A list of texts; empty when absent. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? Array.from(value, String) : [];
}

/** What is at a path of nested objects, e.g. `at(props, "spec", "reaper")`; undefined when any part is absent. */
export function at(value: unknown, ...path: string[]): unknown {
  return path.reduce((inner, key) => object(inner)[key], value);
}

/**
 * The object that a JSON text says; empty when absent.
 * @throws MalformedError for a text that says none
 */
export function json(value: unknown, what: string): Values {
  if (value === undefined || value === null) return {};
  try {
    const parsed: unknown = JSON.parse(String(value));
    if (parsed !== null && typeof parsed === "object" && !Array.isArray(parsed)) return parsed as Values;
  } catch {}
  throw new MalformedError(`${what} is no JSON object; write it with JSON.stringify`);
}

/** Every text in a value, however deep. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsIn) : [];
}

/** A value as a person reads it in a message. */
export function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
