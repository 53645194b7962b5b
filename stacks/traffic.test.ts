/** Traffic: what a site declares of the load balancer, what the foundation does, and that both fit each other. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { appDomain, backendServiceLink, endpointGroupName, frontPort, googleFrontEnds } from "../plan/traffic";
import { type Declaration, type DeclaredResource, declared } from "../tests/lib/declared";
import { stackConfig } from "../tests/lib/stack-file";
import { declaredStack } from "../tests/lib/stacks";
import type { SiteConfig } from "./config";
import { site } from "./site";

const ofType = ({ resources }: Declaration, type: string) => resources.filter((each) => each.type === type);
const only = (site: Declaration, type: string): DeclaredResource => {
  const [found, ...more] = ofType(site, type);
  assert.ok(found && more.length === 0, `${type}: ${more.length + (found ? 1 : 0)} are declared`);
  return found;
};
const GROUP = "gcp:compute/networkEndpointGroup:NetworkEndpointGroup";
const BACKEND = "gcp:compute/backendService:BackendService";

test("a region's share scales the capacity of its groups, and draining takes all of it", async () => {
  const config = stackConfig("prod") as SiteConfig;
  const [first, second] = config.regions;
  const scalers = async (change: Partial<SiteConfig["regions"][number]>) => {
    const regions = [{ ...first!, ...change }, second!];
    const found = await declared(() => site({ ...config, regions }, "token"), "prod");
    const backends = only(found, BACKEND).inputs.backends as { capacityScaler: number }[];
    return backends.map(({ capacityScaler }) => capacityScaler);
  };
  assert.deepEqual(await scalers({ share: 0.5 }), [0.5, 0.5, 0.5, 1, 1, 1]);
  assert.deepEqual(await scalers({ share: 0.5, state: "draining" }), [0, 0, 0, 1, 1, 1]);
});

for (const stack of ["prod", "rebuild-1"] as const) {
  describe(stack, () => {
    let site: Declaration;
    before(async () => {
      site = await declaredStack(stack);
    });

    test("every zone of every region has a group that GKE's controller takes over, and the load balancer has them all", () => {
      const groups = ofType(site, GROUP);
      assert.deepEqual(groups.map(({ inputs }) => inputs.zone).sort(), [
        "europe-west1-b",
        "europe-west1-c",
        "europe-west1-d",
        "us-east4-a",
        "us-east4-b",
        "us-east4-c",
      ]);
      for (const { inputs } of groups) {
        assert.equal(inputs.name, endpointGroupName);
        // Refused by the controller: no description, and one that is JSON of another Service.
        assert.ok(String(inputs.description).length > 0);
        assert.throws(() => JSON.parse(String(inputs.description)));
      }
      const backends = only(site, BACKEND).inputs.backends as { group: string; balancingMode: string }[];
      assert.deepEqual(backends.map(({ group }) => group).sort(), groups.map(({ name }) => `${name}-id`).sort());
      assert.ok(backends.every(({ balancingMode }) => balancingMode === "RATE"));
    });

    test("groups come before the Services that name them, the load balancer after the Services", () => {
      const parts = (name: string) => site.resources.find((each) => each.name === name)!;
      for (const [datacenter, region] of [
        ["emea", "europe-west1"],
        ["amer", "us-east4"],
      ]) {
        const services = parts(`services-${datacenter}`);
        assert.ok(services.dependsOn.includes(`endpoint-groups-${region}`));
        assert.ok(services.dependsOn.includes("services-schema"));
      }
      assert.deepEqual(parts("load-balancer").dependsOn, ["services-amer", "services-emea"]);
      const schema = parts("services-schema").dependsOn;
      assert.deepEqual(schema, stack === "prod" ? ["cassandra"] : ["cassandra", "restore"]);
    });

    test("Google's front ends reach the pods' port in every region, and nothing else is opened to them", () => {
      const rules = ofType(site, "gcp:compute/firewall:Firewall").filter(({ inputs }) =>
        googleFrontEnds.some((range) => (inputs.sourceRanges as string[]).includes(range)),
      );
      assert.equal(rules.length, 1);
      const { inputs } = rules[0]!;
      assert.deepEqual(inputs.sourceRanges, googleFrontEnds);
      assert.deepEqual(inputs.allows, [{ protocol: "tcp", ports: [String(frontPort)] }]);
      // The front's pods are on these machines.
      assert.deepEqual(inputs.targetTags, ["pool-services"]);
    });

    test("only the foundation's deployer may send traffic here", () => {
      const { inputs, deletedWith } = only(site, "gcp:compute/backendServiceIamBinding:BackendServiceIamBinding");
      assert.deepEqual(inputs.members, ["serviceAccount:deployer@iconik-foundation.iam.gserviceaccount.com"]);
      assert.equal(deletedWith, "load-balancer-backend");
    });

    test("attacks are looked for before requests are counted, as the count ends the search", () => {
      const rules = only(site, "gcp:compute/securityPolicy:SecurityPolicy").inputs.rules as {
        priority: number;
        action: string;
        preview?: boolean;
        match: { expr?: { expression: string } };
      }[];
      const sorted = [...rules].sort((a, b) => a.priority - b.priority);
      const limit = sorted.findIndex(({ action }) => action === "throttle");
      assert.ok(limit > 0 && sorted.slice(0, limit).every(({ action, match }) => action === "deny(403)" && match.expr));
      assert.deepEqual(
        sorted.slice(0, limit).flatMap(({ preview, match }) => (preview ? [] : [match.expr?.expression])),
        ["evaluatePreconfiguredWaf('cve-canary', {'sensitivity': 1})"],
      );
      assert.deepEqual(
        sorted.slice(limit + 1).map(({ action }) => action),
        ["allow"],
      );
    });
  });
}

describe("foundation", () => {
  let foundation: Declaration;
  before(async () => {
    foundation = await declaredStack("foundation");
  });

  test("the domain's requests go to the serving site's backend service, by HTTPS alone", () => {
    const maps = ofType(foundation, "gcp:compute/uRLMap:URLMap").map(({ inputs }) => inputs);
    const [app] = maps.filter(({ pathMatchers }) => pathMatchers) as {
      hostRules: unknown;
      pathMatchers: { defaultService: string }[];
    }[];
    assert.deepEqual(app?.pathMatchers, [{ name: "app", defaultService: backendServiceLink("iconik-prod") }]);
    assert.deepEqual(app?.hostRules, [{ hosts: [appDomain], pathMatcher: "app" }]);
    for (const { defaultUrlRedirect } of maps)
      assert.deepEqual(defaultUrlRedirect, {
        hostRedirect: appDomain,
        httpsRedirect: true,
        redirectResponseCode: "MOVED_PERMANENTLY_DEFAULT",
        stripQuery: false,
      });
    const rules = ofType(foundation, "gcp:compute/globalForwardingRule:GlobalForwardingRule");
    assert.deepEqual(
      rules.map(({ inputs }) => [inputs.portRange, inputs.target, inputs.ipAddress]),
      [
        ["80", "front-end-http-id", "192.0.2.2"],
        ["443", "front-end-https-id", "192.0.2.2"],
      ],
    );
    const { inputs } = only(foundation, "gcp:compute/targetHttpsProxy:TargetHttpsProxy");
    assert.equal(inputs.certificateMap, "//certificatemanager.googleapis.com/certificate-map-id");
    assert.equal(only(foundation, "gcp:compute/sSLPolicy:SSLPolicy").inputs.minTlsVersion, "TLS_1_2");
  });

  test("the serving site has the media, and before it has the traffic", () => {
    const policies = ofType(foundation, "gcp:storage/bucketIAMPolicy:BucketIAMPolicy");
    assert.equal(policies.length, 3);
    for (const { inputs } of policies)
      assert.match(String(inputs.policyData), /"serviceAccount:services@iconik-prod\.iam\.gserviceaccount\.com"/);
    assert.ok(foundation.resources.find(({ name }) => name === "front-end")?.dependsOn.includes("media"));
  });

  test("its outputs are the records that the domain's zone has to have", () => {
    assert.deepEqual(foundation.outputs.records, [
      { name: "app.iconik.io.", type: "A", data: "192.0.2.2" },
      { name: "_acme-challenge.app.iconik.io.", type: "CNAME", data: "authorize.example.com." },
    ]);
  });
});
