import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { V1CronJob, V1Deployment, V1Service } from "@kubernetes/client-node";
import { customersConfigMap, customersFile, customersUser } from "../plan/customers";
import { rolesAllowed } from "../plan/s3-permissions";
import { standbyJobs } from "../plan/standby";
import type { Declaration, DeclaredResource } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { customerBuckets, declaredStack, type StackName } from "../tests/lib/stacks";

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
      const gates = of(/^kubernetes:apps\/v1:Deployment$/).map(({ inputs }) => {
        const { metadata, spec } = inputs as unknown as V1Deployment;
        return [metadata?.name, spec?.template.spec?.readinessGates?.map(({ conditionType }) => conditionType)];
      });
      assert.deepEqual(
        gates.filter(([, conditions]) => conditions),
        bindings.map(({ inputs }) => [
          "front",
          [`target-health.elbv2.k8s.aws/${(inputs.metadata as { name: string }).name}`],
        ]),
        "the front's pods are ready when the load balancer has found them so",
      );
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
    // PutMetricAlarm replaces what is there under its name.
    added.filter(({ type }) => type !== "aws:cloudwatch/metricAlarm:MetricAlarm"),
    [],
  );
});

test("the services may take on customers' roles and no others, and are told of customers' buckets", async () => {
  const { resources } = await declaredStack("aws-standby-active");
  const assumed = resources.flatMap(({ name, inputs }) =>
    typeof inputs.policy === "string" && inputs.policy.includes("sts:AssumeRole")
      ? (JSON.parse(inputs.policy).Statement as { Sid: string; Action: string[]; Resource: string[] }[])
          .filter(({ Action }) => Action.includes("sts:AssumeRole"))
          .map(({ Action, Resource }) => ({ name, Action, Resource }))
      : [],
  );
  assert.deepEqual(
    assumed.map(({ Action, Resource }) => ({ Action, Resource })),
    [{ Action: ["sts:AssumeRole", "sts:TagSession"], Resource: ["arn:aws:iam::210987654321:role/iconik"] }],
  );
  assert.match(assumed[0]!.name, /^standby-services/);
  const [list] = resources.filter(({ inputs }) => (inputs.metadata as { name?: string })?.name === customersConfigMap);
  assert.deepEqual(JSON.parse((list!.inputs.data as Record<string, string>)[customersFile]!), customerBuckets);
});

test("until the standby is active, customers' buckets are tried every morning, by the API's image as its account", async () => {
  const found = async <T>(stack: StackName, kind: string, name: string) => {
    const { resources } = await declaredStack(stack);
    const is = ({ type, inputs }: DeclaredResource) =>
      type.endsWith(`:${kind}`) && (inputs.metadata as { name: string }).name === name;
    return resources.find(is)!.inputs as T;
  };
  const [pilot, active] = await Promise.all(
    (["aws-standby", "aws-standby-active"] as const).map((stack) =>
      found<V1CronJob>(stack, "CronJob", standbyJobs.customers),
    ),
  );
  assert.deepEqual([pilot!.spec!.suspend, active!.spec!.suspend], [false, true]);
  const { metadata, spec } = pilot!.spec!.jobTemplate.spec!.template;
  assert.equal(spec!.serviceAccountName, customersUser.name);
  const api = await found<V1Deployment>("aws-standby-active", "Deployment", customersUser.name);
  assert.equal(spec!.containers[0]!.image, api.spec!.template.spec!.containers[0]!.image);
  // A pod that is not the API's must not get its requests.
  const { selector } = (await found<V1Service>("aws-standby-active", "Service", customersUser.name)).spec!;
  assert.ok(Object.entries(selector!).some(([key, value]) => metadata!.labels![key] !== value));
});

describe("a second activation", () => {
  const FIRST = "iconik-standby-backups";
  const SECOND = "iconik-standby-backups-2";
  let once: DeclaredResource[];
  let again: DeclaredResource[];
  before(async () => {
    once = (await declaredStack("aws-standby-active")).resources;
    again = (await declaredStack("aws-standby-again")).resources;
  });
  const key = ({ type, name }: DeclaredResource) => `${type} ${name}`;
  const options = ({ protect, retainOnDelete }: DeclaredResource) => [protect, retainOnDelete];
  /** Without the tag that says which stack of the tests it is. */
  const inputs = (of: DeclaredResource) => JSON.stringify(of.inputs).replace(/"iconik-stack":"[^"]*",?/, "");
  /** What belongs to a bucket, by its type. */
  const storage = (resources: DeclaredResource[], bucket: string) =>
    new Map(
      resources
        .filter(({ type, inputs }) => type.startsWith("aws:s3/") && inputs.bucket === bucket)
        .map((each) => [each.type, each]),
    );
  /** Names of everything else that names a bucket. */
  const naming = (resources: DeclaredResource[], bucket: string) =>
    resources
      .filter(({ type, inputs }) => {
        const names = new RegExp(`${bucket}(?!-?[a-z0-9])`);
        return !type.startsWith("aws:s3/") && names.test(JSON.stringify(inputs));
      })
      .map(({ name }) => name)
      .sort();

  test("the bucket of the first stays as it is, and the second has one like it", () => {
    const [before, first, second] = [storage(once, FIRST), storage(again, FIRST), storage(again, SECOND)];
    assert.ok(before.size >= 8, [...before.keys()].join());
    assert.deepEqual([...first.keys()], [...before.keys()]);
    assert.deepEqual([...second.keys()], [...before.keys()]);
    for (const [type, was] of before) {
      assert.deepEqual(key(first.get(type)!), key(was));
      assert.deepEqual(inputs(first.get(type)!), inputs(was));
      assert.deepEqual(options(first.get(type)!), options(was));
      assert.deepEqual(options(second.get(type)!), options(was));
      assert.equal(inputs(second.get(type)!).replaceAll(SECOND, FIRST), inputs(was));
    }
    const made = second.get("aws:s3/bucket:Bucket")!;
    assert.deepEqual(options(made), [true, true]);
    assert.equal(storage(once, SECOND).size, 0);
  });

  test("the site is restored into the second and backs up there; the first is known to the roles alone", () => {
    const roles = [
      ...new Set((["get", "list", "create", "delete"] as const).flatMap((does) => rolesAllowed("s3Backups", does))),
    ].map((id) => `${id}-policy`);
    assert.deepEqual(naming(again, FIRST), roles.sort());
    assert.deepEqual(naming(again, SECOND), naming(once, FIRST));
    for (const name of ["cassandra-k8ssandra", "restore-copy", "snapshots-cassandra", "snapshots-elasticsearch"])
      assert.ok(naming(again, SECOND).includes(name), name);
  });

  test("nothing else of the standby is another one", () => {
    const known = new Set(once.map(key));
    assert.deepEqual(again.filter((each) => !known.has(key(each)) && each.inputs.bucket !== SECOND).map(key), [
      "iconik:aws:S3StoreBucket backups-2",
    ]);
    const kept = new Set(again.map(key));
    assert.deepEqual(once.filter((each) => !kept.has(key(each))).map(key), []);
  });
});
