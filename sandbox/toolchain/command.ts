/** Runs a build command to its end; its output is shown only when it fails. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Enough of a failed command's output to see the reason, without the noise before it. */
const shownLines = 40;

/** How a command is run. */
export interface CommandOptions {
  cwd?: string;
  /** Additions to this process's environment. */
  env?: Record<string, string>;
}

/** Runs a program; rejects with the end of its output unless it exits with 0. Resolves with its standard output. */
export async function command(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let all = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    all += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  if (code === 0) return stdout;
  const end = all.trimEnd().split("\n").slice(-shownLines).join("\n");
  const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
  throw new Error(`${[program, ...args].join(" ")} ${how}${options.cwd ? ` in ${options.cwd}` : ""}:\n${end}`);
}
