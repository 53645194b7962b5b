/** Declaration to configuration: what Envoy itself takes, and what the documents of both say belongs together. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { V1Node, V1Pod, V1Service } from "@kubernetes/client-node";
import { authority, issue } from "../lib/certificates";
import type { Props } from "../lib/types";
import { loadTools } from "../toolchain";
import type { BackendService, Declared } from "./declaration";
import { groupsOf } from "./endpoint-groups";
import { validate } from "./envoy";
import { checkedPort, clusterName, envoyConfig, type Surroundings } from "./envoy-config";

const dir = mkdtempSync(join(tmpdir(), "envoy-"));
after(() => rmSync(dir, { recursive: true }));

const group = (zone: string, serves = true) => ({ id: `g/${zone}`, zone, network: "n", serves });
const service = (change: Partial<BackendService> = {}): BackendService => ({
  id: "projects/p/global/backendServices/shop",
  inputs: { timeoutSec: 7, localityLbPolicy: "LEAST_REQUEST", customResponseHeaders: ["A: b: c"] },
  groups: [group("europe-west1-b"), group("us-east4-a"), group("asia-east1-a")],
  healthCheck: {
    name: "hc",
    checkIntervalSec: 2,
    timeoutSec: 1,
    unhealthyThreshold: 3,
    httpHealthCheck: { portSpecification: "USE_SERVING_PORT", requestPath: "/ok", host: "h" },
    logConfig: { enable: true },
  },
  security: [],
  ...change,
});
const declaration = (one = service()): Declared => ({
  frontEnds: [
    {
      id: "front",
      address: "198.51.100.1",
      port: 443,
      tls: { certificates: [{ host: "a.example", domains: ["a.example"] }], minVersion: "TLS_1_2" },
      routing: {
        hosts: [
          {
            patterns: ["a.example"],
            paths: [{ paths: ["/old/*", "/old/but/newer/*", "/one"], to: { redirect: redirect({ prefix: "/new/" }) } }],
            otherwise: { service: one.id },
          },
        ],
        otherwise: { redirect: redirect({ host: "a.example", https: true }) },
      },
    },
  ],
  services: [one],
  refused: [],
});
const redirect = (change: Props) => ({ https: false, status: 301, stripQuery: false, ...change });

async function surroundings(): Promise<Surroundings> {
  const pair = await issue(await authority("test"), { commonName: "a.example", dnsNames: ["a.example"] });
  return {
    endpoints: (id) => [{ address: `127.0.0.${id.length}`, port: 8080 }],
    reach: (_from, _group, { address }, port) => ({ host: address, port }),
    listener: () => 4443,
    certificate: () => pair,
    logs: { requests: join(dir, "requests.log"), health: join(dir, "health.log") },
    file: (kind, name) => join(dir, `${kind}-${name}.json`),
  };
}
// biome-ignore lint/suspicious/noExplicitAny: Envoy's types are its own.
const at = (value: any, path: string): any => path.split(".").reduce((part, key) => part?.[key], value);

test("Envoy takes it", async () => {
  const throttle = {
    action: "throttle",
    rateLimitOptions: {
      exceedAction: "deny(429)",
      enforceOnKey: "IP",
      rateLimitThreshold: { count: 5, intervalSec: 60 },
    },
  };
  const outlierDetection = { consecutiveErrors: 5, enforcingConsecutiveErrors: 100, interval: { seconds: 1 } };
  const full = service({ security: [throttle], inputs: { ...service().inputs, outlierDetection } });
  await validate(loadTools().envoy, dir, envoyConfig(declaration(full), await surroundings()));
  const tcp = service({ healthCheck: { name: "hc", tcpHealthCheck: { port: 99 } } });
  await validate(loadTools().envoy, dir, envoyConfig(declaration(tcp), await surroundings()));
});

test("and refuses what is wrong: this test can fail", async () => {
  const wrong = service({ inputs: { timeoutSec: "soon" } });
  const config = envoyConfig(declaration(wrong), await surroundings());
  await assert.rejects(validate(loadTools().envoy, dir, config), /soons/);
});

test("front ends near a region prefer it, then the closest others", async () => {
  const one = service();
  const { assignments } = envoyConfig(declaration(one), await surroundings());
  const order = (near: string) =>
    at(assignments.get(clusterName(one, near)), "endpoints").map((each: Props) => [
      each.priority,
      at(each, "locality.region"),
    ]);
  assert.deepEqual(order("europe-west1"), [
    [0, "europe-west1"],
    [1, "us-east4"],
    [2, "asia-east1"],
  ]);
  assert.equal(order("asia-east1")[0][1], "asia-east1");
  assert.equal(assignments.size, 3);
});

test("a group without capacity is in no assignment; a service without groups answers 503", async () => {
  const one = service({ groups: [group("europe-west1-b", false), group("us-east4-a")] });
  const { assignments } = envoyConfig(declaration(one), await surroundings());
  for (const each of assignments.values())
    assert.deepEqual(
      at(each, "endpoints").map((part: Props) => at(part, "locality.zone")),
      ["us-east4-a"],
    );
  const none = envoyConfig(declaration(service({ groups: [] })), await surroundings());
  const routes = at(none.routes.get("front"), "virtual_hosts.0.routes");
  assert.equal(at(routes.at(-1), "direct_response.status"), 503);
});

test("health checks have the declared times, and only 200 is healthy", async () => {
  const { clusters } = envoyConfig(declaration(), await surroundings());
  const check = at([...clusters.values()][0], "health_checks.0");
  assert.equal(check.interval, "2s");
  assert.equal(check.no_traffic_interval, "2s");
  assert.equal(check.timeout, "1s");
  assert.equal(check.unhealthy_threshold, 3);
  assert.equal(check.healthy_threshold, 2);
  assert.deepEqual(check.http_health_check.expected_statuses, [{ start: 200, end: 201 }]);
  assert.equal(check.http_health_check.path, "/ok");
  const grpc = service({ healthCheck: { name: "g", grpcHealthCheck: {} } });
  const around = await surroundings();
  assert.throws(() => envoyConfig(declaration(grpc), around), /health check g is neither HTTP nor TCP/);
});

test("a fixed port is checked instead of the serving one, and 80 without either", () => {
  const endpoint = { address: "127.0.0.1", port: 8080 };
  const port = (httpHealthCheck: Props) => checkedPort(service({ healthCheck: { httpHealthCheck } }), endpoint);
  assert.equal(port({ portSpecification: "USE_SERVING_PORT" }), 8080);
  assert.equal(port({ portSpecification: "USE_FIXED_PORT", port: 81 }), 81);
  assert.equal(port({}), 80);
});

test("only requests without a body are tried again; the longest path decides", async () => {
  const { routes } = envoyConfig(declaration(), await surroundings());
  const all = at(routes.get("front"), "virtual_hosts.0.routes");
  for (const route of all.filter(({ route }: Props) => route)) {
    const methods = route.match.headers.find(({ name }: Props) => name === ":method");
    assert.equal(route.route.retry_policy !== undefined, methods !== undefined);
    assert.equal(route.route.timeout, "7s");
    assert.deepEqual(route.response_headers_to_add[0].header, { key: "A", value: "b: c" });
  }
  assert.equal(all[0].match.prefix, "/old/but/newer/");
  assert.ok(all.some(({ match }: { match: Props }) => match.path === "/one"));
});

test("groups hold the ready pods of their zone, by the port's name at each pod", () => {
  const named = (ports: string) => ({
    metadata: { name: "s", namespace: "n", annotations: { "cloud.google.com/neg": ports } },
    spec: { selector: { app: "a" }, ports: [{ port: 80, targetPort: "http" }] },
  });
  const pod = (name: string, change: Props = {}, ready = "True") =>
    ({
      metadata: { name, namespace: "n", labels: { app: "a" }, ...change },
      spec: { nodeName: `node-${name}`, containers: [{ name: "c", ports: [{ name: "http", containerPort: 8080 }] }] },
      status: { phase: "Running", podIP: `10.0.0.${name}`, conditions: [{ type: "Ready", status: ready }] },
    }) as unknown as V1Pod;
  const node = (name: string, zone: string): V1Node => ({
    metadata: {
      name: `node-${name}`,
      labels: { "topology.kubernetes.io/zone": zone, "cloud.google.com/gke-nodepool": "p" },
    },
  });
  const nodes = [node("1", "z-a"), node("2", "z-b"), node("3", "z-b"), node("4", "z-a")];
  const pods = [pod("1"), pod("2", {}, "False"), pod("3", { deletionTimestamp: new Date() }), pod("4", { labels: {} })];
  const service = named('{"exposed_ports": {"80": {"name": "front"}}}') as V1Service;
  assert.deepEqual(
    [...groupsOf([service], pods, nodes).values()],
    [
      { zone: "z-a", name: "front", endpoints: [{ address: "10.0.0.1", port: 8080, pool: "p" }] },
      { zone: "z-b", name: "front", endpoints: [] },
    ],
  );
  for (const other of ['{"ingress": true}', "no JSON", '{"exposed_ports": {"81": {}}}'])
    assert.equal(groupsOf([named(other) as V1Service], pods, nodes).size, 0, other);
});
