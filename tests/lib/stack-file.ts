/** The repository's stack files as programs see them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig, type StackConfig } from "../../stacks/config";

const ROOT = join(__dirname, "..", "..");

/** Settings of `Pulumi.<stack>.yaml`, keys with their namespace. */
export function stackSettings(stack: string): Record<string, unknown> {
  return parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")).config;
}

/**
 * A stack's checked configuration.
 * @param changes keys without namespace; undefined removes one
 */
export function stackConfig(stack: string, changes: Record<string, unknown> = {}, name = stack): StackConfig {
  const namespaced = Object.entries(changes).map(([key, value]) => [`iconik-dr:${key}`, value] as const);
  return checkedSettings({ ...stackSettings(stack), ...Object.fromEntries(namespaced) }, name);
}

/** Settings as a stack file has them, checked as the program of a stack of that name does. */
export function checkedSettings(settings: Record<string, unknown>, name: string): StackConfig {
  const texts = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  return parseConfig(Object.fromEntries(texts), name);
}
