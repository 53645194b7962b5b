/**
 * Child processes of the sandbox: each dies with the process that started it, is recorded so that a crashed run can be
 * cleaned up by process id, and is stopped with a grace period.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { dirname, join } from "node:path";

/** One line of `processes.jsonl`. A pid alone may be somebody else's by now; pid and start time are not. */
export interface ProcessRecord {
  pid: number;
  /** Clock ticks since boot at which the process started, from /proc/PID/stat. */
  startTime: string;
  name: string;
}

export interface RunOptions {
  /** Short name for logs and errors, e.g. `etcd`. */
  name: string;
  command: string;
  args: string[];
  /** Replaces the environment. */
  env?: Record<string, string>;
  cwd?: string;
  /** File that gets stdout and stderr, appended. */
  log: string;
}

/** A running child. */
export interface Running {
  readonly pid: number;
  readonly name: string;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** True until it has ended. */
  alive(): boolean;
  /** SIGTERM, then SIGKILL after `graceMs` (default 3000). `graceMs` 0 kills at once. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts and records children below one state folder. */
export class ProcessTable {
  private readonly file: string;

  constructor(private readonly dir: string) {
    this.file = join(dir, "processes.jsonl");
  }

  /** Starts a child that the kernel kills when this process ends, however it ends. */
  run(options: RunOptions): Running {
    mkdirSync(dirname(options.log), { recursive: true });
    const log = openSync(options.log, "a");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", options.command, ...options.args], {
      cwd: options.cwd ?? this.dir,
      env: options.env ?? process.env,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    return this.adopt(child, options.name);
  }

  /** Records a process, so that a later run can end it when this one does not come to it. */
  record(pid: number, name: string): void {
    const startTime = startTimeOf(pid);
    if (startTime === undefined) return;
    appendFileSync(this.file, `${JSON.stringify({ pid, startTime, name } satisfies ProcessRecord)}\n`);
  }

  /** Records a child that was spawned elsewhere with the same promise to die with its parent. */
  adopt(child: ChildProcess, name: string): Running {
    const pid = child.pid ?? -1;
    let alive = child.exitCode === null && child.signalCode === null;
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null) => {
        alive = false;
        resolve({ code, signal });
      };
      child.once("error", () => finish(127, null));
      child.once("exit", finish);
    });
    this.record(pid, name);
    return {
      pid,
      name,
      ended,
      alive: () => alive,
      stop: async (graceMs = 3000) => {
        if (!alive) return;
        child.kill(graceMs === 0 ? "SIGKILL" : "SIGTERM");
        const timer = setTimeout(() => alive && child.kill("SIGKILL"), graceMs);
        await ended;
        clearTimeout(timer);
      },
    };
  }
}

/** Clock ticks since boot at which a process started, or undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may contain spaces; the start time is the 22nd.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Processes that are recorded below `dir` and still run. */
export function recordedAlive(dir: string): ProcessRecord[] {
  const file = join(dir, "processes.jsonl");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line ? [JSON.parse(line) as ProcessRecord] : [];
      } catch {
        return []; // the last line of a killed run may be cut off
      }
    })
    .filter((record) => startTimeOf(record.pid) === record.startTime);
}

/** Kills what a crashed run left behind. Returns what was killed; waits until it is gone. */
export async function reapLeftovers(dir: string): Promise<ProcessRecord[]> {
  const left = recordedAlive(dir);
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended in the meantime
    }
  }
  for (let tries = 0; tries < 100 && left.some((record) => startTimeOf(record.pid) === record.startTime); tries++) {
    await sleep(50);
  }
  rmSync(join(dir, "processes.jsonl"), { force: true });
  return left;
}

/** Lets a process and everything below it stand still, or go on. */
export function pauseTree(pid: number, paused: boolean): void {
  try {
    // From above when they stop, so that a parent starts nothing meanwhile.
    if (paused) process.kill(pid, "SIGSTOP");
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean))
      pauseTree(Number(child), paused);
    if (!paused) process.kill(pid, "SIGCONT");
  } catch {
    // it ended in the meantime
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A TCP port that is free on a loopback address now. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const [port] = await freePorts(1, host);
  return port!;
}

/** So many different ones: one after the other might be the same. */
export async function freePorts(count: number, host = "127.0.0.1"): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const listening = servers.map((server) => {
    const ready = once(server, "listening");
    server.listen(0, host);
    return ready;
  });
  await Promise.all(listening);
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** True when something accepts connections there. */
export function accepts(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
    socket.once("timeout", () => finish(false));
  });
}

/**
 * Waits until `ready` says so.
 *
 * @throws when it does not within `timeoutMs`, or when `child` ends first; the message names the log to read
 */
export async function waitUntil(
  what: string,
  ready: () => Promise<boolean>,
  options: { timeoutMs: number; child?: Running; log?: string; everyMs?: number },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  const where = options.log ? `; see ${options.log}` : "";
  while (!(await ready())) {
    if (options.child && !options.child.alive())
      throw new Error(`${what}: ${options.child.name} ended before it was ready${where}`);
    if (Date.now() > deadline) throw new Error(`${what} was not ready within ${options.timeoutMs / 1000} s${where}`);
    await sleep(options.everyMs ?? 50);
  }
}
