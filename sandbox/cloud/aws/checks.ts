/** Small checks that several behaviours share, worded as AWS words them. */
import { CloudError, type CloudResource, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";

/** 400. */
export const invalid = (message: string, code = "ValidationException") => new CloudError(400, code, message);

/** @throws CloudError 400 when a required property is absent */
export function required(props: Props, name: string): string {
  const value = text(props, name);
  if (!value) throw invalid(`${name} is required`);
  return value;
}

/** @throws CloudError 400 unless the value matches */
export function matches(value: string, pattern: RegExp, what: string, code?: string): void {
  if (!pattern.test(value)) throw invalid(`${what} "${value}" must satisfy the pattern ${pattern.source}`, code);
}

/** @throws CloudError 409 when the resource is there already */
export function absent(registry: Registry, type: string, id: string, code: string, message: string): void {
  if (registry.get(type, id)) throw new CloudError(409, code, message);
}

/** The resource. @throws CloudError 404 when it is not there */
export function present(registry: Registry, type: string, id: string, code: string, message: string): CloudResource {
  const found = registry.get(type, id);
  if (!found) throw new CloudError(404, code, message);
  return found;
}

/** The first object of a property that the provider writes as an object or as a list of one. */
export function first(value: unknown): Props {
  return ((Array.isArray(value) ? value[0] : value) ?? {}) as Props;
}

/** A property that is a list of texts. */
export const texts = (props: Props, name: string): string[] => (props[name] ?? []) as string[];
