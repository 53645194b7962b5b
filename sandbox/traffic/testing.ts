/** A declared load balancer over two regions whose pods are plain HTTP servers, for tests. */

import { readFileSync } from "node:fs";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { FIREWALL, GLOBAL_ADDRESS, NETWORK, SUBNETWORK } from "../cloud/gcp/compute";
import { TOKENS } from "../cloud/gcp/load-balancing";
import { TYPES } from "../cloud/iam/access";
import { testCloud } from "../cloud/testing";
import { ProcessTable } from "../lib/process";
import type { Props } from "../lib/types";
import { loadTools } from "../toolchain";
import type { Groups } from "./endpoint-groups";
import { CLIENT_REGION_HEADER } from "./envoy-config";
import { Traffic } from "./index";

export const PROJECT = "shop";
export const HOST = "www.example.com";
const ME = "me@example.com";
/** Regions with their zones and the networks of the loopback that their pods are in. */
const REGIONS = { "europe-west1": ["b", "c"], "us-east4": ["a", "b"] } as const;
export type TestRegion = keyof typeof REGIONS;
export const POD_PORT = 8080;

/** An answer. */
export interface Answered {
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

/** A site and its front end, as declared; `change` gives inputs of a type by what they are for. */
export class TestSite {
  readonly cloud = testCloud({ changed: () => this.traffic.changed() });
  readonly traffic: Traffic;
  private readonly servers = new Map<string, { server: Server; region: TestRegion; address: string }>();
  /** What pods answer to health checks, by region. */
  readonly health: Partial<Record<TestRegion, number>> = {};
  private agent?: Agent;

  private constructor(private readonly app: (region: TestRegion, address: string) => RequestListener) {
    this.traffic = new Traffic({
      dir: join(this.cloud.dir, "traffic"),
      envoy: loadTools().envoy,
      processes: new ProcessTable(this.cloud.dir),
      resources: this.cloud.control.resources,
    });
  }

  /**
   * @param change more inputs by token
   * @param app what pods answer, health checks apart. Default: what they were asked
   */
  static async open(change: Record<string, Props> = {}, app: TestSite["app"] = echo): Promise<TestSite> {
    const site = new TestSite(app);
    const make = (type: string, inputs: Props) => site.make(type, { ...inputs, ...change[type] });
    await make(NETWORK, { name: "n" });
    for (const region of Object.keys(REGIONS) as TestRegion[]) await site.openRegion(region, change);
    await make(FIREWALL, {
      name: "front",
      network: "n",
      sourceRanges: ["35.191.0.0/16", "130.211.0.0/22"],
      targetTags: ["front"],
      allows: [{ protocol: "tcp", ports: [String(POD_PORT)] }],
    });
    await make(TOKENS.healthCheck, {
      name: "hc",
      checkIntervalSec: 1,
      timeoutSec: 1,
      httpHealthCheck: { portSpecification: "USE_SERVING_PORT", requestPath: "/healthz" },
      logConfig: { enable: true },
    });
    await make(TOKENS.backendService, {
      name: "shop",
      loadBalancingScheme: "EXTERNAL_MANAGED",
      protocol: "HTTP",
      backends: site.groups.map((group) => ({ group, balancingMode: "RATE", maxRatePerEndpoint: 100 })),
      healthChecks: "hc",
      timeoutSec: 5,
      customResponseHeaders: ["X-Declared: yes"],
    });
    await make(GLOBAL_ADDRESS, { name: "a" });
    await make(TOKENS.dnsAuthorization, { name: "d", domain: HOST });
    await make(TOKENS.certificate, { name: "c", managed: { domains: [HOST], dnsAuthorizations: ["d"] } });
    await make(TOKENS.certificateMap, { name: "m" });
    await make(TOKENS.certificateMapEntry, { name: "e", map: "m", hostname: HOST, certificates: ["c"] });
    await make(TOKENS.urlMap, {
      name: "www",
      hostRules: [{ hosts: [HOST], pathMatcher: "www" }],
      pathMatchers: [{ name: "www", defaultService: "shop" }],
      defaultUrlRedirect: { hostRedirect: HOST, httpsRedirect: true, stripQuery: false },
    });
    await make(TOKENS.urlMap, { name: "redirect", defaultUrlRedirect: { httpsRedirect: true, stripQuery: false } });
    const map = `//certificatemanager.googleapis.com/projects/${PROJECT}/locations/global/certificateMaps/m`;
    await make(TOKENS.httpsProxy, { name: "https", urlMap: "www", certificateMap: map });
    await make(TOKENS.httpProxy, { name: "http", urlMap: "redirect" });
    for (const [target, portRange] of [
      ["https", "443"],
      ["http", "80"],
    ])
      await make(TOKENS.forwardingRule, {
        name: target,
        loadBalancingScheme: "EXTERNAL_MANAGED",
        ipAddress: "a",
        portRange,
        target,
      });
    await site.traffic.settled();
    return site;
  }

  /** Ids of the groups. */
  get groups(): string[] {
    return this.cloud.control.resources.all(TOKENS.group).map(({ id }) => id);
  }

  make(type: string, inputs: Props) {
    return this.cloud.control.create(type, "it", { project: PROJECT, ...inputs }, ME);
  }

  /** Declares a resource otherwise; ends when that is in effect. */
  async change(type: string, name: string, change: Props): Promise<void> {
    const found = this.cloud.control.resources.all(type).find(({ inputs }) => inputs.name === name)!;
    await this.cloud.control.update(type, found.id, { ...found.inputs, ...change }, ME);
    await this.traffic.settled();
  }

  /** Asks a front end as a client in a region does. */
  async ask(path: string, options: { from?: string; port?: number; method?: string; host?: string } = {}) {
    const { from, port = 443, method = "GET", host = HOST } = options;
    const listener = this.traffic.served.find((each) => each.port === port)!.listener;
    this.agent ??= new Agent({ ca: readFileSync(this.traffic.authorityFile), keepAlive: true });
    const headers = { host, ...(from ? { [CLIENT_REGION_HEADER]: from } : {}) };
    const [address, number] = listener.split(":");
    const common = { host: address, port: Number(number), path, method, headers };
    return new Promise<Answered>((resolve, reject) => {
      const take = (response: IncomingMessage) => {
        const parts: Buffer[] = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(parts).toString(),
            headers: response.headers,
          }),
        );
      };
      const sent =
        port === 443 ? request({ ...common, agent: this.agent, servername: HOST }, take) : httpRequest(common, take);
      sent.on("error", reject);
      sent.end();
    });
  }

  /** Waits until all front ends find so many endpoints of a region healthy. @returns seconds that it took */
  async healthy(region: TestRegion, count: number): Promise<number> {
    const started = Date.now();
    for (;;) {
      const health = await this.traffic.health();
      const found = (Object.keys(REGIONS) as TestRegion[]).map(
        (near) => health.filter((each) => each.cluster.endsWith(near) && each.region === region && each.healthy).length,
      );
      if (found.every((each) => each === count)) return (Date.now() - started) / 1000;
      if (Date.now() - started > 20_000) throw new Error(`${found} endpoints of ${region} are healthy, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Every process of a region's cluster ends, as if its machines had lost power. */
  async lose(region: TestRegion): Promise<void> {
    this.traffic.leave(clusterId(region), true);
    for (const each of this.servers.values()) if (each.region === region) end(each.server);
  }

  /** They have it back. */
  async restore(region: TestRegion): Promise<void> {
    for (const each of this.servers.values())
      if (each.region === region) each.server = await this.pod(region, each.address);
    this.traffic.enter(clusterId(region));
  }

  async close(): Promise<void> {
    this.agent?.destroy();
    await this.traffic.stop();
    for (const { server } of this.servers.values()) end(server);
    this.cloud.end();
  }

  /** A pod in each zone. */
  private async openRegion(region: TestRegion, change: Record<string, Props>): Promise<void> {
    const place = Object.keys(REGIONS).indexOf(region);
    const subnet = { name: region, region, network: "n", ipCidrRange: `10.${place}.0.0/20` };
    const { id: subnetwork } = await this.make(SUBNETWORK, subnet);
    const network = `projects/${PROJECT}/global/networks/n`;
    const workloads = { network, subnetwork, location: region };
    const { id } = await this.make(TYPES.cluster, { name: "c", ...workloads });
    const nodeConfig = { tags: ["front"], ...(change[TYPES.nodePool] ?? {}) };
    await this.make(TYPES.nodePool, { name: "p", cluster: id, nodeConfig });
    const groups: Groups = new Map();
    for (const [index, letter] of REGIONS[region].entries()) {
      const zone = `${region}-${letter}`;
      const group = { name: "front", zone, network, subnetwork, description: "pods" };
      await this.make(TOKENS.group, { ...group, ...change[TOKENS.group] });
      const address = `127.12${place}.0.${index + 1}`;
      this.servers.set(address, { server: await this.pod(region, address), region, address });
      groups.set(`${zone}/front`, { zone, name: "front", endpoints: [{ address, port: POD_PORT, pool: "p" }] });
    }
    this.traffic.fill({ id, name: "c", project: PROJECT, location: region }, groups);
  }

  private pod(region: TestRegion, address: string): Promise<Server> {
    const app = this.app(region, address);
    const server = createServer((asked, answer) => {
      if (asked.url === "/healthz") answer.writeHead(this.health[region] ?? 200).end();
      else app(asked, answer);
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(POD_PORT, address, () => resolve(server));
    });
  }
}

const clusterId = (region: string) => `projects/${PROJECT}/locations/${region}/clusters/c`;

const echo: TestSite["app"] = (region, address) => (asked, answer) =>
  void answer.end(JSON.stringify({ region, address, headers: asked.headers }));

function end(server: Server): void {
  server.closeAllConnections();
  server.close();
}
