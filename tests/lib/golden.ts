/** Golden inventories: every resource of a stack with its inputs, in git, so that a change shows what it changes. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeclaredResource } from "./declared";

/**
 * Compares a stack with its inventory `tests/golden/<stack>.json`; `UPDATE_GOLDEN=1` writes the inventory instead.
 * @throws AssertionError with the differences
 */
export function assertGolden(stack: string, resources: DeclaredResource[]): void {
  const path = join(__dirname, "..", "golden", `${stack}.json`);
  const found = resources.map(entry);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, `${JSON.stringify(found, null, 2)}\n`);
  const fix = `if it is meant, run \`make golden\` and review the difference`;
  assert.ok(existsSync(path), `there is no inventory of stack ${stack}; ${fix}`);
  const expected: unknown = JSON.parse(readFileSync(path, "utf8"));
  // Through JSON and back, as the inventory was.
  assert.deepEqual(JSON.parse(JSON.stringify(found)), expected, `stack ${stack} declares something else; ${fix}`);
}

/** What is worth reading of a resource: options that are off are left out. */
function entry({
  type,
  name,
  parent,
  inputs,
  custom,
  protect,
  retainOnDelete,
  deletedWith,
  dependsOn,
  ignoreChanges,
}: DeclaredResource) {
  return {
    type,
    name,
    parent,
    ...(protect && { protect }),
    ...(retainOnDelete && { retainOnDelete }),
    ...(deletedWith && { deletedWith }),
    ...(dependsOn.length > 0 && { dependsOn }),
    ...(ignoreChanges.length > 0 && { ignoreChanges }),
    ...(custom && { inputs: sorted(inputs) }),
  };
}

/** Objects with their keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
