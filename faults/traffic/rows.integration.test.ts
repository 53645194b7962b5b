/**
 * The rows against a real load balancer over two regions of plain servers: what is declared well passes, and what is declared
 * wrongly fails the row that is about it.
 */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { healthCheck, regionHeader } from "../../plan/traffic";
import { TOKENS } from "../../sandbox/cloud/gcp/load-balancing";
import type { Props } from "../../sandbox/lib/types";
import { HOST, TestSite } from "../../sandbox/traffic/testing";
import { runFault } from "../run";
import { healthLog, nearOf } from "./health-log";
import { noFault, rates, regionApart, regionKilled, regionReturns, regionSlow } from "./rows";
import type { TrafficStage } from "./stage";

const REGIONS = ["europe-west1", "us-east4"] as const;
type TestRegion = (typeof REGIONS)[number];
/** The plan's checks, as the site declares them. */
const declared = {
  [TOKENS.healthCheck]: {
    checkIntervalSec: healthCheck.intervalSeconds,
    timeoutSec: healthCheck.timeoutSeconds,
    unhealthyThreshold: healthCheck.unhealthyThreshold,
    healthyThreshold: healthCheck.healthyThreshold,
  },
};
rates.killed = 50;
rates.others = 20;

/** Assets that every region has at once. */
function app(assets: Set<string>) {
  return (region: string): RequestListener =>
    (asked, answer) => {
      const id = /assets\/([^?]+)/.exec(asked.url ?? "")?.[1];
      if (id && asked.method === "PUT") assets.add(id);
      asked.resume();
      answer.writeHead(id && !assets.has(id) ? 404 : 200, { [regionHeader]: region }).end("{}");
    };
}

async function onSite(change: Record<string, Props>, use: (stage: TrafficStage, site: TestSite) => Promise<void>) {
  const assets = new Set<string>();
  const site = await TestSite.open({ ...declared, ...change }, app(assets));
  const logs = join(site.cloud.dir, "traffic", "health.log");
  const stage: TrafficStage = {
    entry: {
      host: HOST,
      listener: site.traffic.served.find(({ port }) => port === 443)!.listener,
      authority: site.traffic.authorityFile,
      clientHeader: (await site.traffic.status()).clientHeader,
    },
    regions: REGIONS,
    health: async () =>
      (await site.traffic.health()).map(({ cluster, region, healthy }) => ({ region, near: nearOf(cluster), healthy })),
    healthEvents: (since) => healthLog(logs, since),
    strike: async ({ target, state }) => {
      const region = target as TestRegion;
      if (state === "off") await site.lose(region);
      if (state === "on") await site.restore(region);
      if (state === "apart" || state === "joined") site.traffic.paths.partition(region, state === "apart");
      if (state === "slow" || state === "near") site.traffic.paths.slow(region, state === "slow" ? 20 : 1);
    },
    apiAnswers: async () => false,
    held: async (_, ids) => new Set(ids.filter((id) => assets.has(id))),
    indexed: async (_, ids) => new Set(ids.filter((id) => assets.has(id))),
  };
  try {
    await use(stage, site);
  } finally {
    await site.close();
  }
}

test("a region that is killed, returns, is cut off or slow is what the plan promises", async () => {
  await onSite({}, async (stage) => {
    for (const row of [regionKilled, regionReturns, regionApart, regionSlow]) {
      const { pass, failure, measured } = await runFault(row, stage);
      assert.ok(pass, `${row.id}: ${failure} ${JSON.stringify(measured)}`);
    }
  });
});

test("a health check to a port that nobody opens leaves nobody to serve", async () => {
  const httpHealthCheck = { portSpecification: "USE_FIXED_PORT", port: 8081, requestPath: healthCheck.path };
  const change = { [TOKENS.healthCheck]: { ...declared[TOKENS.healthCheck], httpHealthCheck } };
  await onSite(change, async (stage) => {
    const { pass, failure } = await runFault({ ...noFault, id: "wrong-port" }, stage);
    assert.ok(!pass);
    assert.match(failure ?? "", /all healthy within 30 s did not come true/);
  });
});

test("a region that the backend service does not name serves nobody when the other is killed", async () => {
  await onSite({}, async (stage, site) => {
    const backends = site.groups
      .filter((group) => group.includes(REGIONS[0]))
      .map((group) => ({ group, balancingMode: "RATE", maxRatePerEndpoint: 100 }));
    await site.change(TOKENS.backendService, "shop", { backends });
    const { pass, failure } = await runFault(regionKilled, { ...stage, regions: [REGIONS[0], REGIONS[1]] });
    assert.ok(!pass);
    assert.match(failure ?? "", /us-east4|nobody/);
  });
});

test("checks that are too slow fail the row", async () => {
  const slow = { checkIntervalSec: 10, timeoutSec: 10, unhealthyThreshold: 2, healthyThreshold: 1 };
  await onSite({ [TOKENS.healthCheck]: slow }, async (stage) => {
    const { pass, failure } = await runFault(regionKilled, stage);
    assert.ok(!pass);
    assert.match(failure ?? "", /did not see it within 30 s|detectionSeconds is \d|recoverySeconds is \d/);
  });
});
