/** Commands of kubectl, read by kubectl itself: a good one gets as far as asking the server, which is not there. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { loadTools } from "../../../sandbox/toolchain";

/** Nobody listens on it. */
const SERVER = "http://127.0.0.1:1";

/** What `apply -f -` is given. */
const OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: none }\n";

/** Why a command is refused, or undefined. */
export function refusalOfKubectl(words: readonly string[]): Promise<string | undefined> {
  // What stands for a name that xargs puts in.
  const written = words.map((word) => word.replace("{}", "cronjob/name"));
  return new Promise((resolve) => {
    const child = execFile(
      loadTools().kubectl,
      ["--server", SERVER, ...written],
      { env: { KUBECONFIG: "/dev/null", HOME: tmpdir(), PATH: process.env.PATH }, timeout: 60_000 },
      (error, _, errors) => {
        const asked = /connection to the server \S+ was refused|connect: connection refused/.test(errors);
        resolve(error && asked ? undefined : `ends before it asks the server: ${errors.trim().split("\n")[0]}`);
      },
    );
    child.stdin?.on("error", () => undefined).end(OBJECT);
  });
}
