/** Checks a resource's inputs against the table of types: unknown, missing and wrongly typed properties. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { isRecord, isUnknown } from "../values";
import { type ObjectType, type ObjectTypes, parseType } from "./table";

/** Every place where the inputs do not fit the type. Values that are not known yet pass. */
export function checkShape(type: ObjectType, inputs: Props, objects: ObjectTypes): CheckFailure[] {
  const failures: CheckFailure[] = [];
  checkObject(type, inputs, "", { objects, failures });
  return failures;
}

interface Walk {
  objects: ObjectTypes;
  failures: CheckFailure[];
}

function checkObject(type: ObjectType, value: Props, path: string, walk: Walk): void {
  const { failures } = walk;
  for (const [name, child] of Object.entries(value)) {
    const expression = Object.hasOwn(type.properties, name) ? type.properties[name] : undefined;
    const at = path ? `${path}.${name}` : name;
    if (expression) checkValue(expression, child, at, walk);
    else failures.push({ property: at, reason: unknownProperty(name, Object.keys(type.properties)) });
  }
  for (const name of type.required ?? []) {
    if (value[name] !== undefined && value[name] !== null) continue;
    failures.push({ property: path ? `${path}.${name}` : name, reason: `Missing required argument: set ${name}` });
  }
}

function checkValue(expression: string, value: unknown, path: string, walk: Walk): void {
  const { failures, objects } = walk;
  if (value === undefined || value === null || isUnknown(value)) return;
  const type = parseType(expression);
  if (type.kind === "list") {
    if (!Array.isArray(value)) failures.push(wrongType(path, value, "a list"));
    else value.forEach((item, index) => void checkValue(type.of, item, `${path}[${index}]`, walk));
  } else if (type.kind === "map") {
    if (!isRecord(value)) failures.push(wrongType(path, value, "a map"));
    else for (const [key, item] of Object.entries(value)) checkValue(type.of, item, `${path}["${key}"]`, walk);
  } else if (type.kind === "object") {
    if (!isRecord(value)) failures.push(wrongType(path, value, "an object"));
    else checkObject(objects(type.of), value, path, walk);
  } else if (!isScalar(type.of, value)) {
    failures.push(wrongType(path, value, type.of === "integer" ? "a whole number" : `a ${type.of}`));
  }
}

function isScalar(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "json") return typeof value === "string" || isRecord(value);
  return typeof value === type;
}

function wrongType(property: string, value: unknown, wanted: string): CheckFailure {
  return { property, reason: `must be ${wanted}, but is ${JSON.stringify(value)}` };
}

function unknownProperty(name: string, allowed: string[]): string {
  const near = closest(name, allowed);
  return near
    ? `"${name}" is not a property here; did you mean "${near}"?`
    : `"${name}" is not a property here; allowed are ${allowed.join(", ")}`;
}

/** The candidate a misspelt word most likely means, or undefined when none is near. */
export function closest(word: string, candidates: string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
