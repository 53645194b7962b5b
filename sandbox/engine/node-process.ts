/** Node.js processes that the language host starts: none outlives the call that asked for it, nor the host. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const running = new Set<ChildProcess>();

/** How a process ended. */
export type Exit = { code: number } | { signal: NodeJS.Signals };

/** Starts node with these arguments. */
export function startNode(args: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(process.execPath, args, options);
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Waits for the end, with all output delivered. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    // An abort is reported as an error too, but then the process still ends and closes.
    child.on("error", (error) => error.name === "AbortError" || reject(error));
    child.once("close", (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }));
  });
}

/** Ends every process that is still running. */
export function stopAll(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
}

/** The file of a module as the program would find it, so that program and SDK share one copy of their packages. */
export function resolveFrom(folder: string, module: string): string {
  try {
    return createRequire(join(folder, "package.json")).resolve(module);
  } catch (error) {
    throw new Error(`${module} cannot be found from ${folder}: run 'npm ci' in the repository`, { cause: error });
  }
}

/** As `resolveFrom`, undefined when there is no such module. */
export function tryResolveFrom(folder: string, module: string): string | undefined {
  try {
    return createRequire(join(folder, "package.json")).resolve(module);
  } catch {
    return undefined;
  }
}
