/** IAM conditions: CEL over the request and the resource. Source: "Attribute reference for IAM Conditions". */
import { createHash } from "node:crypto";
import { Environment } from "@marcbachmann/cel-js";
import { CloudError } from "../../lib/types";

/** What a condition may ask about. */
export interface ConditionContext {
  time: Date;
  /** e.g. `projects/_/buckets/B/objects/O`. */
  resourceName: string;
  /** e.g. `storage.googleapis.com/Object`. */
  resourceType: string;
  /** Prefix of a listing, when the request is one. */
  listPrefix?: string;
}

/** Condition of a binding. */
export interface Condition {
  title: string;
  description?: string;
  expression: string;
}

/**
 * Id of a binding. The same role may be granted under several conditions, and a condition is another one as soon as anything it
 * says is: a grant that is prolonged is there twice until the old one is removed.
 */
export function bindingId(parts: readonly string[], condition: Condition | undefined): string {
  if (!condition) return parts.join("/");
  const { title, description = "", expression } = condition;
  const digest = createHash("sha256")
    .update(JSON.stringify([description, expression]))
    .digest("hex");
  return [...parts, title, digest.slice(0, 12)].join("/");
}

const environment = new Environment()
  .registerVariable({ name: "request", schema: { time: "google.protobuf.Timestamp" } })
  .registerVariable({ name: "resource", schema: { name: "string", type: "string", service: "string" } })
  .registerVariable("api", "map")
  .registerFunction("map.getAttribute(string, dyn): dyn", (attributes: Map<string, unknown>, name: string, other) => {
    const values = attributes as unknown as Record<string, unknown>;
    return values[name] ?? other;
  })
  // Of roles that a request grants or revokes: true when all of them are in the list.
  .registerFunction("list.hasOnly(list): bool", (roles: unknown[], allowed: unknown[]) =>
    roles.every((role) => allowed.includes(role)),
  );

const parsed = new Map<string, (context: Record<string, unknown>) => unknown>();

/** @throws CloudError 400 when the expression cannot be evaluated as a condition */
export function checkCondition({ title, expression }: Condition): void {
  if (!title) throw new CloudError(400, "invalid", "a condition needs a title");
  compile(expression);
}

/** True when the condition holds; one that cannot be evaluated does not. */
export function holds({ expression }: Condition, context: ConditionContext): boolean {
  try {
    return (
      compile(expression)({
        request: { time: context.time },
        resource: {
          name: context.resourceName,
          type: context.resourceType,
          service: context.resourceType.split("/")[0],
        },
        api: context.listPrefix === undefined ? {} : { "storage.googleapis.com/objectListPrefix": context.listPrefix },
      }) === true
    );
  } catch {
    return false;
  }
}

function compile(expression: string): (context: Record<string, unknown>) => unknown {
  const known = parsed.get(expression);
  if (known) return known;
  try {
    const program = environment.parse(expression);
    const checked = program.check();
    if (!checked.valid) throw checked.error ?? new Error("it does not type-check");
    // An attribute of `api` has a type only when it is asked for.
    if (!["bool", "dyn"].includes(checked.type ?? "")) throw new Error(`it is a ${checked.type}, not a bool`);
    parsed.set(expression, program);
    return program;
  } catch (error) {
    throw new CloudError(400, "invalid", `condition "${expression}" cannot be used: ${(error as Error).message}`);
  }
}
