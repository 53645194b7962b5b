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
import { patience } from "./findings";
import { healthLog, nearOf } from "./health-log";
import { noFault, regionApart, regionKilled, regionReturns, regionSlow } from "./region-rows";
import { rates } from "./rows";
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
// Plain servers are warm at once, and a copy that has not come by then does not come.
Object.assign(patience, { beforeMs: 4_000, healthySeconds: 12, storesMs: 3_000 });

/** How long a copy to the other region takes. */
const COPY_MS = 150;

/** What regions keep of assets. Each has its own, and the other's a while later, unless one of them is off then. */
class Stores {
  /** From now on no copy arrives. */
  dropping = false;
  readonly off = new Set<string>();
  private readonly kept: Record<string, Set<string>> = Object.fromEntries(REGIONS.map((each) => [each, new Set()]));

  held = async (region: string, ids: readonly string[]) => new Set(ids.filter((id) => this.kept[region]!.has(id)));

  app = (region: string): RequestListener => {
    const own = this.kept[region]!;
    return (asked, answer) => {
      const id = /assets\/([^?]+)/.exec(asked.url ?? "")?.[1];
      if (id && asked.method === "PUT") {
        own.add(id);
        this.copy(id);
      }
      asked.resume();
      const found = id ? {} : { assets: [...own].slice(0, 1).map((each) => ({ id: each, title: "load" })) };
      answer.writeHead(id && !own.has(id) ? 404 : 200, { [regionHeader]: region }).end(JSON.stringify(found));
    };
  };

  private copy(id: string): void {
    if (this.dropping) return;
    setTimeout(() => {
      if (this.off.size > 0) this.copy(id);
      else for (const each of REGIONS) this.kept[each]!.add(id);
    }, COPY_MS).unref();
  }
}

async function onSite(
  change: Record<string, Props>,
  use: (stage: TrafficStage, site: TestSite, stores: Stores) => Promise<void>,
) {
  const stores = new Stores();
  const site = await TestSite.open({ ...declared, ...change }, stores.app);
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
      if (state === "off") stores.off.add(region);
      if (state === "on") stores.off.delete(region);
      if (state === "off") await site.lose(region);
      if (state === "on") await site.restore(region);
      if (state === "apart" || state === "joined") site.traffic.paths.partition(region, state === "apart");
      if (state === "slow" || state === "near") site.traffic.paths.slow(region, state === "slow" ? 20 : 1);
    },
    apiAnswers: async () => false,
    held: stores.held,
    indexed: stores.held,
  };
  try {
    await use(stage, site, stores);
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

test("copies that do not arrive are lost writes", async () => {
  await onSite({}, async (stage, _, stores) => {
    const strike: TrafficStage["strike"] = async (fault) => {
      stores.dropping = true;
      await stage.strike(fault);
    };
    const { pass, failure } = await runFault(regionSlow, { ...stage, strike });
    assert.ok(!pass);
    assert.equal(failure, "Infinity s of data were lost, 0 s are allowed");
  });
});

test("a way that is cut and no log of health checks tells of is not noticed", async () => {
  const silent = { ...declared[TOKENS.healthCheck], logConfig: { enable: false } };
  await onSite({ [TOKENS.healthCheck]: silent }, async (stage) => {
    const { pass, failure } = await runFault(regionApart, stage);
    assert.ok(!pass);
    assert.match(failure ?? "", /^the log of health checks has no UNHEALTHY of europe-west1 near us-east4/);
  });
});

test("a health check to a port that nobody opens leaves nobody to serve", async () => {
  const httpHealthCheck = { portSpecification: "USE_FIXED_PORT", port: 8081, requestPath: healthCheck.path };
  const change = { [TOKENS.healthCheck]: { ...declared[TOKENS.healthCheck], httpHealthCheck } };
  await onSite(change, async (stage) => {
    const { pass, failure } = await runFault({ ...noFault, id: "wrong-port" }, stage);
    assert.ok(!pass);
    assert.match(failure ?? "", /^all healthy within 12 s did not come true/);
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
    assert.equal(failure, "after the detection nobody answered; allowed: us-east4");
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
