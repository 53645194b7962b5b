/**
 * The configuration of a stack (`iconik-dr:` keys), checked before anything is created. All problems are reported at
 * once, each with the key, the value, what is allowed and the fix. One file a role has its schema.
 */
import { RunError } from "@pulumi/pulumi/errors";
import type { z } from "zod";
import { configNamespace } from "../../plan/names";
import { type BootstrapConfig, bootstrap } from "./bootstrap";
import { type FoundationConfig, foundation } from "./foundation";
import { keysAt, meant, plainWords } from "./messages";
import { type SiteConfig, site } from "./site";
import { type StandbyConfig, standby } from "./standby";
import { type VaultConfig, vault } from "./vault";

export type { BootstrapConfig, FoundationConfig, SiteConfig, StandbyConfig, VaultConfig };

/** Schemas by role. */
export const schemas = { site, vault, foundation, standby, bootstrap } as const;
export type Role = keyof typeof schemas;
export type StackConfig = SiteConfig | VaultConfig | FoundationConfig | StandbyConfig | BootstrapConfig;

/** What cannot be used and why, one line a problem. The engine shows the message alone, without a stack trace. */
export class ConfigError extends RunError {
  constructor(stack: string, problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      `configuration of stack "${stack}" has ${count}; nothing was changed\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    );
    this.name = "ConfigError";
    // The SDK colours the frames even of what it shows without, and Node.js 20 takes 17 s to give up on some (nodejs/node#64011).
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Checks a stack's configuration.
 * @param all every config value of the stack as the engine gives it (strings, structured ones as JSON)
 * @param stack the stack's name, which is the site's name unless `site` says otherwise
 * @throws ConfigError listing every problem
 */
export function parseConfig(all: Record<string, string>, stack: string): StackConfig {
  const raw = readValues(all);
  const role = raw.role as Role;
  const schema = schemas[role];
  if (!schema) {
    throw new ConfigError(stack, [problem(["role"], raw.role, `no role; allowed: ${Object.keys(schemas).join(", ")}`)]);
  }
  if (role === "site") raw.site ??= stack;
  const result = schema.safeParse(raw, { reportInput: true, error: plainWords });
  if (result.success) return result.data;
  throw new ConfigError(stack, problemsOf(result.error.issues, schema, raw));
}

/** What is the plan's and no stack's. */
const planned = new Map([["retention", "plan/retention.ts"]]);

/** A line a problem. A key with a mistake in it is one, not one more for the key that was meant and is not set. */
function problemsOf(issues: readonly z.core.$ZodIssue[], schema: (typeof schemas)[Role], raw: Values): string[] {
  const isAt = (path: PropertyKey[], inner: PropertyKey[]) => path.every((part, index) => part === inner[index]);
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => {
          // A key of another role is in the wrong place, and no mistake in writing.
          const isElsewhere = Object.values(schemas).some((each) => keysAt(each, issue.path).includes(key));
          const near = isElsewhere ? undefined : meant(key, keysAt(schema, issue.path));
          return { path: [...issue.path, key], key, near: near && [...issue.path, near] };
        })
      : [],
  );
  const mistaken = unknown.flatMap(({ near }) => (near && valueAt(raw, near) === undefined ? [near] : []));
  const explained = ({ path, key, near }: (typeof unknown)[number]) => {
    const plan = planned.get(key);
    const fix = near ? `did you mean ${String(near.at(-1))}?` : `Pulumi.yaml says which keys role ${raw.role} takes`;
    return `${keyOf(path)}: unknown here; ${plan ? `it is the plan's: ${plan}` : fix}`;
  };
  return [
    ...issues
      .filter(({ code, path }) => code !== "unrecognized_keys" && !mistaken.some((key) => isAt(key, path)))
      .map(({ path, input, message }) => problem(path, input, message)),
    ...unknown.map(explained),
  ];
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], values);
}

type Values = Record<string, unknown>;

/** Our keys without their namespace. Pulumi.yaml gives almost each an empty default, which counts as absent. */
function readValues(all: Record<string, string>): Values {
  const values: Values = {};
  for (const [key, text] of Object.entries(all)) {
    const [namespace, name] = key.split(":") as [string, string];
    if (namespace !== configNamespace || ["", "{}", "[]"].includes(text)) continue;
    values[name] = decoded(text);
  }
  return values;
}

/** Structured values and booleans come as JSON; what only looks like it is the text that somebody wrote. */
function decoded(text: string): unknown {
  if (!/^([[{]|true$|false$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function problem(path: PropertyKey[], value: unknown, message: string): string {
  if (value !== undefined) return `${keyOf(path)} is ${JSON.stringify(value)}: ${message}`;
  return `${keyOf(path)} is not set${message.startsWith("set ") ? ";" : ":"} ${message}`;
}

/** A key as a stack file has it, with the way into its value. */
function keyOf(path: PropertyKey[]): string {
  const key = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${configNamespace}:${key.slice(1)}`;
}
