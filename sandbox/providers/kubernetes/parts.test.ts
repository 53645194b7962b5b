/** The parts of the provider that need no API server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, mergePatch, pathText, pruned, touches } from "./changes";
import { chartCrds, chartName, chartOf } from "./charts";
import { changesCluster, readConfig } from "./config";
import { diffObjects } from "./diff";
import { readinessCheck } from "./readiness";
import { apiVersionOf, gvkOfToken, type KubeObject } from "./types";
import { waitForCheck } from "./wait-for";

const object = (status: object, rest: object = {}): KubeObject =>
  ({ apiVersion: "v1", kind: "Thing", metadata: { name: "x", generation: 2 }, status, ...rest }) as KubeObject;
const state = (expression: string, status: object) => waitForCheck(expression)(object(status)).state;

test("type tokens name group, version and kind", () => {
  const names = (token: string) => `${apiVersionOf(gvkOfToken(token))} ${gvkOfToken(token).kind}`;
  assert.equal(names("kubernetes:core/v1:Secret"), "v1 Secret");
  assert.equal(names("kubernetes:batch/v1:CronJob"), "batch/v1 CronJob");
  assert.equal(names("kubernetes:rbac.authorization.k8s.io/v1:Role"), "rbac.authorization.k8s.io/v1 Role");
  assert.equal(names("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster"), "k8ssandra.io/v1alpha1 K8ssandraCluster");
  assert.throws(() => gvkOfToken("kubernetes:core/v1:ConfigMapPatch"), /declare the whole ConfigMap/);
  assert.throws(() => gvkOfToken("gcp:storage/bucket:Bucket"), /no Kubernetes type/);
});

test("changes are found by path, arrays by index, and keys with dots are quoted", () => {
  const before = { a: 1, list: [{ x: 1 }, { x: 2 }], labels: { "a/b": "1" }, same: {} };
  const after = { a: 1, list: [{ x: 1 }, { x: 3 }, { x: 4 }], labels: { "a/b": "2" }, same: {}, nothing: undefined };
  const changes = changesOf(before, after);
  assert.deepEqual(
    changes.map(({ path, kind }) => `${kind} ${pathText(path)}`),
    ["update list[1].x", "add list[2]", 'update labels["a/b"]'],
  );
  assert.ok(touches(changes[0]!, "list.*.x"));
  assert.ok(touches(changes[1]!, "list.*.x"));
  assert.ok(!touches(changes[0]!, "labels"));
  assert.deepEqual(mergePatch({ a: { b: 1, c: 2 } }, { a: { b: 3 } }), { a: { b: 3, c: null } });
});

test("pruning keeps what was declared and drops what the server added", () => {
  const declared = { spec: { list: [{ a: 1 }], empty: [], none: {}, gone: 1 } };
  const live = { spec: { list: [{ a: 2, added: true }], added: true }, status: {} };
  assert.deepEqual(pruned(live, declared), { spec: { list: [{ a: 2 }], empty: [], none: {} } });
});

test("what cannot be changed is replaced: first deleted when the program chose the name", () => {
  const options = { enableConfigMapMutable: false, enableSecretMutable: false };
  const binding = (name: string, role: string, annotations?: object) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name, namespace: "a", annotations },
    roleRef: { name: role },
    subjects: [],
  });
  const changed = diffObjects(binding("x", "r"), binding("x", "s"), {}, options);
  assert.deepEqual([changed.replaces, changed.deleteBeforeReplace], [["roleRef.name"], true]);
  const renamed = diffObjects(binding("x", "r"), binding("y", "r"), {}, options);
  assert.deepEqual([renamed.replaces, renamed.deleteBeforeReplace], [["metadata.name"], false]);
  const data = (value: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x" },
    data: { a: value },
  });
  assert.deepEqual(diffObjects(data("1"), data("2"), {}, options).replaces, ["data.a"]);
  const inPlace = diffObjects(data("1"), data("2"), {}, { ...options, enableConfigMapMutable: true });
  assert.deepEqual([inPlace.changes, inPlace.replaces], [true, []]);
});

test("waitFor: conditions with and without a value, fields, several at once", () => {
  const ready = (status: string, observedGeneration?: number) => ({
    conditions: [{ type: "Ready", status, observedGeneration }],
  });
  assert.equal(state("condition=Ready", ready("True")), "ready");
  assert.equal(state("condition=Ready", ready("True", 1)), "waiting");
  assert.equal(state("condition=Ready", ready("False")), "waiting");
  assert.equal(state("condition=Ready=False", ready("False")), "ready");
  assert.equal(state("condition=Other", ready("True")), "waiting");
  assert.equal(state("jsonpath={.status.phase}=Running", { phase: "Running" }), "ready");
  assert.equal(state("jsonpath={.status.phase}=Running", { phase: "Stopped" }), "waiting");
  assert.equal(state("jsonpath={.status.nodes}", {}), "waiting");
  assert.equal(state("jsonpath={.status.nodes}=3", { nodes: 3 }), "ready");
  assert.equal(state('jsonpath={.status.list[?(@.name=="b")].up}=true', { list: [{ name: "b", up: true }] }), "ready");
  assert.equal(state("jsonpath={.status.map.a\\.b/c}=1", { map: { "a.b/c": "1" } }), "ready");
  const both = '["condition=Ready", "jsonpath={.status.phase}=Running"]';
  assert.equal(state(both, { ...ready("True"), phase: "Starting" }), "waiting");
  assert.equal(state(both, { ...ready("True"), phase: "Running" }), "ready");
  for (const wrong of ["Ready", "[]", "[1]", "jsonpath={.a}=", "[not json"]) {
    assert.throws(() => waitForCheck(wrong), /pulumi.com\/waitFor/);
  }
});

test("built-in kinds are ready when their controllers say so for this generation", () => {
  const deployment = (status: object) =>
    object(status, { apiVersion: "apps/v1", kind: "Deployment", spec: { replicas: 2 } });
  const look = (candidate: KubeObject) => readinessCheck(candidate)?.(candidate).state;
  const rolledOut = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };
  assert.equal(look(deployment({ ...rolledOut, observedGeneration: 2 })), "ready");
  assert.equal(look(deployment({ ...rolledOut, observedGeneration: 1 })), "waiting");
  assert.equal(look(deployment({ ...rolledOut, observedGeneration: 2, updatedReplicas: 1 })), "waiting");
  const stuck = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
  assert.equal(look(deployment({ observedGeneration: 2, conditions: stuck })), "failed");
  assert.equal(look(object({}, { kind: "Service", spec: { type: "ClusterIP" } })), "ready");
  assert.equal(readinessCheck(object({}, { kind: "ConfigMap" })), undefined);
});

test("the connection comes from text, file, object or a named context; unusable ones are remembered, not thrown", () => {
  const cluster = (name: string, server: string) => ({ name, cluster: { server } });
  const config = (server: string) => ({
    clusters: [cluster("a", server), cluster("b", "https://b")],
    users: [{ name: "u", user: {} }],
    contexts: [
      { name: "a", context: { cluster: "a", user: "u", namespace: "team" } },
      { name: "b", context: { cluster: "b", user: "u" } },
    ],
    "current-context": "a",
  });
  const text = JSON.stringify(config("https://a"));
  assert.equal(readConfig({ kubeconfig: text }).kubeconfig?.getCurrentCluster()?.server, "https://a");
  assert.equal(readConfig({ kubeconfig: text }).namespace, "team");
  assert.equal(readConfig({ kubeconfig: config("https://a"), context: "b" }).namespace, "default");
  assert.match(readConfig({ kubeconfig: text, context: "c" }).unusable ?? "", /context "c".*it has: a, b/);
  assert.match(readConfig({ kubeconfig: "/no/such/file" }).unusable ?? "", /neither a file nor/);
  const moved = JSON.stringify(config("https://elsewhere"));
  assert.deepEqual(changesCluster({ kubeconfig: text }, { kubeconfig: moved }), ["kubeconfig"]);
  const spaced = JSON.stringify(config("https://a"), null, 1);
  assert.deepEqual(changesCluster({ kubeconfig: text }, { kubeconfig: spaced }), []);
  const named = (kubeconfig: string, clusterIdentifier: string) => ({ kubeconfig, clusterIdentifier });
  assert.deepEqual(changesCluster(named(text, "a"), named(moved, "a")), []);
  assert.deepEqual(changesCluster(named(text, "a"), named(text, "b")), ["clusterIdentifier"]);
});

test("charts are known by their last path segment; kinds without a file get a permissive schema", () => {
  assert.equal(chartName("oci://registry/charts/k8ssandra-operator"), "k8ssandra-operator");
  const names = chartCrds(chartOf("repository/eck-operator"), {}, "/nowhere").map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["elasticsearches.elasticsearch.k8s.elastic.co"]);
  assert.deepEqual(chartCrds(chartOf("cert-manager"), {}, "/nowhere"), []);
  assert.equal(chartCrds(chartOf("cert-manager"), { crds: { enabled: true } }, "/nowhere").length, 3);
});
