/** A state that is locked, stale or lost, and the lines of docs/runbooks/state-lost.md that deal with it, run as they are written. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scriptsOf, section } from "../../tests/lib/runbook";
import type { Fault, Outcome } from "../fault";
import type { DeployStage } from "./killed";
import { compared, living } from "./living";

/** Longest time that the runbook's lines may take. */
const MEND_SECONDS = 300;
const RUNBOOK = "state-lost.md";

const common = {
  rows: ["S8", "D2"],
  mayLoseSeconds: 0,
  bounds: { twice: 0, missing: 0, seconds: MEND_SECONDS },
} as const;

/** Does it to a stack that is up, mends it and compares what lives before and after. */
async function mended(stage: DeployStage, spoil: () => Promise<string>, mend: () => Promise<string>): Promise<Outcome> {
  const { project, stack } = stage;
  await project.succeed("up", "--yes", "--skip-preview", "--stack", stack);
  const before = living(project);
  const noticed = await spoil();
  const started = Date.now();
  const recovered = await mend();
  const seconds = (Date.now() - started) / 1000;
  await project.succeed("preview", "--expect-no-changes", "--diff", "--stack", stack);
  const after = living(project);
  return {
    noticed,
    signal: { kind: "log", command: "", line: {} },
    recovered: `${recovered}; ${after.length} resources live, as before`,
    lostSeconds: 0,
    figures: { seconds, ...compared(before, after) },
  };
}

const stateFile = ({ project, stack }: DeployStage) =>
  join(project.state, ".pulumi", "stacks", "iconik-dr", `${stack}.json`);

/** The words of a refusal that say what is wrong. */
const words = (text: string, what: RegExp): string => {
  const found = what.exec(text)?.[0];
  assert.ok(found, `nothing in it says ${what}:\n${text.slice(-1500)}`);
  return found;
};

/** Somebody's update died and left its lock. */
export const stateLocked: Fault<DeployStage> = {
  ...common,
  id: "state-locked",
  fault: "a lock that nobody holds any more lies beside the state",
  inject: (stage) => {
    const { project, stack } = stage;
    const locks = join(project.state, ".pulumi", "locks", "organization", "iconik-dr", stack);
    return mended(
      stage,
      async () => {
        mkdirSync(locks, { recursive: true });
        const held = { pid: 1, username: "pipeline", hostname: "runner", timestamp: new Date().toISOString() };
        writeFileSync(join(locks, "9f8c3f0e-0000-4000-8000-000000000000.json"), JSON.stringify(held));
        const text = await project.refuse("up", "--yes", "--skip-preview", "--stack", stack);
        return words(text, /the stack is currently locked by \d+ lock\(s\)(?=[\s\S]*?pipeline@runner)/);
      },
      async () => {
        // The runbook's, with the confirmation that a person gives.
        await project.script("pulumi cancel --yes --stack $STACK", { STACK: stack });
        assert.deepEqual(readdirSync(locks), [], "the lock is still there");
        await project.succeed("up", "--yes", "--skip-preview", "--stack", stack);
        return "pulumi cancel took the lock away";
      },
    );
  },
};

/** The state is of before the last update. */
export const stateStale: Fault<DeployStage> = {
  ...common,
  id: "state-stale",
  fault: "the state is an older copy, which misses the last update",
  inject: (stage) => {
    const { project, stack, config } = stage;
    const copy = join(project.folder, "copy.json");
    const changed = { ...config, deletionProtection: true };
    return mended(
      stage,
      async () => {
        project.configure(stack, changed);
        await project.succeed("up", "--yes", "--skip-preview", "--stack", stack);
        writeFileSync(copy, await project.succeed("stack", "export", "--stack", stack));
        project.configure(stack, config);
        await project.succeed("up", "--yes", "--skip-preview", "--stack", stack);
        await project.succeed("stack", "import", "--stack", stack, "--file", copy);
        const text = await project.refuse("preview", "--expect-no-changes", "--stack", stack);
        return `the preview, which should have nothing to say, wants ${words(text, /\d+ to update/)} again`;
      },
      async () => {
        const [lines] = scriptsOf(section(RUNBOOK, "2. An older copy"));
        await project.script(lines!, { STACK: stack });
        return "the runbook's import, refresh and up took over what it missed";
      },
    );
  },
};

/** The state's file is gone; the bucket keeps its versions. */
export const stateLost: Fault<DeployStage> = {
  ...common,
  id: "state-lost",
  fault: "the state is removed; the bucket still has its last version",
  inject: (stage) => {
    const { project, stack } = stage;
    const version = join(project.folder, "version.json");
    return mended(
      stage,
      async () => {
        copyFileSync(stateFile(stage), version);
        rmSync(stateFile(stage));
        return words(await project.refuse("preview", "--stack", stack), /no stack named \S+ found/);
      },
      async () => {
        // What `gcloud storage cp …#GENERATION` does in a bucket; the lines after it as they are.
        copyFileSync(version, stateFile(stage));
        const [lines = ""] = scriptsOf(section(RUNBOOK, "1. The last version"));
        const rest = lines.split("\n").filter((line) => line.startsWith("pulumi"));
        assert.ok(rest.length >= 2, lines);
        await project.script(rest.join("\n"), { STACK: stack });
        return "the last version was put back; refresh and preview show no change";
      },
    );
  },
};
