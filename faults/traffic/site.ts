/**
 * The stage of the traffic matrix: the vault, a site of two regions and the foundation's front end, up on the local cloud by
 * their own programs, with nothing configured beside them.
 */
import { ApiException, VersionApi } from "@kubernetes/client-node";
import type { Stack } from "@pulumi/pulumi/automation";
import { kubeConfig, type RegionOutput } from "../../drill/clusters";
import {
  CONTROL_REGION,
  DEPLOYER_EMAIL,
  FOUNDATION,
  foundationConfig,
  PROD,
  PROD_PROJECT,
  REGIONS,
  siteConfig,
  VAULT,
  vaultConfig,
} from "../../drill/config";
import { type Connected, connectRegion } from "../../drill/connect";
import { down, SANDBOX_DIR, upFresh } from "../../drill/sandbox";
import { forget, openStack, setConfig, up } from "../../drill/workspace";
import { appKeyspace, assetIndex } from "../../plan/names";
import { appDomain, backendServiceLink } from "../../plan/traffic";
import { ControlClient } from "../../sandbox/cloud/api";
import { fullId } from "../../sandbox/cloud/gcp/compute";
import { TOKENS } from "../../sandbox/cloud/gcp/load-balancing";
import { socketOf } from "../../sandbox/environment";
import { healthLog, nearOf } from "./health-log";
import { pause, region, until } from "./run";
import type { TrafficStage } from "./stage";

/** A site that is up, with hands in its clusters. */
export interface SiteStage extends TrafficStage {
  outputs: RegionOutput[];
  control: RegionOutput;
  /** Regions as the stack's configuration has them. */
  declared: readonly { name: string; zones: string[] }[];
  /**
   * The site's stack as declared, or with other configuration. `pulumi up` has ended when it resolves; with `refresh` it first
   * reads what there is.
   */
  redeploy(change: Record<string, unknown>, options?: { refresh: boolean }): Promise<void>;
  /**
   * `gcloud compute backend-services update-backend --capacity-scaler` for the site's groups in these zones: the cloud has it,
   * and no state.
   */
  scaleCapacity(zones: readonly string[], scaler: number): Promise<void>;
  close(): Promise<void>;
}

/** How large a site is. */
export interface SiteSize {
  racks: number;
  /** Cassandra nodes of each region, and replicas of each row there. */
  nodes: number;
}

/** Two nodes each: a region does without none of them. */
export const SMALLEST: SiteSize = { racks: 2, nodes: 2 };
/** The plan's defaults: a region does without one. */
export const DEFAULTS: SiteSize = { racks: 3, nodes: 3 };

const STACKS = [VAULT, PROD, FOUNDATION];
const ZONES: Record<string, string> = { "europe-west1": "europe-west1-d", "us-east4": "us-east4-c" };
/** Answer to a query for documents by their ids. */
interface Found {
  docs: { _id: string; found?: boolean }[];
}

/** Ids of one query. */
const AT_ONCE = 100;
const SERVES_SECONDS = 120;
const FRONT_MS = 30_000;
/** How long an API server may take to answer. */
const API_SECONDS = 5;

const tell = (line: string) => {
  if (process.env.DRILL_VERBOSE) console.log(`    ${line}`);
};

/** Brings everything up. The sandbox is fresh, and gone after {@link SiteStage.close}. */
export async function openSite(size: SiteSize): Promise<SiteStage> {
  for (const name of STACKS) forget(name);
  await upFresh(tell);
  try {
    await up(await openStack(VAULT, vaultConfig({ retentionDays: 0 })), tell);
    const prod = await openStack(PROD, configOf(size));
    const { regions, control } = await up(prod, tell);
    await up(await openStack(FOUNDATION, { ...foundationConfig(), app: { project: PROD_PROJECT } }), tell);
    return await siteStage(prod, size, regions?.value, { name: CONTROL_REGION, datacenter: "", ...control?.value });
  } catch (error) {
    await closeSite(true);
    throw error;
  }
}

async function closeSite(keepLogs: boolean): Promise<void> {
  await down(tell, keepLogs);
  for (const name of STACKS) forget(name);
}

/** The front end that answers HTTPS. It follows its declaration within seconds. @throws when there is none by then */
async function httpsFront(client: ControlClient) {
  for (const deadline = Date.now() + FRONT_MS; ; await pause(500)) {
    const { frontEnds, ...more } = await client.traffic();
    const listener = frontEnds.find(({ port }) => port === 443)?.listener;
    if (listener) return { listener, ...more };
    if (Date.now() > deadline)
      throw new Error(
        `no front end answers HTTPS after ${FRONT_MS / 1000} s; the foundation names the site by app.project`,
      );
  }
}

/** Asks a cluster's API server once. An error that it answers with is an answer. */
async function apiAnswers({ kubeconfig }: RegionOutput): Promise<boolean> {
  const asked = kubeConfig(kubeconfig)
    .makeApiClient(VersionApi)
    .getCode()
    .then(
      () => true,
      (error: Error) => error instanceof ApiException,
    );
  return Promise.race([asked, pause(API_SECONDS * 1000).then(() => false)]);
}

/** A zone for each rack. */
function regionsOf({ racks }: SiteSize) {
  return REGIONS.map((each) => ({ ...each, zones: [...each.zones, ZONES[each.name]!].slice(0, racks) }));
}

function configOf({ racks, nodes }: SiteSize): Record<string, unknown> {
  return {
    ...siteConfig(PROD),
    regions: regionsOf({ racks, nodes }),
    cassandra: { racks, nodesPerRegion: nodes, replicationFactor: nodes },
  };
}

async function siteStage(
  prod: Stack,
  size: SiteSize,
  outputs: RegionOutput[],
  control: RegionOutput,
): Promise<SiteStage> {
  const client = new ControlClient(socketOf(SANDBOX_DIR));
  const { listener, authority, clientHeader, logs } = await httpsFront(client);
  const connected = new Map<string, Connected>();
  const connection = async (name: string) => {
    const found = connected.get(name) ?? (await connectRegion(outputs.find((each) => each.name === name)!));
    connected.set(name, found);
    return found;
  };
  const disconnect = async (name: string) => {
    const found = connected.get(name);
    connected.delete(name);
    found?.elasticsearch.close();
    await found?.cassandra.shutdown();
  };
  /** Which of some ids a store of a region knows. */
  const those = async (
    name: string,
    ids: readonly string[],
    ask: (to: Connected, some: string[]) => Promise<string[]>,
  ) => {
    const known = new Set<string>();
    try {
      const to = await connection(name);
      for (let from = 0; from < ids.length; from += AT_ONCE)
        for (const id of await ask(to, ids.slice(from, from + AT_ONCE))) known.add(id);
    } catch (error) {
      // Its nodes are still starting, or others than before: asked again.
      tell(`${name}: ${(error as Error).message}`);
      await disconnect(name);
    }
    return known;
  };
  const [first, second] = outputs.map(({ name }) => name);
  const stage: SiteStage = {
    entry: { host: appDomain, listener, authority, clientHeader },
    regions: [first!, second!],
    outputs,
    control,
    declared: regionsOf(size),
    health: async () =>
      (await client.traffic()).backends.map(({ cluster, ...seen }) => ({ ...seen, near: nearOf(cluster) })),
    healthEvents: (since) => healthLog(logs.health, since),
    strike: async (fault) => {
      if (fault.kind === "region") await disconnect(fault.target);
      await client.fault(fault);
    },
    apiAnswers: (name) => apiAnswers([...outputs, control].find((each) => each.name === name)!),
    held: (name, ids) =>
      those(name, ids, async ({ cassandra }, some) => {
        const query = `SELECT id FROM ${appKeyspace}.assets WHERE id IN ?`;
        return (await cassandra.execute(query, [some], { prepare: true })).rows.map(({ id }) => String(id));
      }),
    indexed: (name, ids) =>
      those(name, ids, async ({ elasticsearch }, some) => {
        const path = `/${assetIndex}/_mget?_source=false`;
        const { docs } = await elasticsearch.request<Found>("POST", path, { ids: some });
        return docs.flatMap(({ _id, found }) => (found ? [_id] : []));
      }),
    redeploy: async (change, options) => {
      setConfig(PROD, { ...configOf(size), ...change });
      await up(prod, tell, options);
    },
    scaleCapacity: async (zones, capacityScaler) => {
      const id = fullId(backendServiceLink(PROD_PROJECT));
      const found = await client.read(TOKENS.backendService, id);
      if (!found) throw new Error(`there is no backend service ${id} to scale`);
      const backends = (found.inputs.backends as { group: string }[]).map((each) =>
        zones.some((zone) => each.group.includes(`/zones/${zone}/`)) ? { ...each, capacityScaler } : each,
      );
      await client.update(TOKENS.backendService, id, { ...found.inputs, backends }, DEPLOYER_EMAIL);
    },
    close: async () => {
      for (const name of connected.keys()) await disconnect(name);
      await closeSite(false);
    },
  };
  for (const name of stage.regions) await until(stage, `${name} healthy`, region(name, true), SERVES_SECONDS);
  // What has just come up is still busy with itself.
  await pause(5_000);
  return stage;
}
