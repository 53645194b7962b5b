/**
 * The drill's Pulumi workspace: the project's own Pulumi.yaml and programs, stacks whose names start with `drill-`,
 * driven through the Automation API as an operator would drive them by hand.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EngineEvent, LocalWorkspace, type OutputMap, type Stack } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";
import { killChildren } from "./kill-tree";

export const PROJECT_ROOT = join(__dirname, "..");

/** Called with each line the engine prints. */
export type Progress = (line: string) => void;

const stackFile = (name: string) => join(PROJECT_ROOT, `Pulumi.${name}.yaml`);

/**
 * Creates the stack, or selects it when a killed run left it, and replaces its configuration.
 * @param envVars what its commands have in their environment beside this process's
 */
export async function openStack(
  name: string,
  config: Record<string, unknown>,
  envVars: Record<string, string> = {},
): Promise<Stack> {
  const stack = await LocalWorkspace.createOrSelectStack({ stackName: name, workDir: PROJECT_ROOT }, { envVars });
  setConfig(name, config);
  return stack;
}

/**
 * Replaces the stack file's `config` and leaves what `stack init` wrote beside it: the salt of the secrets provider,
 * without which the stack's secrets are lost.
 */
export function setConfig(name: string, config: Record<string, unknown>): void {
  const path = stackFile(name);
  const settings = existsSync(path) ? (parse(readFileSync(path, "utf8")) ?? {}) : {};
  settings.config = Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key.includes(":") ? key : `iconik-dr:${key}`, value]),
  );
  writeFileSync(path, stringify(settings));
}

/** What an update does besides. */
export interface UpOptions {
  /** It reads what there is first. */
  refresh?: boolean;
  /** Is told of the engine's events. */
  hear?(event: EngineEvent): void;
}

/** `pulumi up` with the policy pack, as CI runs it. Returns the stack's outputs. */
export async function up(stack: Stack, progress: Progress, { refresh, hear }: UpOptions = {}): Promise<OutputMap> {
  try {
    const result = await stack.up({
      onOutput: lines(progress),
      color: "never",
      suppressProgress: true,
      policyPacks: [join(PROJECT_ROOT, "policies")],
      ...(refresh && { refresh }),
      ...(hear && { onEvent: hear }),
    });
    return result.outputs;
  } catch (error) {
    throw new Error(`pulumi up of ${stack.name} failed\n${diagnostics((error as Error).message)}`);
  }
}

/** Milliseconds between the begin of a step and a death in it: what the step makes is there by then, and the state does not know. */
const WITHIN_MS = 500;

/**
 * `pulumi up` that is killed (-9) with everything it started while it makes or changes one of these resources. The lock that it
 * leaves is cancelled, as a runbook has it.
 * @param names of resources, as the program calls them
 * @returns the resource at which it died
 * @throws when it ended before
 */
export async function dyingUp(stack: Stack, names: readonly string[], progress: Progress): Promise<string> {
  let died: string | undefined;
  let killed = false;
  const hear = ({ resourcePreEvent }: EngineEvent) => {
    const { op, urn } = resourcePreEvent?.metadata ?? {};
    const name = urn?.split("::").at(-1);
    if (died !== undefined || op === "same" || name === undefined || !names.includes(name)) return;
    died = name;
    setTimeout(() => {
      killed = killChildren("pulumi") > 0;
    }, WITHIN_MS);
  };
  try {
    await up(stack, progress, { hear });
  } catch (error) {
    if (!killed) throw error;
    await stack.cancel();
    return died!;
  }
  throw new Error(`it ended before it was killed at one of ${names.join(", ")}`);
}

/** What the engine says went wrong, without the log around it. */
export function diagnostics(log: string): string {
  const refused = [...log.matchAll(/^\s*- \[mandatory\].*\n(?:\s{6,}\S.*\n?)*/gm)].map(([each]) => each.trim());
  if (refused.length > 0) return refused.join("\n");
  const last = log.lastIndexOf("Diagnostics:");
  if (last < 0) return log.slice(-2000);
  const [section = ""] = log.slice(last + "Diagnostics:".length).split(/\n\n(?=\S)/);
  return section
    .split("\n")
    .filter((line) => line.trim() && !line.includes("from $PATH"))
    .join("\n");
}

/** `pulumi preview --expect-no-changes`; rejects naming the changed resources. */
export async function expectNoChanges(stack: Stack, progress: Progress): Promise<void> {
  await stack.preview({ onOutput: lines(progress), color: "never", expectNoChanges: true, diff: true });
}

/** `pulumi preview` of what the program refuses. @returns why. @throws when it is not refused */
export async function refusedPreview(stack: Stack, progress: Progress): Promise<string> {
  const said = await stack.preview({ onOutput: lines(progress), color: "never" }).then(
    () => undefined,
    (error: Error) => diagnostics(error.message),
  );
  if (said === undefined) throw new Error(`pulumi preview of ${stack.name} was to be refused, and was not`);
  return said;
}

/** `pulumi refresh --expect-no-changes`: what lives is what the state says; rejects naming what has drifted. */
export async function expectNoDrift(stack: Stack, progress: Progress): Promise<void> {
  await stack.refresh({ onOutput: lines(progress), color: "never", suppressProgress: true, expectNoChanges: true });
}

/** `pulumi destroy` and `pulumi stack rm`; a stack that does not exist is already destroyed. */
export async function destroy(name: string, progress: Progress): Promise<void> {
  const stacks = await (await LocalWorkspace.create({ workDir: PROJECT_ROOT })).listStacks();
  if (stacks.some((summary) => summary.name === name)) {
    const stack = await LocalWorkspace.selectStack({ stackName: name, workDir: PROJECT_ROOT });
    await stack.destroy({ onOutput: lines(progress), color: "never", suppressProgress: true });
    await stack.workspace.removeStack(name);
  }
  forget(name);
}

/** Removes the stack file that a drill generated. */
export function forget(name: string): void {
  rmSync(stackFile(name), { force: true });
}

/** A resource in a state. */
export interface StateResource {
  type: string;
  outputs?: Record<string, unknown>;
}

/** The resources in the state of a stack. */
export async function stateOf(stack: Stack): Promise<StateResource[]> {
  const { resources = [] } = (await stack.exportStack()).deployment as { resources?: StateResource[] };
  return resources;
}

/** Service accounts in the state of a stack: the identities an attacker could have taken there. */
export async function serviceAccounts(stack: Stack): Promise<string[]> {
  return (await stateOf(stack))
    .filter(({ type }) => type === "gcp:serviceaccount/account:Account")
    .flatMap(({ outputs }) => (typeof outputs?.email === "string" ? [outputs.email] : []))
    .sort();
}

function lines(progress: Progress): (chunk: string) => void {
  return (chunk) => {
    for (const line of chunk.split("\n")) if (line.trim()) progress(line.trim());
  };
}
