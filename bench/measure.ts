/** Memory of the program that an engine runs, and what is made of several measurements. */
import { readdirSync, readFileSync } from "node:fs";

/** The SDK's entry of programs; policy packs and plugins have others. */
const PROGRAM = /@pulumi\/pulumi\/cmd\/run(?:\/index\.js)?\0/;

/** Watches the program's process below the engine's; `stop` gives its greatest resident size in MiB, 0 when none ran. */
export function watchProgram(engine: number, everyMs = 20): { stop(): number } {
  let kib = 0;
  let found: number | undefined;
  const timer = setInterval(() => {
    found ??= descendants(engine).find((pid) => PROGRAM.test(read(`/proc/${pid}/cmdline`)));
    if (found !== undefined) kib = Math.max(kib, peakKib(read(`/proc/${found}/status`)));
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return kib / 1024;
    },
  };
}

/** The kernel's own high-water mark of a process. */
export function peakKib(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}

/** CPU time in seconds of all processes below this one that have ended; Linux counts it in hundredths. */
export function endedCpuSeconds(): number {
  // Behind the name in parentheses: state is field 3, cutime and cstime are 16 and 17.
  const fields = read("/proc/self/stat").split(") ")[1]!.split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Middle value; of an even number of values the mean of the middle two. */
export function median(values: number[]): number {
  if (values.length === 0) throw new Error("there is no median of nothing");
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
