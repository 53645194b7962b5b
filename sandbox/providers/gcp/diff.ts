/** Compares old and new inputs of a resource along the table of types. */
import type { Props } from "../../lib/types";
import type { DiffKind, DiffResult } from "../provider";
import { isRecord } from "../values";
import { type ObjectType, objectType, parseType } from "./table";

/**
 * What changes between two sets of inputs, and which changes force a replacement: those of properties the schema marks so,
 * at any depth. A value that is not known yet counts as changed.
 */
export function diffInputs(type: ObjectType, olds: Props, news: Props): DiffResult {
  const detailed: Record<string, DiffKind> = {};
  diffObject(type, olds, news, "", detailed);
  const paths = Object.keys(detailed);
  return {
    changes: paths.length > 0,
    replaces: paths.filter((path) => detailed[path]?.endsWith("-replace")),
    diffs: [...new Set(paths.map((path) => path.split(/[.[]/)[0]!))],
    detailed,
  };
}

type Detailed = Record<string, DiffKind>;

function diffObject(type: ObjectType, olds: Props, news: Props, path: string, into: Detailed): void {
  for (const name of keys(olds, news)) {
    const expression = Object.hasOwn(type.properties, name) ? type.properties[name]! : "string";
    diffValue(expression, olds[name], news[name], path ? `${path}.${name}` : name, false, into);
  }
}

function diffValue(
  expression: string,
  old: unknown,
  value: unknown,
  path: string,
  parentReplaces: boolean,
  into: Detailed,
) {
  const type = parseType(expression);
  const replaces = parentReplaces || type.replaces;
  if (isAbsent(old) && isAbsent(value)) return;
  if (isAbsent(old) || isAbsent(value)) {
    const kind = isAbsent(old) ? "add" : "delete";
    into[path] = replaces || innerReplaces(expression, old ?? value) ? `${kind}-replace` : kind;
  } else if (sameSet(old, value)) {
    return;
  } else if (type.kind === "list" && Array.isArray(old) && Array.isArray(value)) {
    for (let index = 0; index < Math.max(old.length, value.length); index++) {
      diffValue(type.of, old[index], value[index], `${path}[${index}]`, replaces, into);
    }
  } else if (type.kind === "map" && isRecord(old) && isRecord(value)) {
    for (const key of keys(old, value)) {
      diffValue(type.of, old[key], value[key], `${path}["${key}"]`, replaces, into);
    }
  } else if (type.kind === "object" && isRecord(old) && isRecord(value)) {
    // The mark on an object is about its coming and going; what is inside has marks of its own.
    diffObject(objectType(type.of), old, value, path, into);
  } else if (JSON.stringify(old) !== JSON.stringify(value)) {
    into[path] = replaces ? "update-replace" : "update";
  }
}

/** True when an object that comes or goes as a whole sets a property that cannot be changed. */
function innerReplaces(expression: string, value: unknown): boolean {
  const type = parseType(expression);
  if (type.replaces) return true;
  if (type.kind === "list" && Array.isArray(value)) return value.some((item) => innerReplaces(type.of, item));
  if (type.kind !== "object" || !isRecord(value)) return false;
  const { properties } = objectType(type.of);
  return Object.entries(value).some(
    ([name, child]) => !isAbsent(child) && properties[name] !== undefined && innerReplaces(properties[name], child),
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

function keys(a: Props, b: Props): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
