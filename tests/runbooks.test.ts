/**
 * What the commands of a runbook are about exists: targets, files, stacks, CronJobs, namespaces, charts. A name that was changed
 * elsewhere fails here, and not on the worst day. Whether a command is written as its program wants it: runbook-commands.test.ts.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  cassandraClusterName,
  clusterName,
  elasticsearchName,
  internodeItem,
  namespaces,
  rackNames,
  secrets,
  serviceItems,
  superuserItem,
} from "../plan/names";
import { cassandraNode, elasticsearchNode, standbyNodes } from "../plan/sizing";
import { standbyBuckets, standbyClusterName, standbyStateBucket, standbyZones } from "../plan/standby";
import { charts } from "../plan/versions";
import { commandsOf, type Program, runbook, runbooks, type Shown, tokens } from "./lib/runbook";
import { allStackNames, declaredStack } from "./lib/stacks";

const ROOT = join(__dirname, "..");
const all = runbooks().flatMap(commandsOf);
const of = (program: Program) => all.filter((each) => each.program === program);

/** Fails with the place and the whole command. */
const check = (ok: boolean, { at, text }: Shown, why: string) => assert.ok(ok, `${at}: \`${text}\`: ${why}`);

const argumentOf = (words: readonly string[], ...flags: string[]) =>
  words[words.findIndex((word) => flags.includes(word)) + 1];

test("every runbook is looked at, and commands are found", () => {
  for (const name of runbooks()) assert.ok(runbook(name).startsWith("# "), name);
  assert.ok(all.length > 100, `${all.length} commands`);
  for (const program of ["pulumi", "kubectl", "gcloud", "node", "helm"] as const)
    assert.ok(of(program).length > 0, program);
});

test("commands of Pulumi name stacks that there are", () => {
  const stacks = readdirSync(ROOT).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  for (const shown of of("pulumi")) {
    const stack = argumentOf(shown.words, "--stack", "-s");
    const placeholder = /^(\$?STACK|rebuild-\d+)$/;
    if (shown.words.includes("--stack"))
      check(stacks.includes(stack!) || placeholder.test(stack!), shown, `no stack ${stack}; there are ${stacks}`);
  }
});

test("outputs of a stack that are asked for are its own", async () => {
  const outputs = async (stack: string) => {
    const declarations = allStackNames.filter((name) => name === stack || name.startsWith(`${stack}-`));
    const found: string[] = [];
    for (const name of declarations) found.push(...Object.keys((await declaredStack(name)).outputs));
    return found;
  };
  const asked = of("pulumi").filter(({ words }) => words[1] === "output" && !words[2]?.startsWith("-"));
  assert.ok(asked.length > 2);
  for (const shown of asked) {
    const known = await outputs(argumentOf(shown.words, "--stack", "-s")!);
    check(known.includes(shown.words[2]!), shown, `its outputs are ${known.join(", ")}`);
  }
});

test("the quotas that the standby asks for hold what it is when it is active", () => {
  const cores = (type: string) => ({ large: 2, xlarge: 4, "2xlarge": 8 })[type.split(".")[1]!]!;
  const gibibytes = (size: string) => Number.parseInt(size, 10) * (size.endsWith("Ti") ? 1024 : 1);
  const { pilot, databases, services } = standbyNodes;
  const machines = [
    { ...pilot, count: pilot.max },
    { ...databases, count: standbyZones.length },
    { ...services, count: standbyZones.length * services.perZone },
  ];
  const sum = (each: (machine: (typeof machines)[number]) => number) =>
    machines.reduce((all, machine) => all + machine.count * each(machine), 0);
  const stores = standbyZones.length * (gibibytes(cassandraNode.storage) + gibibytes(elasticsearchNode.storage));
  const disks = (sum(({ diskGigabytes }) => diskGigabytes) + stores) / 1024;
  const text = runbook("d4-google-lost.md");
  assert.match(text, new RegExp(`${sum(({ instanceType }) => cores(instanceType))} vCPU`));
  assert.match(text, new RegExp(`${disks.toFixed(1)} TiB of gp3`));
});

/** What the first updates, which are limited to a part of a stack, are there for, and what they leave out. */
const firstUpdates: Record<string, { brings: string[]; leaves: RegExp }> = {
  "aws-standby": {
    brings: ["aws:ecr/repository:Repository", "aws:route53/zone:Zone", "aws:eks/cluster:Cluster"],
    leaves: /helm|acm\/|certificateValidation/,
  },
  vault: { brings: ["gcp:artifactregistry/repository:Repository"], leaves: /Deployment|Job/ },
};
const limited = of("pulumi").filter(({ words }) => words[0] === "up" && words.includes("--target"));

test("each stack's first update is limited in one place", () => {
  const stacks = limited.map(({ words }) => argumentOf(words, "--stack")!);
  assert.deepEqual(stacks.sort(), Object.keys(firstUpdates).sort());
});

for (const first of limited) {
  const stack = argumentOf(first.words, "--stack")!;
  test(`what the first update of ${stack} is limited to needs nothing else`, () => {
    interface Resource {
      type: string;
      name: string;
      parent?: string;
      dependsOn?: string[];
      deletedWith?: string;
    }
    const inventory = JSON.parse(readFileSync(join(ROOT, "tests", "golden", `${stack}.json`), "utf8")) as Resource[];
    // As the engine reads them: ** stands for anything.
    const patterns = first.words
      .filter((_, index) => first.words[index - 1] === "--target")
      .map((each) => new RegExp(`^${each.split("**").map(literally).join(".*")}$`));
    const parentOf = ({ parent }: Resource) =>
      inventory
        .filter(({ name }) => name === parent)
        .sort((a, b) => Number(b.type.startsWith("iconik:")) - Number(a.type.startsWith("iconik:")))[0];
    const typeOf = (each: Resource): string => {
      const parent = parentOf(each);
      return parent ? `${typeOf(parent)}$${each.type}` : each.type;
    };
    const urnOf = (each: Resource) => `urn:pulumi:${stack}::iconik-dr::${typeOf(each)}::${each.name}`;
    const isTargeted = (each: Resource) => patterns.some((pattern) => pattern.test(urnOf(each)));
    const targeted = inventory.filter(isTargeted);
    const isProvider = ({ type }: Resource) => type.startsWith("pulumi:providers:");
    const made = [...targeted, ...inventory.filter(isProvider)];
    for (const each of made) {
      const parent = parentOf(each);
      for (const needed of [parent?.name, ...(each.dependsOn ?? []), each.deletedWith])
        assert.ok(needed === undefined || made.some(({ name }) => name === needed), `${each.name} needs ${needed}`);
    }
    for (const pattern of patterns)
      assert.ok(
        inventory.some((each) => pattern.test(urnOf(each))),
        String(pattern),
      );
    const kinds = targeted.map(({ type }) => type);
    const { brings, leaves } = firstUpdates[stack]!;
    for (const kind of brings) assert.ok(kinds.includes(kind), kind);
    assert.ok(!kinds.some((kind) => leaves.test(kind)), "what waits for them");
  });
}

test("the items of 1Password that people make have the fields that the local cloud's have", () => {
  const { onePassword } = parse(readFileSync(join(ROOT, "sandbox.yaml"), "utf8")) as {
    onePassword: Record<string, Record<string, Record<string, unknown>>>;
  };
  const rows = runbook("bootstrap.md").split("\n");
  for (const [item, fields] of Object.entries(onePassword["iconik-prod"]!)) {
    const row = rows.find((line) => line.startsWith(`| \`${item}\``));
    assert.ok(row, item);
    const wanted = Object.keys(fields).flatMap((field) => (field === "tls" ? ["tls.crt", "tls.key"] : [field]));
    assert.deepEqual([...row.split("|")[2]!.matchAll(/`([^`]+)`/g)].map(([, field]) => field).sort(), wanted.sort());
  }
  const items = [superuserItem, internodeItem, ...serviceItems, secrets.canaryCassandra, secrets.canaryElasticsearch];
  for (const item of items) assert.ok(item in onePassword["iconik-prod"]!, item);
});

test("the line that looks for examples finds each of them, and nothing that replaces one", () => {
  const [, pattern] = /^ {4}grep -nE '([^']+)' Pulumi/m.exec(runbook("bootstrap.md")) ?? [];
  assert.ok(pattern);
  const isFound = (line: string) => new RegExp(pattern).test(line);
  const image = (digit: string) => `jobs: example.pkg.dev/dr/jobs@sha256:${digit.repeat(64)}`;
  const examples = [
    'repositoryId: "100000001"',
    "iconik-dr:authorizedNetworks: [192.0.2.0/28]",
    "address: 192.0.2.2",
    "- { type: email, address: on-call@example.com }",
    'iconik-dr:account: "123456789012"',
    'projectNumber: "123456789013"',
    image("0"),
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEr9IiyIOPjZCmjeL2Y740v3/o8nLG",
  ];
  assert.deepEqual(
    examples.filter((line) => !isFound(line)),
    [],
  );
  const own = [
    "address: 34.1.2.3",
    "[34.1.2.0/28]",
    "address: on-call@iconik.io",
    'account: "210987654321"',
    image("a"),
  ];
  assert.deepEqual(own.filter(isFound), []);
});

/** A text that stands for itself in a regular expression. */
const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

test("targets of make and files of node and git exist", () => {
  const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
  for (const shown of of("make"))
    check(
      new RegExp(`^${shown.words.find((word) => !word.startsWith("-"))}:`, "m").test(makefile),
      shown,
      "no such target",
    );
  for (const shown of of("node")) {
    const file = shown.words.find((word) => word.endsWith(".ts"));
    check(file !== undefined && existsSync(join(ROOT, file)), shown, `no file ${file}`);
  }
});

/** Every object that the stacks declare in clusters, as `kind namespace/name`. */
const objects = new Set(
  readdirSync(join(ROOT, "tests", "golden")).flatMap((file) => {
    const inventory = JSON.parse(readFileSync(join(ROOT, "tests", "golden", file), "utf8")) as unknown;
    const resources = (Array.isArray(inventory) ? inventory : (inventory as { resources: unknown[] }).resources) as {
      type: string;
      inputs?: { metadata?: { name?: string; namespace?: string } };
    }[];
    return resources.flatMap(({ type, inputs }) =>
      inputs?.metadata?.name
        ? [`${type.split(":").at(-1)!.toLowerCase()} ${inputs.metadata.namespace}/${inputs.metadata.name}`]
        : [],
    );
  }),
);

test("what kubectl is told to do is about namespaces and objects that are declared", () => {
  const known: readonly string[] = Object.values(namespaces);
  // A word in capitals stands for one that whoever reads it has to put in.
  const fits = (pattern: string, name: string) =>
    new RegExp(`^${pattern.replace(/[A-Z]{3,}/g, "[a-z0-9.-]+")}$`).test(name);
  const declared = (kind: string, namespace: string, name: string) =>
    [...objects].some((each) => each.startsWith(`${kind} ${namespace}/`) && fits(name, each.split("/")[1]!));
  for (const shown of of("kubectl")) {
    const namespace = argumentOf(shown.words, "-n", "--namespace");
    const names = shown.words.includes("-n") ? namespace! : undefined;
    if (names !== undefined) check(known.includes(names), shown, `no namespace ${names}; there are ${known}`);
    const cronJob = shown.words.find((word) => word.startsWith("--from=cronjob/"))?.slice("--from=cronjob/".length);
    if (cronJob) check(declared("cronjob", names!, cronJob), shown, `no CronJob ${names}/${cronJob} is declared`);
    const patched = shown.words[0] === "patch" && shown.words[1] === "cronjob" ? shown.words[2]! : undefined;
    if (patched) check(declared("cronjob", names!, patched), shown, `no CronJob ${names}/${patched} is declared`);
    const scaled = shown.words[0] === "patch" && shown.words[1] === "hpa" ? shown.words[2]! : undefined;
    if (scaled)
      check(declared("horizontalpodautoscaler", names!, scaled), shown, `no autoscaler ${names}/${scaled} is declared`);
    // A pod's name, as it is or in that of its claim.
    const pod = shown.words
      .map((word) => word.replace(/^(pod\/|(pvc\/)?server-data-)/, ""))
      .find((word) => /-sts-\d+$/.test(word));
    const racks = rackNames(3).join("|");
    if (pod)
      check(
        new RegExp(`^${cassandraClusterName}-(emea|amer|apac)-(${racks})-sts-\\d$`).test(pod),
        shown,
        `no pod ${pod}`,
      );
    const resource = shown.words.slice(1, 2).find((word) => ["k8ssandracluster", "elasticsearch"].includes(word));
    const resourceName = shown.words[2];
    if (resource)
      check([cassandraClusterName, elasticsearchName].includes(resourceName!), shown, `no ${resource} ${resourceName}`);
  }
});

test("clusters of Google that are asked for are those of a site or the vault, where they are", () => {
  const asked = of("gcloud").filter(({ text }) => text.includes("clusters get-credentials"));
  assert.ok(asked.length > 0);
  for (const shown of asked) {
    const project = argumentOf(shown.words, "--project")!;
    const name = clusterName(project.replace(/^iconik-/, ""), argumentOf(shown.words, "--location")!);
    check(shown.words[3] === name, shown, `the cluster is ${name}`);
  }
  const declared = allStackNames.filter((stack) => ["prod", "vault"].includes(stack));
  for (const stack of declared) {
    const inventory = JSON.parse(readFileSync(join(ROOT, "tests", "golden", `${stack}.json`), "utf8")) as {
      type: string;
      inputs: { name?: string };
    }[];
    const clusters = inventory.filter(({ type }) => type === "gcp:container/cluster:Cluster");
    assert.ok(clusters.length > 0, stack);
    for (const { inputs } of clusters)
      assert.ok(runbook("kubectl.md").includes(`\`${inputs.name}\``), `kubectl.md has no ${inputs.name}`);
  }
});

test("commands of AWS are about the buckets and the cluster that are declared", () => {
  const { copies } = standbyBuckets();
  for (const shown of of("aws")) {
    const [service = "", operation = ""] = shown.words;
    const buckets = service === "s3api" ? [argumentOf(shown.words, "--bucket")!] : [];
    for (const bucket of buckets) check(bucket === standbyStateBucket, shown, "the state's bucket is another one");
    if (service === "s3" && operation === "ls")
      check(shown.text.startsWith(`aws s3 ls s3://${copies}/`), shown, `the bucket is ${copies}`);
    const cluster = service === "eks" ? argumentOf(shown.words, "--name") : standbyClusterName;
    check(cluster === standbyClusterName, shown, `the cluster is ${standbyClusterName}`);
  }
});

test("charts are pulled in the versions that the plan has", () => {
  const pulled = of("helm").filter(({ words }) => words[0] === "pull" && words.includes("--version"));
  for (const shown of pulled) {
    const name = shown.words[1]!.split("/").at(-1)!;
    const chart = Object.values(charts).find((each) => each.name === name);
    const version = argumentOf(shown.words, "--version")!;
    if (/^[A-Z]+$/.test(version)) continue;
    check(chart?.version.replace(/^v/, "") === version.replace(/^v/, ""), shown, `the plan has ${chart?.version}`);
  }
  const missing = Object.values(charts).filter(({ name }) => !pulled.some(({ text }) => text.includes(name)));
  assert.deepEqual(missing, [], "every chart of the plan is mirrored");
});

test("words of a shell's line", () => {
  assert.deepEqual(tokens(`a "b c" 'd|e' f|g;h && i # j`), ["a", "b c", "d|e", "f", "|", "g", ";", "h", "&&", "i"]);
  assert.deepEqual(tokens("gs://b/o#12 x # y"), ["gs://b/o#12", "x"]);
  assert.deepEqual(tokens("-o jsonpath='{.a}' x"), ["-o", "jsonpath={.a}", "x"]);
});
