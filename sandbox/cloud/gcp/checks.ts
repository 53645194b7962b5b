/** Small checks that several behaviours share, worded as Google's APIs word them. */
import { randomBytes } from "node:crypto";
import { CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";

/** Version of a policy, new with every write. */
export const etag = (): string => randomBytes(8).toString("base64");

/** 400. */
export const invalid = (message: string) => new CloudError(400, "invalid", message);
/** 404. */
export const notFound = (what: string) => new CloudError(404, "notFound", `${what} was not found`);
/** 409. */
export const conflict = (what: string) => new CloudError(409, "conflict", `${what} already exists`);

/** @throws CloudError 400 when a required property is absent */
export function required(props: Props, name: string, what: string): string {
  const value = text(props, name);
  if (!value) throw invalid(`${what}: required field ${name} is not set`);
  return value;
}

/** @throws CloudError 400 unless the value matches */
export function matches(value: string, pattern: RegExp, what: string): void {
  if (!pattern.test(value)) throw invalid(`Invalid value for ${what}: "${value}" must match ${pattern.source}`);
}

/** @throws CloudError 409 when the resource is there already */
export function absent(registry: Registry, type: string, id: string): void {
  if (registry.get(type, id)) throw conflict(id);
}

/** RFC 1035 label of Compute Engine and GKE names. */
export const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
