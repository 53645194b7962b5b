/** Traffic: what is declared becomes what happens, with a real Envoy and pods in two regions. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FIREWALL } from "../cloud/gcp/compute";
import { TOKENS } from "../cloud/gcp/load-balancing";
import { roundTripMs } from "./places";
import { HOST, TestSite } from "./testing";

const regionOf = (body: string) => JSON.parse(body).region;

describe("two regions", () => {
  let site: TestSite;
  before(async () => {
    site = await TestSite.open();
    for (const region of ["europe-west1", "us-east4"] as const) await site.healthy(region, 2);
  });
  after(() => site.close());

  test("a client is answered by the closest region", async () => {
    assert.equal(regionOf((await site.ask("/", { from: "europe-north1" })).body), "europe-west1");
    assert.equal(regionOf((await site.ask("/", { from: "southamerica-east1" })).body), "us-east4");
    const unknown = await site.ask("/", { from: "mars-north1" });
    assert.equal(unknown.status, 400);
  });

  test("the host is served with a certificate for it, with the declared headers, and others are redirected", async () => {
    const { status, headers, body } = await site.ask("/path");
    assert.equal(status, 200);
    assert.equal(headers["x-declared"], "yes");
    const seen = JSON.parse(body).headers;
    assert.equal(seen["x-forwarded-proto"], "https");
    assert.equal(seen.host, HOST);
    assert.equal(seen["x-sandbox-client-region"], undefined);
    const other = await site.ask("/x?y=1", { port: 80, host: "other.example.com" });
    assert.equal(other.status, 301);
    assert.equal(other.headers.location, "https://other.example.com/x?y=1");
  });

  test("a group whose capacity is declared away gets no requests", async () => {
    const { groups } = site;
    const backends = (scaler: (group: string) => number) =>
      groups.map((group) => ({ group, balancingMode: "RATE", maxRatePerEndpoint: 100, capacityScaler: scaler(group) }));
    await site.change(TOKENS.backendService, "shop", {
      backends: backends((group) => (group.includes("europe") ? 0 : 1)),
    });
    await eventually(async () => regionOf((await site.ask("/", { from: "europe-west1" })).body) === "us-east4");
    await site.change(TOKENS.backendService, "shop", { backends: backends(() => 1) });
    await site.healthy("europe-west1", 2);
    await eventually(async () => regionOf((await site.ask("/", { from: "europe-west1" })).body) === "europe-west1");
  });

  test("a region whose capacity is scaled down leaves what is above it to the next-closest one", async () => {
    const backends = (scaler: number) =>
      site.groups.map((group) => ({
        ...{ group, balancingMode: "RATE", maxRatePerEndpoint: 100 },
        capacityScaler: group.includes("europe") ? scaler : 1,
      }));
    /** Asks 80 times in a second, and says which share the closest region answered. */
    const share = async () => {
      const asked = Array.from({ length: 80 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * 12));
        const { status, body } = await site.ask("/", { from: "europe-west1" });
        assert.equal(status, 200);
        return regionOf(body) === "europe-west1" ? 1 : 0;
      });
      return (await Promise.all(asked)).reduce<number>((sum, each) => sum + each, 0) / asked.length;
    };
    assert.equal(await share(), 1);
    // 2 endpoints at 100 requests per second each, scaled to a tenth: 20 of what is asked, 80 at most, 30 on a slow machine.
    await site.change(TOKENS.backendService, "shop", { backends: backends(0.1) });
    const shares: number[] = [];
    const settled = () => shares.length >= 3 && shares.slice(-3).every((each) => each > 0.1 && each < 0.7);
    for (let round = 0; round < 30 && !settled(); round++) shares.push(await share());
    assert.ok(settled(), shares.join());
    await site.change(TOKENS.backendService, "shop", { backends: backends(1) });
    await eventually(async () => (await share()) === 1);
  });

  test("a region without its firewall rule is out of reach, and one with it is back", async () => {
    await site.change(FIREWALL, "front", { sourceRanges: ["35.191.0.0/16"] });
    await site.healthy("europe-west1", 0);
    await site.healthy("us-east4", 0);
    assert.equal((await site.ask("/", { from: "europe-west1" })).status, 503);
    await site.change(FIREWALL, "front", { sourceRanges: ["35.191.0.0/16", "130.211.0.0/22"] });
    await site.healthy("europe-west1", 2);
    await site.healthy("us-east4", 2);
  });

  test("a region whose health check fails is left to the next-closest one", async () => {
    site.health["europe-west1"] = 500;
    const seconds = await site.healthy("europe-west1", 0);
    assert.ok(seconds < 8, `${seconds}`);
    const asked = performance.now();
    assert.equal(regionOf((await site.ask("/", { from: "europe-west1" })).body), "us-east4");
    const ms = performance.now() - asked;
    assert.ok(ms > 0.9 * roundTripMs("europe-west1", "us-east4"), `${ms} ms are less than the way takes`);
    site.health["europe-west1"] = 200;
    await site.healthy("europe-west1", 2);
    assert.equal(regionOf((await site.ask("/", { from: "europe-west1" })).body), "europe-west1");
  });

  test("another limit of requests is in effect as soon as it is declared", async () => {
    const limit = (count: number) => ({
      rules: [
        {
          priority: 1,
          action: "throttle",
          match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } },
          rateLimitOptions: {
            conformAction: "allow",
            exceedAction: "deny(429)",
            enforceOnKey: "IP",
            rateLimitThreshold: { count, intervalSec: 60 },
          },
        },
      ],
    });
    await site.make(TOKENS.securityPolicy, { name: "armor", type: "CLOUD_ARMOR", ...limit(3) });
    await site.change(TOKENS.backendService, "shop", { securityPolicy: "armor" });
    await eventually(async () => (await site.ask("/")).status === 429);
    await site.change(TOKENS.securityPolicy, "armor", limit(10_000));
    await eventually(async () => (await site.ask("/")).status === 200);
  });

  test("a region is lost without a word: requests hang until the health checks see it, then none does", async () => {
    const started = Date.now();
    const answers: Promise<{ at: number; status: number; region?: string }>[] = [];
    // At a constant rate: those that hang keep none from being sent.
    const ask = async () => {
      const at = Date.now() - started;
      const { status, body } = await site.ask("/", { from: "europe-west1" });
      return { at, status, region: status === 200 ? regionOf(body) : undefined };
    };
    const timer = setInterval(() => answers.push(ask()), 50);
    await pause(500);
    await site.lose("europe-west1");
    const seconds = await site.healthy("europe-west1", 0);
    const detected = Date.now() - started;
    const first = answers.length;
    await eventually(async () => answers.length > first + 10);
    clearInterval(timer);
    const all = await Promise.all(answers);
    const later = all.filter(({ at }) => at > detected);
    assert.ok(later.length > 5, `${later.length} requests`);
    assert.ok(
      all.some(({ status }) => status === 504),
      "nobody hung",
    );
    assert.deepEqual([...new Set(later.map(({ status, region }) => `${status} ${region}`))], ["200 us-east4"]);
    // Interval 1 s, timeout 1 s, two failures: nothing is refused on the way.
    assert.ok(seconds > 1 && seconds < 15, `${seconds}`);
    const log = readFileSync(join(site.cloud.dir, "traffic", "health.log"), "utf8");
    assert.match(log, /eject_unhealthy_event/);
  });
});

test("a health check to a port that nobody opens finds nobody healthy", async () => {
  const site = await TestSite.open({
    [TOKENS.healthCheck]: { httpHealthCheck: { portSpecification: "USE_FIXED_PORT", port: 8081, requestPath: "/" } },
  });
  try {
    await pause(3_000);
    assert.equal((await site.traffic.health()).filter(({ healthy }) => healthy).length, 0);
    assert.equal((await site.ask("/")).status, 503);
  } finally {
    await site.close();
  }
});

test("GKE's controller leaves a group without a description alone", async () => {
  const site = await TestSite.open({ [TOKENS.group]: { description: "" } });
  try {
    assert.deepEqual(await site.traffic.health(), []);
    assert.equal((await site.ask("/")).status, 503);
  } finally {
    await site.close();
  }
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error("it did not come true within 10 s");
    await pause(50);
  }
}
