/** Compares old and new inputs of a resource along the table of types. */
import { isDeepStrictEqual } from "node:util";
import type { Props } from "../../lib/types";
import type { DiffKind, DiffResult } from "../provider";
import { isRecord } from "../values";
import { type ObjectType, type ObjectTypes, parseType } from "./table";

/**
 * What changes between two sets of inputs, and which changes force a replacement: those of properties the schema marks so,
 * at any depth. A value that is not known yet counts as changed.
 */
export function diffInputs(type: ObjectType, olds: Props, news: Props, objects: ObjectTypes): DiffResult {
  const detailed: Record<string, DiffKind> = {};
  diffObject(type, olds, news, "", { objects, detailed });
  const paths = Object.keys(detailed);
  return {
    changes: paths.length > 0,
    replaces: paths.filter((path) => detailed[path]?.endsWith("-replace")),
    diffs: [...new Set(paths.map((path) => path.split(/[.[]/)[0]!))],
    detailed,
  };
}

interface Walk {
  objects: ObjectTypes;
  detailed: Record<string, DiffKind>;
}

function diffObject(type: ObjectType, olds: Props, news: Props, path: string, walk: Walk): void {
  for (const name of keys(olds, news)) {
    const expression = Object.hasOwn(type.properties, name) ? type.properties[name]! : "string";
    diffValue(expression, olds[name], news[name], path ? `${path}.${name}` : name, false, walk);
  }
}

function diffValue(
  expression: string,
  old: unknown,
  value: unknown,
  path: string,
  parentReplaces: boolean,
  walk: Walk,
) {
  const { objects, detailed } = walk;
  const type = parseType(expression);
  const replaces = parentReplaces || type.replaces;
  if (isAbsent(old) && isAbsent(value)) return;
  if (isAbsent(old) || isAbsent(value)) {
    const kind = isAbsent(old) ? "add" : "delete";
    detailed[path] = replaces || innerReplaces(expression, old ?? value, objects) ? `${kind}-replace` : kind;
  } else if (sameSet(old, value)) {
    return;
  } else if (type.kind === "list" && Array.isArray(old) && Array.isArray(value)) {
    for (let index = 0; index < Math.max(old.length, value.length); index++) {
      diffValue(type.of, old[index], value[index], `${path}[${index}]`, replaces, walk);
    }
  } else if (type.kind === "map" && isRecord(old) && isRecord(value)) {
    for (const key of keys(old, value)) {
      diffValue(type.of, old[key], value[key], `${path}["${key}"]`, replaces, walk);
    }
  } else if (type.kind === "object" && isRecord(old) && isRecord(value)) {
    // The mark on an object is about its coming and going; what is inside has marks of its own.
    diffObject(objects(type.of), old, value, path, walk);
  } else if (JSON.stringify(old) !== JSON.stringify(value) && !(type.of === "json" && sameJson(old, value))) {
    detailed[path] = replaces ? "update-replace" : "update";
  }
}

/** True when an object that comes or goes as a whole sets a property that cannot be changed. */
function innerReplaces(expression: string, value: unknown, objects: ObjectTypes): boolean {
  const type = parseType(expression);
  if (type.replaces) return true;
  if (type.kind === "list" && Array.isArray(value)) return value.some((item) => innerReplaces(type.of, item, objects));
  if (type.kind !== "object" || !isRecord(value)) return false;
  const { properties } = objects(type.of);
  return Object.entries(value).some(
    ([name, child]) =>
      !isAbsent(child) && properties[name] !== undefined && innerReplaces(properties[name], child, objects),
  );
}

/** The cloud's lists of words (members, ranges, permissions) are sets: their order means nothing. */
function sameSet(old: unknown, value: unknown): boolean {
  const words = (list: unknown) =>
    Array.isArray(list) && list.every((item) => typeof item === "string")
      ? JSON.stringify([...list].sort())
      : undefined;
  const before = words(old);
  return before !== undefined && before === words(value);
}

/** JSON texts and objects that say the same, whatever their layout. */
function sameJson(old: unknown, value: unknown): boolean {
  try {
    const [before, now] = [old, value].map((each) => (typeof each === "string" ? JSON.parse(each) : each));
    return isDeepStrictEqual(before, now);
  } catch {
    return false;
  }
}

function keys(a: Props, b: Props): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
