/** `pulumi up` dies at many points of a stack's creation, and is repeated by the runbook until everything is there once. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killTree } from "../../drill/kill-tree";
import { completeImportFile, type Declared, type ImportFile } from "../../recovery/import-file";
import { pendingCreates } from "../../recovery/pending";
import { buildProviders } from "../../sandbox/providers/build";
import type { FoundationConfig } from "../../stacks/config";
import { foundation } from "../../stacks/foundation";
import { declared } from "../../tests/lib/declared";
import { LocalProject } from "../../tests/lib/local-project";
import { checkedSettings } from "../../tests/lib/stack-file";
import type { Fault } from "../fault";
import type { Group } from "../run";
import { compared, type Exported, living, livingByState } from "./living";
import { stateLocked, stateLost, stateStale } from "./state";

const STACK = "drill-foundation";
const DEPLOYER = "deployer@sandbox.example";
const config = {
  role: "foundation",
  project: "iconik-drill-foundation",
  deployer: `user:${DEPLOYER}`,
  deletionProtection: false,
  media: { location: "EU", prefix: "iconik-drill-" },
  notifications: [{ type: "email", address: "on-call@example.com" }],
};
/** Updates that die. A creation that is whole before is destroyed and begun anew. */
const DEATHS = 20;
/** Updates at most: one that finds something in its way ends by itself. */
const UPDATES = 3 * DEATHS;
/** Attempts after the last death. What one of them finds in its way is imported before the next. */
const ATTEMPTS = 5;

/** A stack of the foundation's program against a cloud of its own. */
export interface DeployStage {
  project: LocalProject;
  stack: string;
  /** Its configuration, keys without namespace. */
  config: Record<string, unknown>;
  inventory: Declared[];
}

const up = ["up", "--yes", "--skip-preview", "--stack", STACK];

export const upKilled: Fault<DeployStage> = {
  id: "up-killed",
  fault: `pulumi up and all that it started are killed (-9) whenever it has made something, ${DEATHS} times, and it is repeated`,
  rows: ["S8", "D2"],
  mayLoseSeconds: 0,
  bounds: { twice: 0, missing: 0 },
  atLeast: () => ({ deaths: DEATHS }),
  inject: async ({ project, inventory }) => {
    const { control } = project.cloud;
    let deaths = 0;
    let imported = 0;
    let orphans = 0;
    for (let point = 0; deaths < DEATHS && point < UPDATES; point++) {
      const died = await dyingUp(project, control.size + 1 + (point % 2));
      if (!died.killed) {
        // It ended by itself: in 409, or because everything is there.
        imported += await importConflicts(project, inventory, died.text);
        if (died.code !== 0) continue;
        orphans += await removeOrphans(project);
        await project.succeed("destroy", "--yes", "--skip-preview", "--stack", STACK);
        continue;
      }
      deaths += 1;
      await mend(project);
    }
    for (let attempt = 1; ; attempt++) {
      const { code, text } = await project.run(up);
      if (code === 0) break;
      if (attempt === ATTEMPTS) throw new Error(`the ${attempt}th repetition failed:\n${text.slice(-1500)}`);
      imported += await importConflicts(project, inventory, text);
    }
    await project.succeed("preview", "--expect-no-changes", "--diff", "--stack", STACK);
    orphans += await removeOrphans(project);
    const lives = living(project);
    const wanted = inventory.filter(({ inputs }) => inputs).length;
    const figures = compared(livingByState(await exported(project)), lives, wanted);
    return {
      noticed: `the next run says that operations were interrupted; ${deaths} deaths`,
      signal: { kind: "log", command: "", line: {} },
      recovered: `${lives.length} resources are there, as declared; ${imported} of them had been made and not written down, and were imported; ${orphans} more, which Cloud Monitoring names itself, were removed`,
      lostSeconds: 0,
      figures: { deaths, imported, orphans, ...figures },
    };
  },
};

const exported = async (project: LocalProject): Promise<Exported> =>
  JSON.parse(await project.succeed("stack", "export", "--stack", STACK)) as Exported;

/**
 * What Cloud Monitoring names itself is never in the way, so that it is made again: people remove what the state does not
 * have. Alerts go before the channels and checks that they name. @returns how many
 */
async function removeOrphans(project: LocalProject): Promise<number> {
  const known = new Set(livingByState(await exported(project)).map(({ id }) => id));
  const orphans = living(project).filter(({ type, id }) => type.startsWith("gcp:monitoring/") && !known.has(id));
  for (const { type, id } of orphans.sort((a, b) => a.type.localeCompare(b.type)))
    await project.cloud.control.delete(type, id, DEPLOYER);
  return orphans.length;
}

/** An update that is killed once the cloud has so many resources. */
async function dyingUp(project: LocalProject, size: number) {
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const ended = await project.run(up, (pid) => {
    timer = setInterval(() => {
      if (killed || project.cloud.control.size < size) return;
      killed = true;
      killTree(pid);
    }, 1);
  });
  clearInterval(timer);
  return { ...ended, killed };
}

/** What docs/runbooks/state-lost.md says of an update that was killed. */
async function mend(project: LocalProject): Promise<void> {
  await project.succeed("cancel", "--yes", "--stack", STACK);
  const state = JSON.parse(await project.succeed("stack", "export", "--stack", STACK));
  const refresh = ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", STACK];
  await project.succeed(...refresh, ...pendingCreates(state));
}

/** Imports what an update found in its way. @returns how many */
async function importConflicts(project: LocalProject, inventory: Declared[], text: string): Promise<number> {
  const names = new Set([...text.matchAll(/error creating (\S+): googleapi: Error 409/g)].map(([, name]) => name!));
  if (names.size === 0) return 0;
  const path = join(project.folder, "import.json");
  await project.succeed("preview", "--stack", STACK, "--import-file", path);
  const file = JSON.parse(readFileSync(path, "utf8")) as ImportFile;
  const resources = file.resources.filter(({ component, name }) => component || names.has(name));
  writeFileSync(path, JSON.stringify(completeImportFile({ ...file, resources }, inventory)));
  const flags = ["--protect=false", "--generate-code=false", "--yes", "--skip-preview"];
  await project.succeed("import", "--stack", STACK, "--file", path, ...flags);
  return names.size;
}

export const deployGroup: Group<DeployStage> = {
  stage: "the foundation's program with a state and a cloud of its own",
  open: async () => {
    await buildProviders();
    const project = await LocalProject.open();
    await project.init(STACK, config);
    const settings = Object.fromEntries(Object.entries(config).map(([name, value]) => [`iconik-dr:${name}`, value]));
    const { resources } = await declared(() => foundation(checkedSettings(settings, STACK) as FoundationConfig), STACK);
    return {
      project,
      stack: STACK,
      config,
      inventory: resources.map(({ custom, inputs, ...each }) => ({ ...each, ...(custom && { inputs }) })),
    };
  },
  close: async ({ project }) => project.close(),
  faults: [upKilled, stateLocked, stateStale, stateLost],
};
