/** Differences of two property trees, by path. */
import type { Props } from "../../lib/types";
import { isRecord } from "../values";

/** One difference. */
export interface Change {
  path: (string | number)[];
  kind: "add" | "delete" | "update";
}

/** Every leaf that differs. Absent and empty optional values count as equal only when both are absent. */
export function changesOf(before: unknown, after: unknown, path: (string | number)[] = []): Change[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changesOf(before[key] ?? undefined, after[key] ?? undefined, [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => changesOf(before[index], after[index], [...path, index])).flat();
  }
  if (before === after) return [];
  if (before === undefined) return [{ path, kind: "add" }];
  return [{ path, kind: after === undefined ? "delete" : "update" }];
}

/** A path as the engine writes it: `spec.containers[0].args`, `metadata.labels["a.b/c"]`. */
export function pathText(path: (string | number)[]): string {
  return path
    .map((segment, index) => {
      if (typeof segment === "number") return `[${segment}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(segment)) return `[${JSON.stringify(segment)}]`;
      return index === 0 ? segment : `.${segment}`;
    })
    .join("");
}

/** True when a change is at, below or above a dotted pattern such as `spec.containers.*.image`. */
export function touches(change: Change, pattern: string): boolean {
  const wanted = pattern.split(".");
  return wanted
    .slice(0, change.path.length)
    .every((segment, index) => segment === "*" || segment === String(change.path[index]));
}

/** JSON merge patch (RFC 7386) that turns what `before` declared into what `after` declares. */
export function mergePatch(before: Props, after: Props): Props {
  const patch: Props = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, next] = [before[key], after[key]];
    if (next === undefined) patch[key] = null;
    else patch[key] = isRecord(next) ? mergePatch(isRecord(old) ? old : {}, next) : next;
  }
  return patch;
}

/** What a live object has at the places that `declared` names; what the server filled in elsewhere is left out. */
export function pruned(live: unknown, declared: unknown): unknown {
  if (isRecord(declared)) {
    if (!isRecord(live)) return live === undefined && isEmpty(declared) ? declared : live;
    return Object.fromEntries(
      Object.keys(declared)
        .map((key) => [key, pruned(live[key], declared[key])] as const)
        .filter(([, value]) => value !== undefined),
    );
  }
  if (Array.isArray(declared)) {
    if (live === undefined && declared.length === 0) return declared;
    if (!Array.isArray(live)) return live;
    return live.map((entry, index) => (index < declared.length ? pruned(entry, declared[index]) : entry));
  }
  return live;
}

function isEmpty(value: Props): boolean {
  return Object.values(value).every((entry) => isRecord(entry) && isEmpty(entry));
}
