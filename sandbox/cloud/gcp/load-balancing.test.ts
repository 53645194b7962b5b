/** Load balancers: what their parts name exists, stays while it is named, and is another project's only by permission. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";
import { NETWORK, SUBNETWORK } from "./compute";
import { TOKENS } from "./load-balancing";

const ME = "me@x";
const PROJECT = "site-project";
const FRONT = "front-project";

let cloud: ReturnType<typeof testCloud>;
beforeEach(async () => {
  cloud = testCloud();
  await make(NETWORK, { name: "n" });
  await make(SUBNETWORK, { name: "s", region: "europe-west1", network: "n", ipCidrRange: "10.0.0.0/20" });
});
afterEach(() => cloud.end());

const make = (type: string, inputs: Props, caller = ME) =>
  cloud.control.create(type, "it", { project: PROJECT, ...inputs }, caller);
const remove = (type: string, id: string) => cloud.control.delete(type, id, ME);
const group = (change: Props = {}) =>
  make(TOKENS.group, { name: "front", zone: "europe-west1-b", network: "n", subnetwork: "s", ...change });
const healthCheck = () => make(TOKENS.healthCheck, { name: "hc" });
const service = async () =>
  make(TOKENS.backendService, {
    name: "app",
    backends: [{ group: (await group()).id }],
    healthChecks: (await healthCheck()).outputs.selfLink,
  });
const urlMap = (defaultService: unknown, caller?: string) =>
  make(TOKENS.urlMap, { project: FRONT, name: "app", defaultService }, caller);

test("a group is in a zone of its subnetwork's region, and keeps its network", async () => {
  await refused(group({ network: "other" }), 404, /'other'/);
  await refused(group({ zone: "us-east4-a" }), 400, /not in the region of zone us-east4-a/);
  await make(NETWORK, { name: "m" });
  await refused(group({ network: "m" }), 400, /not in network/);
  await group();
  await refused(group(), 409, /already exists/);
  await group({ zone: "europe-west1-c" });
  await cloud.control.delete(SUBNETWORK, `projects/${PROJECT}/regions/europe-west1/subnetworks/s`, ME);
  await refused(
    remove(NETWORK, `projects/${PROJECT}/global/networks/n`),
    400,
    /used by '.*networkEndpointGroups\/front'/,
  );
});

test("what a backend service names exists, and stays as long as it", async () => {
  const backends = [{ group: "projects/site-project/zones/europe-west1-b/networkEndpointGroups/front" }];
  await refused(make(TOKENS.backendService, { name: "app", backends }), 404, /networkEndpointGroups\/front/);
  const { id } = await service();
  await refused(remove(TOKENS.group, backends[0]!.group), 400, /already being used by '.*backendServices\/app'/);
  await refused(remove(TOKENS.healthCheck, `projects/${PROJECT}/global/healthChecks/hc`), 400, /already being used/);
  await remove(TOKENS.backendService, id);
  await remove(TOKENS.group, backends[0]!.group);
  await remove(TOKENS.healthCheck, `projects/${PROJECT}/global/healthChecks/hc`);
});

test("a URL map names another project's backend service only with a permission on it", async () => {
  const { id, outputs } = await service();
  await refused(urlMap(`projects/${PROJECT}/global/backendServices/none`), 404, /backendServices\/none/);
  await refused(urlMap(outputs.selfLink), 403, /Required 'compute\.backendServices\.use' permission for '.*app'/);
  const role = "roles/compute.loadBalancerServiceUser";
  await refused(make(TOKENS.backendServiceBinding, { name: "none", role, members: [] }), 404, /'none'/);
  const grant = (change: Props) =>
    make(TOKENS.backendServiceBinding, { name: id, role, members: [`user:${ME}`], ...change });
  await refused(grant({ members: ["serviceAccount:no@p.iam.gserviceaccount.com"] }), 400, /no@p.* does not exist/);
  await refused(grant({ role: "roles/compute.typo" }), 400, /compute\.typo is not supported/);
  await grant({});
  await refused(urlMap(outputs.selfLink, "other@x"), 403, /Required/);
  const map = await urlMap(outputs.selfLink);
  await refused(
    remove(TOKENS.backendService, id),
    400,
    /already being used by 'projects\/front-project.*urlMaps\/app'/,
  );
  await cloud.control.update(
    TOKENS.urlMap,
    map.id,
    { project: FRONT, name: "app", defaultUrlRedirect: { httpsRedirect: true } },
    ME,
  );
  await remove(TOKENS.backendService, id);
});

test("nothing else is named across projects", async () => {
  const { id } = await healthCheck();
  await refused(
    make(TOKENS.backendService, { project: FRONT, name: "app", healthChecks: id }),
    400,
    /Cross project referencing is not allowed/,
  );
});

test("an address is served from its own project, each port once, and stays meanwhile", async () => {
  const type = "gcp:compute/globalAddress:GlobalAddress";
  const first = await make(type, { project: FRONT, name: "app" });
  const second = await make(type, { project: FRONT, name: "other" });
  assert.notEqual(first.outputs.address, second.outputs.address);
  const map = await make(TOKENS.urlMap, { project: FRONT, name: "r", defaultUrlRedirect: {} });
  const proxy = await make(TOKENS.httpProxy, { project: FRONT, name: "r", urlMap: map.id });
  const foreign = await make(TOKENS.urlMap, { name: "r", defaultUrlRedirect: {} });
  const foreignProxy = await make(TOKENS.httpProxy, { name: "r", urlMap: foreign.id });
  const rule = (change: Props) =>
    make(TOKENS.forwardingRule, {
      project: FRONT,
      name: "http",
      target: proxy.id,
      ipAddress: first.outputs.address,
      portRange: "80",
      ...change,
    });
  await refused(rule({ ipAddress: "192.0.2.7" }), 400, /'192\.0\.2\.7' is no reserved address/);
  await refused(rule({ project: PROJECT, target: foreignProxy.id }), 400, /is of another project/);
  await refused(rule({ target: "projects/front-project/global/targetHttpProxies/none" }), 404, /none/);
  const { id } = await rule({});
  await refused(rule({ name: "again" }), 409, /port 80 is in use by '.*forwardingRules\/http'/);
  await refused(remove(type, first.id), 400, /already being used by '.*forwardingRules\/http'/);
  await refused(remove(TOKENS.httpProxy, proxy.id), 400, /already being used by/);
  await remove(TOKENS.forwardingRule, id);
  await remove(type, first.id);
});

test("certificates need their authorization, maps keep what their entries and proxies name", async () => {
  const certificate = (domains: string[], dnsAuthorizations: unknown[]) =>
    make(TOKENS.certificate, { name: "app", managed: { domains, dnsAuthorizations } });
  await refused(certificate(["a.example.com"], ["projects/p/x"]), 404, /projects\/p\/x/);
  const authorization = await make(TOKENS.dnsAuthorization, { name: "app", domain: "a.example.com" });
  const [record] = authorization.outputs.dnsResourceRecords as { name: string; type: string }[];
  assert.deepEqual([record?.name, record?.type], ["_acme-challenge.a.example.com.", "CNAME"]);
  await refused(certificate(["b.example.com"], [authorization.id]), 400, /b\.example\.com has no matching/);
  const { id } = await certificate(["a.example.com", "*.a.example.com"], [authorization.id]);
  const map = await make(TOKENS.certificateMap, { name: "app" });
  const entry = await make(TOKENS.certificateMapEntry, { name: "app", map: "app", certificates: [id] });
  await refused(remove(TOKENS.certificateMap, map.id), 400, /already being used by '.*certificateMapEntries\/app'/);
  await refused(remove(TOKENS.certificate, id), 400, /already being used/);
  await refused(remove(TOKENS.dnsAuthorization, authorization.id), 400, /already being used/);
  await remove(TOKENS.certificateMapEntry, entry.id);
  const url = await make(TOKENS.urlMap, { name: "r", defaultUrlRedirect: {} });
  const certificateMap = `//certificatemanager.googleapis.com/${map.id}`;
  await make(TOKENS.httpsProxy, { name: "r", urlMap: url.id, certificateMap });
  await refused(remove(TOKENS.certificateMap, map.id), 400, /used by '.*targetHttpsProxies\/r'/);
});
