/** Ends processes as a lost machine does: at once, with everything that they started. */
import { readdirSync, readFileSync } from "node:fs";

/** Kills (-9) a process and all below it. */
export function killTree(pid: number): void {
  for (const each of processTree(pid)) kill(each);
}

/**
 * Kills every running child of this process that runs a program, with all below it; by another signal only itself.
 * @returns how many there were
 */
export function killChildren(program: string, signal: NodeJS.Signals = "SIGKILL"): number {
  const children = childrenOf(process.pid).filter((pid) => nameOf(pid) === program);
  for (const child of children)
    if (signal === "SIGKILL") killTree(child);
    else kill(child, signal);
  return children.length;
}

function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((each) => /^\d+$/.test(each))
    .map(Number)
    .filter((each) => statOf(each)?.parent === pid);

const nameOf = (pid: number) => statOf(pid)?.name;

/** A process's program and parent; undefined: it ended in the meantime. */
function statOf(pid: number): { name: string; parent: number } | undefined {
  try {
    // "PID (PROGRAM) STATE PARENT …", where the program may have spaces and parentheses of its own.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    return { name: stat.slice(stat.indexOf("(") + 1, end), parent: Number(stat.slice(end + 2).split(" ")[1]) };
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
