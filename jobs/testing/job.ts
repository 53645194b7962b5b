/** Runs jobs as the image does: the bundle as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleJobs } from "../bundle";

/** A job that was run as its own process. */
export interface JobRun {
  code: number | null;
  /** The parsed lines of its output; the last one is the summary. */
  lines: Record<string, unknown>[];
}

/** A job that runs. */
export interface RunningJob {
  child: ChildProcess;
  done: Promise<JobRun>;
}

/** Environment variable that names a bundle which was built already: the suite builds one for all of its files. */
export const BUILT_BUNDLE = "TEST_JOBS_BUNDLE";

let bundle: Promise<string> | undefined;

/** File of the bundle as the image holds it, built once for this process below the temporary folder. */
export function jobsBundle(): Promise<string> {
  const built = process.env[BUILT_BUNDLE];
  bundle ??= built === undefined ? build() : Promise.resolve(built);
  return bundle;
}

async function build(): Promise<string> {
  const outfile = join(await mkdtemp(join(tmpdir(), "dr-jobs-test-")), "dr-jobs.js");
  await bundleJobs(outfile);
  process.on("exit", () => rmSync(dirname(outfile), { recursive: true, force: true }));
  return outfile;
}

/** A quarter of a short rclone's time goes into collecting garbage at its start; a test's lists are small. */
const RARELY_COLLECTED = { GOGC: "off", GOMEMLIMIT: "256MiB" };

/** Starts `dr-jobs <command>` with this DR_CONFIG and environment. */
export async function startJob(command: string, config: string, env: Record<string, string>): Promise<RunningJob> {
  const child = spawn(process.execPath, [await jobsBundle(), command], {
    env: { ...process.env, ...RARELY_COLLECTED, ...env, DR_CONFIG: config },
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const done = new Promise<JobRun>((resolve) => {
    child.on("close", (code) => {
      const lines = output
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      if (lines.length === 0) {
        lines.push({ error: errors });
      }
      resolve({ code, lines });
    });
  });
  return { child, done };
}
