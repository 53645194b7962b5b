/** The language host, driven by the real Pulumi: a program, its configuration and failures, and a policy pack. */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { startTimeOf, waitUntil } from "../lib/process";
import { loadTools } from "../toolchain/index";

const { pulumi } = loadTools();
const host = join(__dirname, "bin");
const scratch = mkdtempSync(join(tmpdir(), "language-host-"));
symlinkSync(join(__dirname, "..", "..", "node_modules"), join(scratch, "node_modules"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Writes a project with this program and an empty stack `dev`; returns its folder. */
function project(name: string, program: string): string {
  const folder = join(scratch, name);
  mkdirSync(join(folder, "state"), { recursive: true });
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    `name: ${name}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    nodeargs: "--import tsx"\n`,
  );
  writeFileSync(join(folder, "index.ts"), program);
  succeed(run(folder, "stack", "init", "dev"));
  return folder;
}

function run(folder: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(pulumi, ["--non-interactive", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${host}:${process.env.PATH}`,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_HOME: join(scratch, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  });
}

function succeed(result: SpawnSyncReturns<string>): string {
  assert.equal(result.status, 0, result.stdout + result.stderr);
  return result.stdout;
}

test("a program gets its configuration and its outputs reach the stack", () => {
  const folder = project(
    "outputs",
    `import * as pulumi from "@pulumi/pulumi";
     const config = new pulumi.Config();
     const typed: { answer: number } = { answer: 42 };
     console.log("a line from the program");
     export const plain = config.require("greeting");
     export const hidden = config.requireSecret("token");
     export const where = pulumi.getProject() + "/" + pulumi.getStack() + "/" + typed.answer;`,
  );
  succeed(run(folder, "config", "set", "greeting", "hello there"));
  succeed(run(folder, "config", "set", "--secret", "token", "s3cret"));
  const shown = succeed(run(folder, "up", "--yes", "--skip-preview"));
  assert.match(shown, /a line from the program/);
  assert.doesNotMatch(shown, /s3cret/);
  assert.deepEqual(JSON.parse(succeed(run(folder, "stack", "output", "--json"))), {
    plain: "hello there",
    hidden: "[secret]",
    where: "outputs/dev/42",
  });
});

test("an error of the program is shown once and fails the command", () => {
  const folder = project("failing", `throw new Error("the plan is incomplete");`);
  const result = run(folder, "preview");
  assert.notEqual(result.status, 0);
  assert.match(result.stdout + result.stderr, /the plan is incomplete/);
  assert.doesNotMatch(result.stdout + result.stderr, /exited with non-zero/);
});

test("an exit code of the program that the SDK did not explain is reported", () => {
  const folder = project("exiting", "process.exit(7);");
  const result = run(folder, "preview");
  assert.notEqual(result.status, 0);
  assert.match(result.stdout + result.stderr, /non-zero exit code 7/);
});

test("a mandatory policy of a TypeScript pack stops a preview, a met one does not", () => {
  const folder = project(
    "governed",
    `import * as pulumi from "@pulumi/pulumi";
     class Thing extends pulumi.ComponentResource {
       constructor(name: string) { super("test:index:Thing", name); this.registerOutputs({}); }
     }
     new Thing(new pulumi.Config().require("name"));`,
  );
  const pack = join(folder, "pack");
  mkdirSync(pack);
  writeFileSync(join(pack, "PulumiPolicy.yaml"), "runtime: nodejs\nmain: index.ts\n");
  writeFileSync(join(pack, "package.json"), JSON.stringify({ name: "pack", version: "1.2.3", main: "index.ts" }));
  writeFileSync(
    join(pack, "index.ts"),
    `import { PolicyPack, type StackValidationPolicy } from "@pulumi/policy";
     const names: StackValidationPolicy = {
       name: "no-bad-names",
       description: "Names are not bad.",
       enforcementLevel: "mandatory",
       validateStack: (stack, report) => {
         for (const resource of stack.resources) if (resource.name === "bad") report("this name is bad");
       },
     };
     new PolicyPack("naming", { policies: [names] });`,
  );
  succeed(run(folder, "config", "set", "name", "bad"));
  const stopped = run(folder, "preview", "--policy-pack", pack);
  assert.notEqual(stopped.status, 0);
  assert.match(stopped.stdout, /naming@v1\.2\.3/);
  assert.match(stopped.stdout, /this name is bad/);
  succeed(run(folder, "config", "set", "name", "good"));
  assert.match(succeed(run(folder, "preview", "--policy-pack", pack)), /naming@v1\.2\.3/);
});

test("the host ends when the Pulumi that started it was killed", async () => {
  const parent = spawn("sh", ["-c", '"$0" 127.0.0.1:1 & echo "pid $!"; wait', join(host, "pulumi-language-nodejs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const pid = Number(String((await lines.next()).value).replace("pid ", ""));
  assert.match(String((await lines.next()).value), /^\d+$/);
  assert.ok(existsSync(`/proc/${pid}`));
  parent.kill("SIGKILL");
  // Its output stays open for as long as the host lives.
  await once(parent, "close");
  // Its pipe is closed a moment before the kernel says that it has ended.
  await waitUntil("its end", async () => startTimeOf(pid) === undefined, { timeoutMs: 30_000 });
});
