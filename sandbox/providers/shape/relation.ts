/** What relations between properties are made of. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { isRecord } from "../values";

/** Failures between properties of a resource; values that are not known yet pass. */
export type Relation = (inputs: Props) => (CheckFailure | undefined)[];

export function failIf(condition: boolean, property: string, reason: string): CheckFailure | undefined {
  return condition ? { property, reason } : undefined;
}

/** The objects of a list; none when it is absent or not known yet. */
export function records(value: unknown): Props[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
