import { delimiter, dirname } from "node:path";
import { loadTools } from "../sandbox/toolchain";

/** Puts the real programs that jobs run at the end of PATH. @throws when `make setup` was not run */
export function addTools(): void {
  const tools = loadTools();
  process.env.PATH = [process.env.PATH, ...[tools.fakeGcsServer, tools.python.rclone].map(dirname)].join(delimiter);
}
