/** Runs the phases of a drill one after another, shows their progress and keeps their times. */
import { readFileSync } from "node:fs";
import { Listr, PRESET_TIMER } from "listr2";
import { guarded } from "./guarded";
import type { PhaseTime } from "./report";
import type { Progress } from "./workspace";

/** A phase does its work, reports lines while it runs and rejects when the plan did not hold. */
export interface Phase {
  name: string;
  run: (progress: Progress) => Promise<void>;
}

/**
 * Runs phases until one fails; rejects with its error. The time of each that began is pushed to `times`.
 * @param minutes longest time of a phase
 */
async function runPhases(phases: Phase[], times: PhaseTime[], minutes: number): Promise<void> {
  const verbose = process.env.DRILL_VERBOSE !== undefined;
  await new Listr(
    phases.map((phase) => ({
      title: phase.name,
      task: async (_, task) => {
        const startedAt = new Date();
        const progress = (line: string) => {
          if (process.stdout.isTTY) task.output = line.split("\n").at(-1) ?? "";
          else if (verbose) console.log(`    ${line}`);
        };
        try {
          await guarded(phase.run(progress), minutes);
        } finally {
          times.push({
            name: phase.name,
            startedAt: startedAt.toISOString(),
            seconds: (Date.now() - startedAt.getTime()) / 1000,
          });
        }
      },
    })),
    {
      fallbackRenderer: "simple",
      rendererOptions: { timer: PRESET_TIMER, collapseErrors: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  ).run();
}

/**
 * Runs a drill's phases, and then those that clean up whatever became of the first. Never rejects.
 * @param minutes longest time of a phase; one that takes longer fails
 * @returns the first failure; undefined: everything held
 */
export async function runWhole(
  run: { phases(): Phase[]; cleanUp(failed: boolean): Phase[] },
  times: PhaseTime[],
  minutes: number,
): Promise<string | undefined> {
  let failure: string | undefined;
  for (const phases of [() => run.phases(), () => run.cleanUp(failure !== undefined)]) {
    try {
      await runPhases(phases(), times, minutes);
    } catch (error) {
      failure ??= (error as Error).message;
    }
  }
  return failure;
}

/**
 * Samples the machine's memory in use; `stop` gives the peak above the least, in MiB. The least and not the first: what a
 * killed drill left still runs at the start.
 */
export function watchMemory(everyMs = 500): { stop(): number } {
  const used = () => {
    const info = readFileSync("/proc/meminfo", "utf8");
    const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(info)?.[1] ?? 0);
    return (kib("MemTotal") - kib("MemAvailable")) / 1024;
  };
  let least = used();
  let peak = least;
  const timer = setInterval(() => {
    const now = used();
    least = Math.min(least, now);
    peak = Math.max(peak, now);
  }, everyMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(peak - least);
    },
  };
}
