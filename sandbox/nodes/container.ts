/** One container of a pod: a program in bubblewrap, started, probed, signalled and entered by its process id. */
import { execFile, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type ProcessTable, pauseTree, type Running } from "../lib/process";
import type { ExecResult } from "../lib/types";
import { asUser, bubblewrapArgs, INFO_FD, type Root } from "./bubblewrap";

export interface ContainerProgram {
  name: string;
  bwrap: string;
  root: Root;
  command: string[];
  env: Record<string, string>;
  log: string;
  /** File that the program may leave its last words in. */
  lastWords?: string;
}

/** Whoever waits for a command that hangs would do nothing else any more. */
const LONGEST_EXEC_MS = 15 * 60_000;

/** How much of a container's last words, or of a failed one's log, goes into its status: as much as kubelets take. */
const MESSAGE_BYTES = { file: 4096, log: 2048 };

export class ContainerProcess {
  readonly startedAt = new Date();
  /** Process id, on this machine, of the container's first process. */
  private inner: Promise<number>;

  private constructor(
    private readonly program: ContainerProgram,
    readonly process: Running,
    info: Promise<number>,
  ) {
    this.inner = info;
  }

  static start(program: ContainerProgram, processes: ProcessTable): ContainerProcess {
    mkdirSync(dirname(program.log), { recursive: true });
    const log = openSync(program.log, "a");
    const child = spawn(program.bwrap, bubblewrapArgs(program.root, program.command), {
      env: program.env,
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    const info = new Promise<number>((resolve) => {
      let text = "";
      child.stdio[INFO_FD]?.on("data", (chunk) => {
        text += chunk;
        const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
        if (pid) resolve(Number(pid));
      });
      child.once("exit", () => resolve(-1));
      child.once("error", () => resolve(-1));
    });
    void info.then((pid) => pid > 0 && processes.record(pid, program.name));
    return new ContainerProcess(program, processes.adopt(child, program.name), info);
  }

  /** Exit code when it has ended; 128 + signal when it was killed. */
  async exitCode(): Promise<number> {
    const { code, signal } = await this.process.ended;
    return code ?? (signal === "SIGKILL" ? 137 : 143);
  }

  /** SIGTERM to the container's first process, as a kubelet does, then the whole container is killed. */
  async stop(graceSeconds: number): Promise<void> {
    const pid = await this.inner;
    if (graceSeconds > 0 && pid > 0 && this.process.alive()) {
      signal(pid, "SIGTERM");
      await Promise.race([
        this.process.ended,
        new Promise((resolve) => setTimeout(resolve, graceSeconds * 1000).unref()),
      ]);
    }
    // A program may have lost the promise to die with bubblewrap; without its first process the namespace is gone.
    if (pid > 0 && this.process.alive()) signal(pid, "SIGKILL");
    await this.process.stop(0);
  }

  /** Lets all of its processes stand still, or go on. */
  async pause(paused: boolean): Promise<void> {
    const pid = await this.inner;
    if (pid > 0) pauseTree(pid, paused);
  }

  /** Runs a command in the container's own namespaces; one that takes longer than `timeoutMs` is killed. */
  async exec(command: string[], env: Record<string, string> = {}, timeoutMs = LONGEST_EXEC_MS): Promise<ExecResult> {
    const pid = await this.inner;
    if (pid < 0 || !this.process.alive())
      return { code: 1, stdout: "", stderr: `container ${this.program.name} is not running` };
    return new Promise((resolve) => {
      execFile(
        "nsenter",
        [
          ...["--target", String(pid), "--mount", "--pid", "--ipc", `--wdns=${this.program.root.workingDir}`, "--"],
          ...asUser(this.program.root.user),
          ...command,
        ],
        { env: { ...this.program.env, ...env }, maxBuffer: 64 << 20, timeout: timeoutMs, killSignal: "SIGKILL" },
        (error, stdout, stderr) => {
          const code = error ? (typeof error.code === "number" ? error.code : 137) : 0;
          resolve({ code, stdout, stderr });
        },
      );
    });
  }

  /** What it left in its file, or undefined. */
  lastWords(): string | undefined {
    const { lastWords } = this.program;
    return lastWords === undefined ? undefined : tail(lastWords, MESSAGE_BYTES.file) || undefined;
  }

  /** The end of its log. */
  lastLines(): string {
    return tail(this.program.log, MESSAGE_BYTES.log);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended in the meantime
  }
}

/** The end of a file, at most `bytes` of it; empty when there is none. */
export function tail(path: string, bytes: number): string {
  if (!existsSync(path)) return "";
  const size = statSync(path).size;
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(Math.min(size, bytes));
  readSync(file, buffer, 0, buffer.length, size - buffer.length);
  closeSync(file);
  return buffer.toString("utf8").trim();
}
