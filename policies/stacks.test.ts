/** Every rule holds in every stack of the repository, and each sees it when a stack is spoilt. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { declaredStack, type StackName, stackNames } from "../tests/lib/stacks";
import type { Declared, Rule } from "./lib/rule";
import { types } from "./lib/types";
import { rules } from "./rules";

async function resourcesOf(stack: StackName): Promise<Declared[]> {
  const { resources } = await declaredStack(stack);
  return resources.filter(({ custom }) => custom).map((each) => ({ ...each, props: each.inputs }));
}

function broken(rule: Rule, resources: Declared[]): string[] {
  if ("checkStack" in rule) return rule.checkStack(resources);
  return resources
    .filter(({ type }) => rule.types.includes(type))
    .flatMap((each) => rule.check(each).map((message) => `${each.name}: ${message}`));
}

for (const stack of stackNames) {
  describe(stack, () => {
    let resources: Declared[];
    before(async () => {
      resources = await resourcesOf(stack);
    });
    for (const rule of rules) test(rule.name, () => assert.deepEqual(broken(rule, resources), []));
  });
}

/** How to spoil a stack, and the rule that has to see it. */
const spoilt: [rule: string, stack: StackName, spoil: (resources: Declared[]) => Declared[]][] = [
  ["backups-scheduled", "prod", (all) => all.filter(({ name }) => name !== "snapshots-emea-elasticsearch")],
  ["backups-scheduled", "vault", (all) => all.filter(({ type }) => type !== types.cronJob)],
  ["data-protected", "prod", (all) => all.map((each) => ({ ...each, protect: false }))],
  ["bucket-iam-authoritative", "vault", (all) => all.filter(({ type }) => type !== types.bucketPolicy)],
  [
    "least-privilege",
    "prod",
    (all) => change(all, "backups-backup-replicator", { permissions: ["storage.objects.delete"] }),
  ],
  ["copies-outside-primary", "vault", (all) => change(all, "copies-bucket", { location: "EUROPE-WEST4" })],
  ["copies-retention", "vault", (all) => change(all, "copies-bucket", { retentionPolicy: undefined })],
  ["backup-bucket-multi-region", "prod", (all) => change(all, "backups-bucket", { location: "EUROPE-WEST1" })],
];

function change(resources: Declared[], name: string, props: Record<string, unknown>): Declared[] {
  assert.ok(
    resources.some((each) => each.name === name),
    `no resource ${name}`,
  );
  return resources.map((each) => (each.name === name ? { ...each, props: { ...each.props, ...props } } : each));
}

for (const [name, stack, spoil] of spoilt) {
  test(`${name} sees a spoilt ${stack}`, async () => {
    const rule = rules.find((each) => each.name === name)!;
    assert.notDeepEqual(broken(rule, spoil(await resourcesOf(stack))), []);
  });
}
