/**
 * The life of a stack that holds data, and the loss of its state: the repository's foundation under the real engine.
 * docs/runbooks/state-lost.md has the same commands.
 */
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { completeImportFile } from "../recovery/import-file";
import { buildProviders } from "../sandbox/providers/build";
import type { FoundationConfig } from "../stacks/config";
import { foundation } from "../stacks/foundation";
import { declared } from "./lib/declared";
import { LocalProject } from "./lib/local-project";
import { checkedSettings } from "./lib/stack-file";

const STACK = "drill-foundation";
const config = (deletionProtection: boolean) => ({
  role: "foundation",
  project: "iconik-drill-foundation",
  deployer: "user:deployer@sandbox.example",
  deletionProtection,
  media: { location: "EU", prefix: "iconik-drill-" },
  notifications: [{ type: "email", address: "on-call@example.com" }],
});

let project: LocalProject;
let stateFile: string;
before(async () => {
  await buildProviders();
  project = await LocalProject.open();
  stateFile = join(project.state, ".pulumi", "stacks", "iconik-dr", `${STACK}.json`);
  await project.init(STACK, config(true));
});
after(() => project.close());

/** Everything that the cloud holds. */
const living = () => readFileSync(join(project.cloud.dir, "resources.json"), "utf8");
const up = () => project.succeed("up", "--yes", "--skip-preview", "--stack", STACK);
const empty = () => project.succeed("preview", "--expect-no-changes", "--diff", "--stack", STACK);
const refresh = (...more: string[]) => project.succeed("refresh", "--yes", "--skip-preview", "--stack", STACK, ...more);

test("preview, up, an empty second preview, a refresh without drift", async () => {
  const preview = await project.succeed("preview", "--stack", STACK);
  assert.match(preview, /\+ \d+ to create/);
  assert.equal(project.cloud.control.size, 0, "a preview makes nothing");
  await up();
  await empty();
  await refresh("--expect-no-changes");
  await empty();
});

test("a protected stack refuses to be destroyed before anything is deleted", async () => {
  const before = living();
  // With its preview, as people run it: without one, what nothing protects would go before the refusal (docs/traps.md).
  assert.match(await project.refuse("destroy", "--yes", "--stack", STACK), /protect/);
  assert.ok(living() === before, "something was deleted");
  await empty();
});

test("a stale state is refreshed: what it missed is taken over, nothing is made again", async () => {
  const stale = join(project.folder, "stale.json");
  writeFileSync(stale, await project.succeed("stack", "export", "--stack", STACK));
  project.configure(STACK, config(false));
  await up();
  const before = living();
  await project.succeed("stack", "import", "--stack", STACK, "--file", stale);
  assert.doesNotMatch(await refresh(), /delete|replace/);
  const text = await up();
  assert.doesNotMatch(text, /to create|created|replaced|deleted/, text);
  assert.deepEqual(idsOf(living()), idsOf(before));
  await empty();
});

test("a removed state is put back from its last version", async () => {
  const version = join(project.folder, "version.json");
  copyFileSync(stateFile, version);
  const before = living();
  rmSync(stateFile);
  assert.match(await project.refuse("preview", "--stack", STACK), /no stack named/);
  copyFileSync(version, stateFile);
  await refresh("--expect-no-changes");
  await empty();
  assert.ok(living() === before, "something was made, changed or removed");
});

test("a state that is gone without a copy is imported from what lives", async () => {
  const before = living();
  rmSync(stateFile);
  await project.succeed("stack", "init", STACK);
  const file = join(project.folder, "import.json");
  assert.match(await project.succeed("preview", "--stack", STACK, "--import-file", file), /to create/);
  const settings = Object.fromEntries(Object.entries(config(false)).map(([key, value]) => [`iconik-dr:${key}`, value]));
  const { resources } = await declared(() => foundation(checkedSettings(settings, STACK) as FoundationConfig), STACK);
  const inventory = resources.map(({ custom, inputs, ...each }) => ({ ...each, ...(custom && { inputs }) }));
  const complete = completeImportFile(JSON.parse(readFileSync(file, "utf8")), inventory);
  writeFileSync(file, JSON.stringify(complete));
  const flags = ["--protect=false", "--generate-code=false", "--yes", "--skip-preview"];
  await project.succeed("import", "--stack", STACK, "--file", file, ...flags);
  // Cloud Monitoring names its things itself: people remove the old ones, and `up` makes them again.
  const old = resourcesOf(before).filter(({ type }) => MONITORING.test(type));
  for (const { type, id } of old.sort((a, b) => a.type.localeCompare(b.type)))
    await project.cloud.control.delete(type, id, "deployer@sandbox.example");
  const text = await up();
  assert.doesNotMatch(text, /replaced|deleted/, text);
  const others = (registry: string) => resourcesOf(registry).filter(({ type }) => !MONITORING.test(type));
  assert.deepEqual(others(living()), others(before), "something was made, changed or removed");
  assert.equal(resourcesOf(living()).length, resourcesOf(before).length);
  await empty();
  await refresh("--expect-no-changes");
});

test("with protection lifted on purpose the stack is destroyed, and nothing is left", async () => {
  await project.succeed("destroy", "--yes", "--skip-preview", "--stack", STACK);
  assert.equal(project.cloud.control.size, 0);
});

const MONITORING = /^gcp:monitoring\//;

const resourcesOf = (registry: string) =>
  (JSON.parse(registry) as { resources: { type: string; id: string }[] }).resources;

const idsOf = (registry: string): string[] =>
  resourcesOf(registry)
    .map(({ type, id }) => `${type} ${id}`)
    .sort();

/** A component with a bucket in it, and what it was before. */
const program = (type: string, name: string, child: string, aliases: string) => `
import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
class Store extends ComponentResource {
  constructor(name: string, opts?: ComponentResourceOptions) {
    super("${type}", name, {}, opts);
    new gcp.storage.Bucket("${child}", { project: "drill-p", name: "kept", location: "EU" }, { parent: this${aliases && `, aliases: [{ name: "media-bucket" }]`} });
    this.registerOutputs({});
  }
}
new Store("${name}"${aliases && `, { aliases: [${aliases}] }`});
`;

test("a component that is renamed, with its child, keeps its bucket by aliases and would replace it without", async () => {
  const own = await LocalProject.open(program("iconik:storage:Media", "media", "media-bucket", ""));
  try {
    await own.init("drill-aliases");
    await own.succeed("up", "--yes", "--skip-preview");
    const before = readFileSync(join(own.cloud.dir, "resources.json"), "utf8");
    own.write(program("iconik:storage:MediaStore", "store", "store-bucket", ""));
    const without = await own.succeed("preview");
    assert.match(without, /\+ 2 to create/);
    assert.match(without, /- 2 to delete/);
    const aliases = `{ name: "media", type: "iconik:storage:Media" }`;
    own.write(program("iconik:storage:MediaStore", "store", "store-bucket", aliases));
    await own.succeed("preview", "--expect-no-changes", "--diff");
    await own.succeed("up", "--yes", "--skip-preview");
    assert.equal(readFileSync(join(own.cloud.dir, "resources.json"), "utf8"), before);
    const state = await own.succeed("stack", "export");
    assert.match(state, /iconik:storage:MediaStore\$gcp:storage\/bucket:Bucket::store-bucket/);
  } finally {
    own.close();
  }
});
