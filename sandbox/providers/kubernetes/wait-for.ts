/** The annotation `pulumi.com/waitFor`: what a program says readiness means. */
import { JSONPath } from "jsonpath-plus";
import { type Check, condition, READY, waiting } from "./readiness";

/** Annotation with one condition, or a JSON array of conditions that must all hold. */
export const WAIT_FOR = "pulumi.com/waitFor";

/**
 * The check that an annotation's value describes: `condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}`,
 * `jsonpath={.status.phase}=Running`, or a JSON array of these.
 *
 * @throws when it is none of them
 */
export function waitForCheck(value: string): Check {
  const checks = expressions(value).map(single);
  return (object) => {
    const results = checks.map((check) => check(object));
    return results.find(({ state }) => state === "failed") ?? results.find(({ state }) => state !== "ready") ?? READY;
  };
}

function expressions(value: string): string[] {
  if (!value.trimStart().startsWith("[")) return [value];
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || list.length === 0 || list.some((entry) => typeof entry !== "string")) {
    throw invalid(value, "a JSON array of strings, at least one");
  }
  return list as string[];
}

function single(expression: string): Check {
  const [, form, rest = ""] = /^(condition|jsonpath)=(.+)$/s.exec(expression) ?? [];
  if (form === "condition") return statusCondition(rest);
  if (form === "jsonpath") return jsonPath(expression, rest);
  throw invalid(expression, 'starting with "condition=" or "jsonpath="');
}

function statusCondition(expression: string): Check {
  const [type = "", status = "True"] = expression.split("=");
  return (object) => {
    const found = condition(object, type);
    if (found?.status.toLowerCase() === status.toLowerCase()) return READY;
    if (!found) return waiting(`the condition ${type} is not reported yet`);
    const why = [found.reason, found.message].filter(Boolean).join(": ");
    return waiting(`the condition ${type} is ${found.status}, not ${status}${why ? ` (${why})` : ""}`);
  };
}

function jsonPath(expression: string, rest: string): Check {
  const [, braced, plain, wanted] = /^(?:\{([^}]*)\}|([^=]+))(?:=(.*))?$/s.exec(rest) ?? [];
  const path = (braced ?? plain)?.trim().replace(/^\$/, "");
  if (!path || wanted === "") throw invalid(expression, "jsonpath={.path} or jsonpath={.path}=value");
  const rooted = `$${path.startsWith(".") || path.startsWith("[") ? "" : "."}${escapedDots(path)}`;
  return (object) => {
    const found = JSONPath<unknown[]>({ path: rooted, json: object, eval: "safe", wrap: true });
    if (found.length === 0) return waiting(`${path} is not set yet`);
    if (wanted === undefined || found.every((value) => asText(value) === wanted)) return READY;
    return waiting(`${path} is ${found.map(asText).join(", ")}, not ${wanted}`);
  };
}

/** kubectl writes a key with dots as `.a\.b`; JSONPath writes it `['a.b']`. */
function escapedDots(path: string): string {
  return path.replace(
    /\.((?:[^.[\]\\]|\\.)*\\\.(?:[^.[\]\\]|\\.)*)/g,
    (_, key: string) => `['${key.replaceAll("\\.", ".")}']`,
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function invalid(value: string, allowed: string): Error {
  return new Error(`annotation ${WAIT_FOR} is ${JSON.stringify(value)}; it has to be ${allowed}`);
}
