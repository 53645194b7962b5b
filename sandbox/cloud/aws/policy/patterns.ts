/** Wildcards and variables of IAM policies. Source: "IAM JSON policy elements: Resource", "IAM policy elements: Variables". */

const compiled = new Map<string, RegExp>();
/** Patterns remembered: policies repeat theirs at every request. */
const REMEMBERED = 5000;

/** True when a text fits a pattern, in which `*` stands for any text and `?` for one character. */
export function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const key = `${ignoreCase ? "i" : ""} ${pattern}`;
  let expression = compiled.get(key);
  if (!expression) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*/g, "[\\s\\S]*")
      .replace(/\?/g, "[\\s\\S]");
    expression = new RegExp(`^${source}$`, ignoreCase ? "i" : "");
    if (compiled.size >= REMEMBERED) compiled.clear();
    compiled.set(key, expression);
  }
  return expression.test(text);
}

/** ARNs are compared part by part: a wildcard does not reach over a colon of the first five. */
export function likeArn(actual: string, wanted: string): boolean {
  const [own, asked] = [parts(actual), parts(wanted)];
  return own.length === 6 && asked.length === 6 && asked.every((part, index) => matches(part, own[index] ?? ""));
}

function parts(text: string): string[] {
  const words = text.split(":");
  return words.length < 6 ? words : [...words.slice(0, 5), words.slice(5).join(":")];
}

const SPECIAL: Record<string, string> = { "*": "*", "?": "?", $: "$" };

/**
 * A text with its variables, such as `${aws:PrincipalTag/team}` and, with a default, `${aws:username, 'nobody'}`. Undefined
 * when the request has no value for one: such a text matches nothing.
 */
export function substitute(text: string, context: ReadonlyMap<string, readonly string[]>): string | undefined {
  let known = true;
  const result = text.replace(/\$\{([^},]+)(?:,\s*'([^']*)')?\}/g, (_, name: string, fallback?: string) => {
    const value = SPECIAL[name] ?? context.get(name.trim().toLowerCase())?.[0] ?? fallback;
    if (value === undefined) known = false;
    return value ?? "";
  });
  return known ? result : undefined;
}
