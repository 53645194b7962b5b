import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Full path of a program on PATH. @throws when it is not there, saying how to get it. */
export function program(name: string): string {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Next folder.
    }
  }
  throw new Error(`${name} is not on PATH; \`make setup\` builds it and \`make test\` puts it there`);
}
