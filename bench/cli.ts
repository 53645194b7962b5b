/** `bench [--runs N]`: what previews of prod and of the standby cost beside an empty program's, in alternating runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { buildProviders } from "../sandbox/providers/build";
import { LocalProject } from "../tests/lib/local-project";
import { stackSettings } from "../tests/lib/stack-file";
import { endedCpuSeconds, watchProgram } from "./measure";
import { type Sample, type StackSamples, summarize, table } from "./summary";

const ROOT = join(__dirname, "..");

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError(`"${text}" is no whole number from 1 to 100`);
  return value;
}

const { runs } = new Command("bench")
  .description("Measures previews of prod, of the standby and of an empty program in turn")
  .option("--runs <count>", "alternating runs, after one that warms up", count, 5)
  .parse()
  .opts<{ runs: number }>();

/** Stacks that are measured. */
const STACKS = ["prod", "aws-standby"];

async function preview(project: LocalProject, ...more: string[]): Promise<Sample> {
  let watched: ReturnType<typeof watchProgram> | undefined;
  const cpu = endedCpuSeconds();
  const ended = await project.run(["preview", ...more], (pid) => {
    watched = watchProgram(pid);
  });
  const memoryMiB = watched?.stop() ?? 0;
  if (ended.code !== 0) throw new Error(`the preview failed\n${ended.text}`);
  // `preview --json` would count them too, but it panics on secrets (see docs/traps.md).
  const created = Number(/^ +\+ (\d+) to create/m.exec(ended.stdout)?.[1] ?? 0);
  return {
    seconds: ended.seconds,
    cpuSeconds: endedCpuSeconds() - cpu,
    resources: Math.max(created - 1, 0),
    memoryMiB,
  };
}

async function main(): Promise<number> {
  await buildProviders();
  const empty = await LocalProject.open("export {};\n");
  const projects = new Map<string, LocalProject>();
  try {
    for (const stack of STACKS) {
      const project = await LocalProject.open();
      projects.set(stack, project);
      await project.init(stack, stackSettings(stack));
    }
    await empty.init("empty");
    for (const project of [empty, ...projects.values()]) await preview(project);
    const emptySamples: Sample[] = [];
    const samples: Record<string, StackSamples> = {};
    for (let run = 0; run < runs; run++) {
      emptySamples.push(await preview(empty));
      for (const [stack, project] of projects) {
        samples[stack] ??= { preview: [] };
        samples[stack].preview.push(await preview(project));
      }
    }
    for (const [stack, project] of projects)
      samples[stack]!.withPolicies = [await preview(project, "--policy-pack", join(ROOT, "policies"))];
    const report = summarize(emptySamples, samples);
    const folder = join(ROOT, "reports", "latest");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
    console.log(`${table(report)}\n${join(folder, "bench.json")}`);
    return report.result === "pass" ? 0 : 1;
  } finally {
    empty.close();
    for (const project of projects.values()) project.close();
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
