/** What the specs of the rules share: resources made by hand, and the checks that every rule has to pass. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeclaredResource } from "../tests/lib/declared";
import { type Declared, type Rule, violations } from "./lib/rule";
import { types } from "./lib/types";

export type Props = Record<string, unknown>;

/** How the engine's SDK hands out values that a preview does not know; it has no types for it. */
const { unknownCheckingProxy, unknownStringValue } = require("@pulumi/policy/proxy") as {
  unknownCheckingProxy(props: Props): Props;
  unknownStringValue: string;
};

/** A protected resource. */
export function resource(type: string, props: Props = {}, more: Partial<Declared> = {}): Declared {
  return { type, name: "it", props, protect: true, ...more };
}

/** A bucket `b` of project `p` with the label of a store. */
export function bucket(store: string, props: Props = {}): Declared {
  return resource(types.bucket, { name: "b", project: "p", labels: { "iconik-store": store }, ...props });
}

/** A workload's template with one container. */
export function pod(container: Props): Props {
  return { spec: { template: { spec: { containers: [{ name: "c", ...container }] } } } };
}

/** What runs a command of `dr-jobs`. */
export function running(command: string, config: object = {}): Props {
  return pod({ args: [command], env: [{ name: "DR_CONFIG", value: JSON.stringify(config) }] });
}

/** A CronJob that runs a command every night. */
export function runs(command: string, config: object = {}, spec: Props = {}): Declared {
  return resource(types.cronJob, {
    metadata: { name: command },
    spec: { schedule: "0 1 * * *", suspend: false, ...spec, jobTemplate: running(command, config) },
  });
}

/** A datacenter of a K8ssandraCluster. */
export function datacenter(size: number, racks: number, name = "apac"): Props {
  return { metadata: { name }, size, racks: Array.from({ length: racks }, (_, index) => ({ name: `r${index}` })) };
}

/** The cluster of a region that comes or goes; `us-east4` and `amer` unless it is said. */
export function passingCluster(state: string, props: Props = {}, region = "us-east4", name = "amer"): Declared {
  const resourceLabels = { "iconik-region-state": state, "iconik-datacenter": name };
  return resource(types.cluster, { project: "p", location: region, name: "c", resourceLabels, ...props });
}

/** What a stack declares, as the engine tells of it. */
export function asDeclared(resources: readonly DeclaredResource[]): Declared[] {
  const clusters = new Map(
    resources
      .filter(({ type }) => type === "pulumi:providers:kubernetes")
      .map(({ name, inputs }) => [name, String(inputs.clusterIdentifier)]),
  );
  return resources
    .filter(({ custom }) => custom)
    .map(({ type, name, inputs, protect, provider }) => ({
      type,
      name,
      props: inputs,
      protect,
      // As the mocks make them.
      id: `${name}-id`,
      ...(type.startsWith("kubernetes:") && { cluster: clusters.get(provider ?? "") }),
    }));
}

/** Identifier of a cluster of project `p` in a region. */
export const clusterIn = (region: string, project = "p") => `projects/${project}/locations/${region}/clusters/c`;

/** Rule -> what holds, and what does not with a part of the message. Lists are whole stacks. */
export interface Spec {
  holds: (Declared | Declared[])[];
  violated: [Declared | Declared[], RegExp][];
}

/** Every spec that was stated, for the preview of the real engine. */
export const specs = new Map<Rule, Spec>();

/** Specs are only read, not run, while another test looks at them. */
export const reading = { only: false };

/**
 * Tests a rule: its spec, and what goes for every rule. It says nothing of an empty stack and of types it does not know; it
 * names the plan's rows; it judges nothing by a value that is not known yet; no malformed or absent value breaks it.
 */
export function specify(rule: Rule, spec: Spec): void {
  specs.set(rule, spec);
  if (reading.only) return;
  const examples = [...spec.holds, ...spec.violated.map(([each]) => each)].map((each) => [each].flat());
  describe(rule.name, () => {
    for (const [index, each] of spec.holds.entries())
      test(`holds (${index})`, () => assert.deepEqual(violations(rule, [each].flat()), []));
    for (const [each, message] of spec.violated)
      test(`is violated: ${message.source}`, () => {
        const found = violations(rule, [each].flat());
        assert.match(found.join("\n"), message);
        for (const line of found) assert.ok(line.startsWith(`${rule.plan.join(", ")}: `), line);
      });
    test("says nothing of an empty stack and of a type that it does not know", () => {
      assert.deepEqual(violations(rule, []), []);
      assert.deepEqual(violations(rule, [resource("random:index/randomId:RandomId", { name: "x" })]), []);
    });
    test("no value that is not known yet, absent or malformed breaks it", () => {
      assert.ok(spec.holds.length > 0 && spec.violated.length > 0);
      for (const stack of examples)
        for (const spoilt of spoils(stack)) assert.ok(Array.isArray(violations(rule, spoilt)));
    });
  });
}

/** The stack with each value in turn not known, absent, or of another form. */
function* spoils(stack: Declared[]): Generator<Declared[]> {
  for (const [index, each] of stack.entries()) {
    for (const path of pathsOf(each.props)) {
      for (const value of [unknownStringValue, undefined, null, "{", 7, [], {}]) {
        const props = unknownCheckingProxy(replaced(each.props, path, value) as Props);
        yield stack.with(index, { ...each, props });
      }
    }
    yield stack.with(index, { ...each, props: {} });
  }
}

function pathsOf(value: unknown): string[][] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsOf(inner).map((path) => [key, ...path])]);
}

function replaced(value: unknown, [key, ...path]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Props) }) as Props;
  if (path.length === 0 && by === undefined) delete copy[key];
  else copy[key] = replaced(copy[key], path, by);
  return copy;
}
