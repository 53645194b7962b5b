/** What a control plane makes of a K8ssandraCluster, and how it reaches the clusters that it works in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Objects } from "../objects";
import { datacentersOf } from "./cluster";
import { Contexts } from "./contexts";
import type { K8ssandraCluster } from "./types";

const cluster: K8ssandraCluster = {
  metadata: { name: "main", namespace: "db" },
  spec: {
    cassandra: {
      superuserSecretRef: { name: "superuser" },
      additionalSeeds: ["seeds.db.svc.west.example", "10.0.0.7", "fd00::7"],
      datacenters: [
        { metadata: { name: "east" }, k8sContext: "one", size: 2 },
        { metadata: { name: "west" }, k8sContext: "other", size: 3 },
      ],
    },
  },
};

test("every datacenter is placed in its own context", () => {
  const placed = datacentersOf(cluster).map(({ context, datacenter }) => [
    context,
    datacenter.metadata?.name,
    datacenter.spec?.size,
  ]);
  assert.deepEqual(placed, [
    ["one", "east", 2],
    ["other", "west", 3],
  ]);
});

test("seeds that are names are dropped", () => {
  for (const { datacenter } of datacentersOf(cluster))
    assert.deepEqual(datacenter.spec?.additionalSeeds, ["10.0.0.7", "fd00::7"]);
});

const kubeconfig = (context: string) =>
  JSON.stringify({
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: context, context: { cluster: "c", user: "u" } }],
    "current-context": context,
  });

/** A control cluster with one ClientConfig, whose Secret holds a kubeconfig for a context. */
const local = (context: string) =>
  ({
    list: async () => [{ metadata: { name: "config" }, spec: { contextName: "one", kubeConfigSecret: { name: "s" } } }],
    get: async (_kind: unknown, _namespace: string, name: string) =>
      name === "s" ? { data: { kubeconfig: Buffer.from(kubeconfig(context)).toString("base64") } } : undefined,
  }) as unknown as Objects;

test("a context is reached with the kubeconfig of its ClientConfig, the own cluster without a context", async () => {
  const own = local("one");
  const contexts = new Contexts(own, "db");
  assert.equal(await contexts.objects(undefined), own);
  const one = await contexts.objects("one");
  assert.notEqual(one, own);
  assert.equal(await contexts.objects("one"), one);
  await contexts.stop();
});

test("a context without a ClientConfig, or without its own name in the kubeconfig, is refused", async () => {
  await assert.rejects(new Contexts(local("one"), "db").objects("other"), /no ClientConfig for context other; .* one$/);
  await assert.rejects(new Contexts(local("two"), "db").objects("one"), /kubeconfig of one has no context/);
});
