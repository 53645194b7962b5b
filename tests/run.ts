/**
 * The test suite, one command: static checks, unit tests, integration tests one at a time, the small drill; or those of its
 * parts that are named: `check`, `unit`, `integration`, `drill`, `standby`. Its last line counts what passed and failed; any failure makes
 * the exit status 1.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { BUILT_BUNDLE, jobsBundle } from "../jobs/testing/job";
import { addTools } from "../jobs/testing/tools";

const ROOT = join(__dirname, "..");
const SHARED = join(ROOT, "..", "shared");

let passed = 0;
let failed = 0;

function count(name: string, ok: boolean): void {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? "✔" : "✘"} ${name}`);
}

/** Runs a program with all its output on this one's standard output; its exit status is the verdict. */
function program(name: string, command: string, args: string[]): void {
  console.log(`\n▶ ${name}`);
  const { status, signal, error } = spawnSync(command, args, { cwd: ROOT, stdio: ["inherit", "inherit", 1] });
  count(status === 0 ? name : `${name}: ended with ${error?.message ?? signal ?? status}`, status === 0);
}

/** What is read of a test's end. */
interface Ended {
  file?: string;
  nesting: number;
  details: { duration_ms: number };
}

/** Files that are named as the slowest. */
const SLOWEST = 10;

/** Longest time of a file: it ends what hangs, and is no bound on a slow machine's work. */
const FILE_MINUTES = 30;

/** Runs test files in processes of their own, `concurrency` at a time. */
async function testFiles(name: string, files: string[], concurrency: number): Promise<void> {
  console.log(`\n▶ ${name} (${files.length} files)`);
  if (files.length === 0) return count(`${name}: there are tests to run`, false);
  const seconds = new Map<string, number>();
  const spent = ({ file = "", nesting, details }: Ended) => {
    if (nesting === 0) seconds.set(file, (seconds.get(file) ?? 0) + details.duration_ms / 1000);
  };
  await new Promise<void>((resolve, reject) => {
    const stream = run({ files, concurrency, timeout: FILE_MINUTES * 60_000 });
    stream.on("test:pass", (event) => {
      spent(event);
      if (event.details.type !== "suite" && !event.skip && !event.todo) passed += 1;
    });
    stream.on("test:fail", (event) => {
      spent(event);
      if (event.details.type !== "suite") failed += 1;
    });
    stream.compose(new spec()).on("end", resolve).on("error", reject).pipe(process.stdout, { end: false });
  });
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
  console.log(`slowest: ${slowest.map(([file, time]) => `${relative(ROOT, file)} ${time.toFixed(0)} s`).join(", ")}`);
}

/**
 * Folders and files whose tests run in one process: pure and small ones, as a process for each would load the SDKs of two clouds
 * each time; those that look at what the stacks declare, as each stack is then declared once.
 */
const TOGETHER: Record<string, readonly string[]> = {
  rules: ["policies/rules"],
  config: ["stacks/config"],
  plan: ["plan", "plan/alerts"],
  stacks: ["stacks", "policies/stacks.test.ts", "tests/runbooks.test.ts"],
  jobs: ["jobs/lib"],
  drill: ["drill", "sandbox/operators/k8ssandra"],
};

/** Files to run, with one that imports the others in place of those that run together. */
function batched(files: string[], folder: string): string[] {
  const together = Object.entries(TOGETHER).map(([name, places]) => {
    const batch = files.filter((file) => [file, dirname(file)].some((each) => places.includes(relative(ROOT, each))));
    if (batch.length === 0) throw new Error(`TOGETHER has "${name}", and no test is in ${places.join(", ")}`);
    const path = join(folder, `${name}.test.ts`);
    writeFileSync(path, batch.map((file) => `import ${JSON.stringify(file)};\n`).join(""));
    return { path, batch };
  });
  const alone = files.filter((file) => !together.some(({ batch }) => batch.includes(file)));
  return [...together.map(({ path }) => path), ...alone];
}

/** Every test file that git tracks or would track. */
function testFileNames(): string[] {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.test.ts"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return [...new Set(listed.split("\n").filter(Boolean))].filter((file) => existsSync(join(ROOT, file))).sort();
}

async function main(): Promise<void> {
  addTools();
  if (process.env.CI && !existsSync(SHARED)) {
    count("../shared with the operators' CRDs and the provider's schema is there (CI requires it)", false);
  }
  const all = testFileNames().map((file) => join(ROOT, file));
  const integration = all.filter((file) => file.endsWith(".integration.test.ts"));
  const unit = all.filter((file) => !integration.includes(file));
  const parts: Record<string, () => void | Promise<void>> = {
    check: () => {
      program("lint and format", "npx", ["biome", "ci", "."]);
      program("types", "npx", ["tsc", "--noEmit"]);
    },
    unit: async () => {
      process.env[BUILT_BUNDLE] = await jobsBundle();
      const folder = mkdtempSync(join(tmpdir(), "tests-"));
      await testFiles("unit tests", batched(unit, folder), 2).finally(() => rmSync(folder, { recursive: true }));
    },
    integration: () => testFiles("integration tests", integration, 1),
    drill: () => program("small drill", process.execPath, ["--import", "tsx", "drill/cli.ts", "--small"]),
    standby: () =>
      program("brief drill of the standby, whose activation is killed twice", process.execPath, [
        ...["--import", "tsx", "drill/standby-cli.ts"],
        ...["--small", "--brief", "--kills", "2"],
      ]),
  };
  const chosen = process.argv.slice(2);
  for (const name of chosen.filter((each) => !(each in parts)))
    count(`"${name}" is no part of the suite; allowed: ${Object.keys(parts).join(", ")}`, false);
  for (const [name, run] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await run();
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
