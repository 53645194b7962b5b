/** Every rule holds in every stack of the repository, and each sees it when a stack is spoilt. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { objectives } from "../plan/objectives";
import { systems } from "../plan/systems";
import { allStackNames, declaredStack, type StackName } from "../tests/lib/stacks";
import { type Declared, violations } from "./lib/rule";
import { types } from "./lib/types";
import { rules } from "./rules";
import { asDeclared } from "./testing";

const resourcesOf = async (stack: StackName) => asDeclared((await declaredStack(stack)).resources);

for (const stack of allStackNames) {
  describe(stack, () => {
    let resources: Declared[];
    before(async () => {
      resources = await resourcesOf(stack);
    });
    for (const rule of rules.filter(({ level }) => level !== "advisory"))
      test(rule.name, () => assert.deepEqual(violations(rule, resources), []));
  });
}

test("every file of rules/ has its spec beside it and is in the pack, and the plan's systems name their rules", () => {
  const files = readdirSync(join(__dirname, "rules")).filter((file) => file !== "index.ts");
  const names = rules.map(({ name }) => name).sort();
  assert.deepEqual(files.sort(), names.flatMap((name) => [`${name}.test.ts`, `${name}.ts`]).sort());
  for (const { id, policies } of systems)
    assert.deepEqual(
      [...policies].sort(),
      names.filter((name) => rowsOf(name).includes(id)),
      id,
    );
  for (const row of rules.flatMap(({ plan }) => plan))
    assert.ok(row in objectives || systems.some(({ id }) => id === row), row);
});

const rowsOf = (name: string): readonly string[] => rules.find((rule) => rule.name === name)!.plan;

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
  ["second-copy-apart", "prod", (all) => change(all, "backups-backup-replicator", { permissions: ["storage.a.b"] })],
  ["copies-outside-primary", "vault", (all) => change(all, "copies-bucket", { location: "EUROPE-WEST4" })],
  ["copies-retention", "vault", (all) => change(all, "copies-bucket", { retentionPolicy: undefined })],
  ["backup-bucket-multi-region", "prod", (all) => change(all, "backups-bucket", { location: "EUROPE-WEST1" })],
  ["stores-every-region", "prod", (all) => all.filter(({ name }) => name !== "elasticsearch-amer-elasticsearch")],
  ["resources-labelled", "foundation", (all) => change(all, "app", { labels: {} })],
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
    assert.notDeepEqual(violations(rule, spoil(await resourcesOf(stack))), []);
  });
}
