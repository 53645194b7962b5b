/** Phases of a drill, run in a process of their own as they are in one: what they print is no test runner's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { FULL, phaseMinutes, SMALL } from "./config";

/** Runs two phases and one that cleans up. @param first body of the first @returns what came of it, and what was printed */
function run(first: string) {
  const program = `
    const { runWhole } = require(${JSON.stringify(join(__dirname, "phases.ts"))});
    const times = [];
    let told;
    const phase = (name, run = async () => {}) => ({ name, run });
    const first = async () => { ${first} };
    const drill = {
      phases: () => [phase("first", first), phase("second")],
      cleanUp: (failed) => { told = failed; return [phase("cleaned")]; },
    };
    runWhole(drill, times, 0.05).then((failure) =>
      console.log(JSON.stringify({ failure, told, names: times.map(({ name }) => name) })));
  `;
  const options = { encoding: "utf8", timeout: 60_000 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "-e", program], options);
  const lines = stdout.trim().split("\n");
  assert.ok(lines.at(-1)?.startsWith("{"), stdout + stderr);
  return { ...(JSON.parse(lines.at(-1)!) as { failure?: string; told: boolean; names: string[] }), stdout, stderr };
}

test("phases that hold run one after the other, and then those that clean up", () => {
  const { failure, told, names, stdout } = run("");
  assert.deepEqual([failure, told, names], [undefined, false, ["first", "second", "cleaned"]]);
  assert.match(stdout, /^❯ first\n✔ first.*\n❯ second\n✔ second.*\n❯ cleaned\n✔ cleaned/);
});

test("after one that fails, or hangs, only those that clean up run", () => {
  const failed = run("throw new Error('it did not hold')");
  assert.deepEqual([failed.failure, failed.told, failed.names], ["it did not hold", true, ["first", "cleaned"]]);
  assert.match(failed.stdout, /^❯ first\n❯ cleaned\n✔ cleaned/);
  assert.match(failed.stderr, /✖ first \[FAILED: it did not hold\]/);
  const hung = run("setInterval(() => {}, 1000).unref(); await new Promise(() => {})");
  assert.deepEqual([hung.failure, hung.names], ["it did not end within 0.05 minutes", ["first", "cleaned"]]);
});

test("what fails in the background fails the phase, which says where, and its cloud is removed", () => {
  const { failure, names } = run(
    "setTimeout(() => { throw new Error('a socket that nobody listens to') }, 50); await new Promise(() => {})",
  );
  assert.match(failure ?? "", /^nobody waited for what failed: Error: a socket that nobody listens to\n\s+at /);
  assert.deepEqual(names, ["first", "cleaned"]);
});

test("a phase may take longer the more there is, and never less than the whole drill's", () => {
  assert.equal(phaseMinutes(SMALL), phaseMinutes(FULL));
  assert.equal(phaseMinutes({ rows: FULL.rows * 3, documents: 1 }), phaseMinutes(FULL) * 3);
  assert.equal(phaseMinutes({ rows: 1, documents: FULL.documents * 2 }), phaseMinutes(FULL) * 2);
});
