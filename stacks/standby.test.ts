import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Declaration } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack } from "../tests/lib/stacks";

for (const stack of ["aws-standby", "aws-standby-active", "aws-standby-failback"] as const) {
  describe(stack, () => {
    let standby: Declaration;
    before(async () => {
      standby = await declaredStack(stack);
    });
    test("its inventory", () => assertGolden(stack, standby.resources));
    test("every policed pod reaches the API server by its Service's address, which the CNI judges", () => {
      const policies = standby.resources.filter(({ type, inputs }) => {
        const { name } = (inputs.metadata ?? {}) as { name?: string };
        return /:NetworkPolicy$/.test(type) && ["allowed", "cloud"].includes(name ?? "");
      });
      assert.ok(policies.length > 0);
      for (const { name, inputs } of policies)
        assert.match(JSON.stringify(inputs.spec), /"cidr":"10\.161\.0\.1\/32"/, name);
    });
    test("whoever previews reads every kind that is declared in the cluster, and no Secret", () => {
      const rules = standby.resources
        .filter(({ type }) => type.endsWith(":ClusterRole"))
        .flatMap(({ inputs }) => inputs.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]);
      const seen = rules.flatMap(({ apiGroups, resources }) => resources.map((kind) => `${apiGroups[0]}/${kind}`));
      // What AmazonEKSViewPolicy shows of the kinds that are declared, and what Secrets hold.
      const viewed = /^(apps|autoscaling|batch|core|networking\.k8s\.io|policy)\//;
      const kinds = standby.resources.flatMap(({ type }) => {
        const [, group, kind] = /^kubernetes:([^/]+)\/\w+:(\w+)$/.exec(type) ?? [];
        return group && kind ? [`${group}/${kind.toLowerCase()}`] : [];
      });
      for (const kind of kinds.filter((each) => !viewed.test(each) && each !== "helm.sh/release"))
        assert.ok(
          seen.some((each) => each === `${kind}s` || each === `${kind}es`),
          kind,
        );
      assert.ok(seen.length > 5 && rules.every(({ verbs }) => verbs.join() === "get,list,watch"));
      assert.ok(!seen.some((each) => /secret|\*/.test(each)));
    });
    test("the load balancer controller's pods say what their restricted namespace asks for", () => {
      const [release] = standby.resources.filter(
        ({ inputs }) => inputs.name === "aws-load-balancer-controller" && inputs.chart,
      );
      const { podSecurityContext, securityContext } = (release?.inputs.values ?? {}) as Record<string, unknown>;
      assert.deepEqual(podSecurityContext, {
        fsGroup: 65534,
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      assert.deepEqual(securityContext, {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      });
    });
    test("machines have the control plane's version, or they would stay at that of their first day", () => {
      const versions = (type: string) =>
        standby.resources.flatMap((each) => (each.type === type ? [each.inputs.version] : []));
      const [version] = versions("aws:eks/cluster:Cluster");
      const machines = versions("aws:eks/nodeGroup:NodeGroup");
      assert.ok(version && machines.length > 1);
      assert.deepEqual([...new Set(machines)], [version]);
    });
    test("the front's pods alone are the load balancer's targets, and only while it is active", () => {
      const of = (type: RegExp) => standby.resources.filter((resource) => type.test(resource.type));
      const bindings = of(/^kubernetes:elbv2\.k8s\.aws\/.*TargetGroupBinding$/);
      assert.equal(bindings.length, stack === "aws-standby" ? 0 : 1);
      const [group] = of(/^aws:lb\/targetGroup:TargetGroup$/);
      assert.equal(group?.inputs.targetType, "ip");
      for (const { inputs } of bindings) {
        const { targetGroupARN, ...spec } = inputs.spec as Record<string, unknown>;
        assert.match(String(targetGroupARN), new RegExp(`:targetgroup/${group?.inputs.name}/`));
        assert.deepEqual(spec, { serviceRef: { name: "front", port: 80 }, targetType: "ip" });
      }
    });
  });
}

test("an activation makes nothing in AWS that a second attempt could not make again", async () => {
  const made = async (stack: "aws-standby" | "aws-standby-active") =>
    (await declaredStack(stack)).resources.filter(({ type }) => type.startsWith("aws:"));
  const before = new Set((await made("aws-standby")).map(({ type, name }) => `${type} ${name}`));
  const added = (await made("aws-standby-active")).filter(({ type, name }) => !before.has(`${type} ${name}`));
  assert.deepEqual(
    added.map(({ type }) => type),
    // PutMetricAlarm replaces what is there under its name.
    ["aws:cloudwatch/metricAlarm:MetricAlarm"],
  );
});
