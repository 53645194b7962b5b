/** The programs that jobs run, for tests of them. */
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { loadTools } from "../../sandbox/toolchain";

/** Puts the real programs that jobs run at the end of PATH. @throws when `make setup` was not run */
export function addTools(): void {
  const tools = loadTools();
  process.env.PATH = [process.env.PATH, ...[tools.fakeGcsServer, tools.python.rclone].map(dirname)].join(delimiter);
}

function onPath(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Next folder.
    }
  }
  return undefined;
}

/** Full path of a program; those of `make setup` come onto PATH when it is not there. @throws when nobody has it */
export function program(name: string): string {
  if (onPath(name) === undefined) addTools();
  const path = onPath(name);
  if (path === undefined) throw new Error(`${name} is not on PATH; \`make setup\` builds it`);
  return path;
}
