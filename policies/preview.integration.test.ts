/**
 * A deliberate violation of every rule stops a preview of the real engine, and the same program without them passes. The
 * resources are the repository's own site, and to violate the rules, the examples of their specs. The providers answer with
 * what they are given: those of the local cloud would refuse most violations before a policy sees them.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { loadTools } from "../sandbox/toolchain";
import { declaredStack } from "../tests/lib/stacks";
import { type Declared, type Rule, violations } from "./lib/rule";
import { types } from "./lib/types";
import { rules } from "./rules";
import { asDeclared, reading, specs } from "./testing";

const ROOT = join(__dirname, "..");
const PROJECT = "violations";
const tools = loadTools();
const folder = mkdtempSync(join(tmpdir(), "policies-"));
const all: readonly Rule[] = rules;

const PROGRAM = `
import { readFileSync } from "node:fs";
import { Config, CustomResource, ProviderResource } from "@pulumi/pulumi";
class Any extends CustomResource {}
class Cluster extends ProviderResource {}
const clusters = new Map();
const inCluster = (id) => {
  if (!clusters.has(id)) clusters.set(id, new Cluster("kubernetes", "cluster-" + clusters.size, { clusterIdentifier: id }));
  return clusters.get(id);
};
for (const { type, name, props, protect, cluster } of JSON.parse(readFileSync(new Config().require("resources"), "utf8")))
  new Any(type, name, props, { protect, ...(cluster && { provider: inCluster(cluster) }) });
// What is known only after the update is no violation.
if (new Config().getBoolean("later")) {
const later = new Any("random:index/randomId:RandomId", "later", {}).id;
new Any("gcp:storage/bucketIAMPolicy:BucketIAMPolicy", "later", { bucket: later, policyData: later });
new Any("kubernetes:batch/v1:CronJob", "later", { metadata: { name: later }, spec: {
  concurrencyPolicy: "Forbid", startingDeadlineSeconds: 1, timeZone: "Etc/UTC",
  jobTemplate: { spec: { activeDeadlineSeconds: 1, template: { spec: { containers: later } } } } } });
}
`;

const PROVIDER = `
import { serve } from ${JSON.stringify(join(ROOT, "sandbox", "providers", "server"))};
void serve({
  name: "echo", version: "0.0.0", schema: () => "{}",
  check: async ({ news }) => ({ inputs: news, failures: [] }),
  diff: async () => ({ changes: false, replaces: [], diffs: [] }),
  create: async ({ inputs }) => ({ id: "echo", outputs: inputs }),
  read: async () => undefined,
  update: async ({ news }) => news,
  delete: async () => {},
  invoke: async () => ({ outputs: {} }),
});
`;

/** The rules under a name of its own, beside the pack itself. */
const PACK = `
import { PolicyPack } from "@pulumi/policy";
import { policyOf } from ${JSON.stringify(join(ROOT, "policies", "lib", "rule"))};
import { rules } from ${JSON.stringify(join(ROOT, "policies", "rules"))};
new PolicyPack("all", { policies: rules.map(policyOf) });
`;

before(async () => {
  for (const each of ["state", "bin", "pack"]) mkdirSync(join(folder, each));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const runtime = { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } };
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: PROJECT, runtime }));
  writeFileSync(join(folder, "index.ts"), PROGRAM);
  writeFileSync(join(folder, "echo.ts"), PROVIDER);
  for (const name of ["aws", "gcp", "kubernetes", "random"]) {
    const program = join(folder, "bin", `pulumi-resource-${name}`);
    writeFileSync(program, `#!/bin/sh\ncd ${folder} && exec node --import tsx echo.ts\n`);
    chmodSync(program, 0o755);
  }
  writeFileSync(join(folder, "pack", "PulumiPolicy.yaml"), stringify({ runtime, main: "index.ts" }));
  writeFileSync(join(folder, "pack", "package.json"), JSON.stringify({ name: "all", version: "0.1.0" }));
  writeFileSync(join(folder, "pack", "index.ts"), PACK);
  reading.only = true;
  for (const file of readdirSync(join(__dirname, "rules")).filter((name) => name.endsWith(".test.ts")))
    await import(join(__dirname, "rules", file));
  assert.equal((await pulumi("stack", "init", "dev")).code, 0);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function pulumi(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(tools.pulumi, ["--non-interactive", "--color", "never", ...args], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: [join(folder, "bin"), tools.languageHost, process.env.PATH].filter(Boolean).join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_HOME: join(folder, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

/** Previews a stack of these resources with a pack. */
async function preview(resources: Declared[], pack: string, later = false) {
  const path = join(folder, "resources.json");
  writeFileSync(path, JSON.stringify(resources));
  return pulumi(
    "preview",
    "--policy-pack",
    pack,
    "--config",
    `${PROJECT}:resources=${path}`,
    "--config",
    `${PROJECT}:later=${later}`,
  );
}

/** The first example of a rule's spec that violates it beside the site as well, under names of its own. */
function violation(rule: Rule, index: number): Declared[] {
  const spec = [...specs].find(([{ name }]) => name === rule.name)?.[1];
  const examples = spec?.violated.map(([each]) => renamed([each].flat(), rule.name, index));
  const example = examples?.find((each) => violations(rule, [...site, ...each]).length > 0);
  assert.ok(example, `the spec of ${rule.name} has an example that violates it`);
  return example;
}

function renamed(example: Declared[], rule: string, index: number): Declared[] {
  const own = JSON.stringify(example)
    .replaceAll('"b"', `"b${index}"`)
    .replaceAll('"project":"p"', `"project":"p${index}"`)
    .replaceAll("projects/p/", `projects/p${index}/`)
    .replaceAll("@p.", `@p${index}.`);
  return (JSON.parse(own) as Declared[]).map((each, position) => ({ ...each, name: `${rule}-${position}` }));
}

let site: Declared[];
before(async () => {
  const { resources } = await declaredStack("prod");
  site = linked(asDeclared(resources).filter(({ type }) => !type.startsWith("pulumi:")));
});

/** Mocks give ids of their own; backends name their groups by the cloud's. */
function linked(resources: Declared[]): Declared[] {
  const groups = resources.filter(({ type }) => type === types.endpointGroup);
  const text = groups.reduce(
    (all, { name, props }) =>
      all.replaceAll(
        `"${name}-id"`,
        `"projects/${props.project}/zones/${props.zone}/networkEndpointGroups/${props.name}"`,
      ),
    JSON.stringify(resources),
  );
  return JSON.parse(text);
}

test("a site that keeps the plan's promises passes the pack", { timeout: 300_000 }, async () => {
  const { code, text } = await preview(site, join(ROOT, "policies"), true);
  assert.equal(code, 0, text);
  assert.match(text, /iconik-dr@v/);
  assert.doesNotMatch(text, /\[mandatory\]/);
});

test("a violation of each rule stops the preview, named with the plan's rows", { timeout: 300_000 }, async () => {
  const { code, text } = await preview([...site, ...all.flatMap(violation)], join(folder, "pack"));
  assert.notEqual(code, 0, text);
  const entries = text.split(/^ *- \[(?=mandatory|advisory)/m);
  for (const rule of all) {
    const reported = entries.filter((entry) =>
      new RegExp(`^${rule.level ?? "mandatory"}\\] +${rule.name} `).test(entry),
    );
    assert.ok(reported.length > 0, `${rule.name} is not reported:\n${text}`);
    for (const entry of reported) assert.ok(entry.includes(`${rule.plan.join(", ")}: `), entry);
  }
});
