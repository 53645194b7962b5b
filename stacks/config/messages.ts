/** Words for what zod finds wrong where a schema says nothing of its own. */
import type { z } from "zod";

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
      return issue.input === undefined ? `missing; set ${wanted}` : `of the wrong kind; allowed: ${wanted}`;
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
