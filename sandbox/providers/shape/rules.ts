/** Applies rules for single values by their path: `[]` stands for every element of a list. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { isRecord, isUnknown } from "../values";
import type { Rule } from "./syntax";

/** What the rules refuse. Values that are absent or not known yet pass. */
export function refusals(rules: Record<string, Rule>, inputs: Props): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const [path, rule] of Object.entries(rules)) {
    for (const { at, value } of valuesAt(inputs, path.split("."), "")) {
      const reason = rule(value);
      if (reason !== undefined) failures.push({ property: at, reason });
    }
  }
  return failures;
}

/** Every known value behind a path with `[]` for the elements of a list. */
function* valuesAt(value: unknown, path: string[], at: string): Generator<{ at: string; value: unknown }> {
  if (value === undefined || value === null || isUnknown(value)) return;
  const [step, ...rest] = path;
  if (step === undefined) {
    yield { at, value };
  } else if (step === "[]") {
    if (Array.isArray(value))
      for (const [index, item] of value.entries()) yield* valuesAt(item, rest, `${at}[${index}]`);
  } else if (step.endsWith("[]")) {
    yield* valuesAt(value, [step.slice(0, -2), "[]", ...rest], at);
  } else if (isRecord(value)) {
    yield* valuesAt(value[step], rest, at ? `${at}.${step}` : step);
  }
}
