import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { records, render, type ServiceRecord } from "./hosts";
import { record } from "./services";

const headless: ServiceRecord = {
  namespace: "db",
  name: "seeds",
  addresses: ["127.20.0.1"],
  headless: true,
  pods: [{ hostname: "db-0", address: "127.20.0.1" }],
};
const normal: ServiceRecord = { namespace: "db", name: "http", addresses: ["127.20.128.9"], headless: false, pods: [] };

test("Services are seen by their short and long names", () => {
  const names = records([headless, normal]).map(([name]) => name);
  for (const name of ["seeds.db", "seeds.db.svc", "db-0.seeds.db.svc.cluster.local", "http.db.svc"])
    assert.ok(names.includes(name), name);
});

test("a hosts file has one line per address", () => {
  assert.equal(
    render([
      ["x", "127.20.0.1"],
      ["y", "127.20.0.1"],
    ]),
    "127.0.0.1\tlocalhost\n127.20.0.1\tx y\n",
  );
});

test("pods that are not ready have no address unless the Service publishes them", () => {
  const pod: V1Pod = {
    metadata: { name: "db-0", namespace: "db", labels: { app: "db" } },
    spec: { containers: [], hostname: "db-0", subdomain: "seeds" },
    status: { podIP: "127.20.0.1", phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
  };
  const service = (publishNotReadyAddresses: boolean): V1Service => ({
    metadata: { name: "seeds", namespace: "db" },
    spec: { clusterIP: "None", selector: { app: "db" }, publishNotReadyAddresses },
  });
  assert.deepEqual(record(service(false), [pod]).addresses, []);
  assert.deepEqual(record(service(true), [pod]).addresses, ["127.20.0.1"]);
  assert.deepEqual(record(service(true), [pod]).pods, [{ hostname: "db-0", address: "127.20.0.1" }]);
  assert.deepEqual(record({ ...service(true), spec: { clusterIP: "None" } }, [pod]).addresses, []);
});

test("a headless Service without a selector leads to the addresses that are declared for it", () => {
  const service: V1Service = {
    metadata: { name: "seeds", namespace: "db", annotations: { "meta.sandbox/addresses": "127.21.0.1,127.21.0.2" } },
    spec: { clusterIP: "None" },
  };
  assert.deepEqual(record(service, []).addresses, ["127.21.0.1", "127.21.0.2"]);
});
