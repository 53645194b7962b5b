import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { authority, issue, type KeyPair } from "../../../lib/certificates";
import { freePort, sleep, waitUntil } from "../../../lib/process";
import { Balancers, type DeclaredListener } from "./balancers";
import { isGood, route } from "./routing";
import { Targets } from "./targets";

const GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/front/1";
const asked = { host: "App.example.com", path: "/a?b=1", method: "GET", scheme: "http", port: 80 } as const;
const unknown = {
  defaultActions: [
    { type: "fixed-response", fixedResponse: { contentType: "text/plain", statusCode: "421", messageBody: "" } },
  ],
};
const forward = (priority: number, values: string[]) => ({
  priority,
  conditions: [{ hostHeader: { values } }],
  actions: [{ type: "forward", targetGroupArn: GROUP }],
});

test("the first rule that fits decides, otherwise the default action", () => {
  assert.deepEqual(route(unknown, [forward(1, ["app.example.com"])], asked), { kind: "forward", targetGroup: GROUP });
  assert.equal(route(unknown, [forward(1, ["*.example.org"])], asked).kind, "respond");
  const first = {
    ...forward(1, ["app.*"]),
    actions: [{ type: "fixed-response", fixedResponse: { statusCode: "403" } }],
  };
  assert.deepEqual(route(unknown, [forward(2, ["app.example.com"]), first], asked), {
    kind: "respond",
    status: 403,
    type: "text/plain",
    body: "",
  });
  const redirect = {
    defaultActions: [
      {
        type: "redirect",
        redirect: { host: "app.example.com", protocol: "HTTPS", port: "443", statusCode: "HTTP_301" },
      },
    ],
  };
  assert.deepEqual(route(redirect, [], asked), {
    kind: "redirect",
    status: 301,
    location: "https://app.example.com/a?b=1",
  });
});

test("a matcher takes single codes, lists and ranges", () => {
  assert.deepEqual(
    [isGood(200, "200"), isGood(204, "200"), isGood(204, "200,204"), isGood(299, "200-299"), isGood(300, "200-299")],
    [true, false, true, true, false],
  );
});

let status = 200;
const backend = createServer((request, response) => {
  if (request.url === "/healthz") return void response.writeHead(status).end();
  return void response.end(`${request.headers.host} ${request.headers["x-forwarded-proto"]}`);
});
let ca: KeyPair;
before(async () => {
  ca = await authority("test");
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
});
after(() => backend.close());

test("requests reach healthy targets alone, and the balancer says whether there are any", async () => {
  const port = await freePort("127.19.0.1");
  const listener: DeclaredListener = {
    arn: "listener",
    inputs: { port, protocol: "HTTP", ...unknown },
    rules: [forward(1, ["app.example.com"])],
    names: [],
    balancerArn: "balancer",
  };
  const group = {
    healthCheck: {
      path: "/healthz",
      interval: 0.2,
      timeout: 1,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      matcher: "200",
    },
  };
  const targets = new Targets((arn) => (arn === GROUP ? group : undefined));
  let told = { addresses: [] as string[], healthy: false };
  let at = { host: "", port: 0 };
  const balancers = new Balancers(
    {
      listeners: () => [listener],
      certificate: (names) => issue(ca, { commonName: "x", dnsNames: names }),
      tell: (_, state) => {
        told = state;
      },
      forward: (_, __, to) => {
        at = to;
      },
    },
    targets,
  );
  const ask = async (host: string) => {
    const { request } = await import("node:http");
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const call = request({ ...at, path: "/", headers: { host }, agent: false }, (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      });
      call.on("error", reject);
      call.end();
    });
  };
  await waitUntil("the listener", async () => at.port > 0, { timeoutMs: 20_000 });
  assert.equal((await ask("app.example.com")).status, 503);
  assert.equal((await ask("other.example.com")).status, 421);
  assert.throws(() => targets.set("none", []), /not found/);
  targets.set(GROUP, [{ host: "127.0.0.1", port: (backend.address() as AddressInfo).port }]);
  assert.equal(told.healthy, false);
  await waitUntil("a healthy target", async () => told.healthy, { timeoutMs: 20_000 });
  assert.deepEqual(told.addresses, ["127.19.0.1"]);
  assert.deepEqual(await ask("app.example.com"), { status: 200, body: "app.example.com http" });
  status = 500;
  await waitUntil("no healthy target", async () => !told.healthy, { timeoutMs: 20_000 });
  assert.equal((await ask("app.example.com")).status, 503);
  status = 200;
  await waitUntil("it again", async () => told.healthy, { timeoutMs: 20_000 });
  targets.set(GROUP, []);
  await sleep(600);
  assert.equal(told.healthy, false);
  await balancers.stop();
  targets.stop();
});
