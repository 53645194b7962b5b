/** Words for what zod finds wrong where a schema says nothing of its own. */
import { closestMatch } from "leven";
import { z } from "zod";

const words: Record<string, string> = {
  string: "a text",
  array: "a list",
  object: "an object",
  boolean: "true or false",
  number: "a number",
  int: "a whole number",
};

/** The message of a problem: what is allowed and, when nothing is set, what to set. */
export function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      const wanted = words[issue.expected] ?? issue.expected;
      return issue.input === undefined
        ? `set ${described(issue.inst as z.core.$ZodType | undefined) ?? wanted}`
        : `of the wrong kind; allowed: ${wanted}`;
    }
    case "too_small":
      return `${issue.origin === "string" ? "too short" : "too few"}; allowed: ${issue.minimum} or more`;
    case "too_big":
      return `too many; allowed: ${issue.maximum} or fewer`;
    case "invalid_value":
      return `not known; allowed: ${issue.values.map(String).join(", ")}`;
    default:
      return undefined;
  }
}

/** What a schema takes: its description, or the keys that its objects need. */
function described(schema: z.core.$ZodType | undefined): string | undefined {
  if (schema === undefined) return undefined;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") return `{ ${needed(def.shape).join(", ")} }`;
  if (def.type === "array" && def.element._zod.def.type === "object") return `a list of ${described(def.element)}`;
  return z.globalRegistry.get(schema)?.description;
}

const needed = (shape: z.core.$ZodShape) =>
  Object.entries(shape).flatMap(([key, { _zod }]) => (_zod.optin === undefined ? [key] : []));

/** The keys that a schema knows at a path; none where there is no object. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const [first, ...rest] = path;
  switch (def.type) {
    case "object": {
      if (first === undefined) return Object.keys(def.shape);
      const inner = def.shape[String(first)];
      return inner ? keysAt(inner, rest) : [];
    }
    case "array":
      return first === undefined ? [] : keysAt(def.element, rest);
    case "union":
      return [...new Set(def.options.flatMap((option) => keysAt(option, path)))];
    case "optional":
    case "default":
    case "prefault":
      return keysAt(def.innerType, path);
    default:
      return [];
  }
}

/** The key that was meant by one with a mistake; undefined when none is close. */
export function meant(key: string, known: readonly string[]): string | undefined {
  return closestMatch(key, known, { maxDistance: Math.ceil(key.length / 3) });
}
