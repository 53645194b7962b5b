/** The rows that take something away inside a region's cluster, as an operator sees it: pods, nodes, zones. */
import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { kubeConfig, type RegionOutput } from "../../drill/clusters";
import { elasticsearchName, namespaces } from "../../plan/names";
import { failoverSeconds } from "../../plan/traffic";
import type { Fault } from "../fault";
import { notReady, whileSampling } from "./ready-replicas";
import {
  allHealthy,
  apiRefused,
  failoverBounds,
  heard,
  outcome,
  rates,
  recoveryBounds,
  refusals,
  sent,
  silence,
  silenceApi,
  takenOverBounds,
  unnoticed,
  unseenBounds,
} from "./rows";
import { type Findings, mended, pause, region, underLoad, until } from "./run";
import type { SiteStage } from "./site";

/** How long a pod may take until it is there again. */
const AGAIN_SECONDS = 240;

const core = ({ kubeconfig }: RegionOutput) => kubeConfig(kubeconfig).makeApiClient(CoreV1Api);
const first = (stage: SiteStage) => stage.outputs[0]!;

const pods = async (output: RegionOutput, namespace: string, labelSelector: string): Promise<V1Pod[]> =>
  (await core(output).listNamespacedPod({ namespace, labelSelector })).items;

/** Ends pods at once and tells everybody: Services and load balancer forget them within seconds. */
async function kill(output: RegionOutput, doomed: readonly V1Pod[]): Promise<void> {
  if (doomed.length === 0) throw new Error("there is no such pod to kill");
  await Promise.all(
    doomed.map(({ metadata }) =>
      core(output).deleteNamespacedPod({
        namespace: metadata?.namespace ?? "",
        name: metadata?.name ?? "",
        gracePeriodSeconds: 0,
      }),
    ),
  );
}

/** Waits until so many pods are ready. @returns seconds */
async function ready(output: RegionOutput, namespace: string, selector: string, count: number): Promise<number> {
  const started = Date.now();
  for (;;) {
    const found = (await pods(output, namespace, selector)).filter(({ status, metadata }) =>
      metadata?.deletionTimestamp
        ? false
        : status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
    );
    const seconds = (Date.now() - started) / 1000;
    if (found.length >= count) return seconds;
    if (seconds > AGAIN_SECONDS)
      throw new Error(`${found.length} of ${count} pods ${selector} are ready after ${AGAIN_SECONDS} s`);
    await pause(500);
  }
}

/** Label of the front's pods. */
export const front = "app.kubernetes.io/name=front";
const cassandra = ({ datacenter }: RegionOutput) => `cassandra.datastax.com/datacenter=${datacenter}`;
const elasticsearch = `elasticsearch.k8s.elastic.co/cluster-name=${elasticsearchName}`;

/** What an operator does in one region's cluster. */
export interface ClusterHands {
  pods(namespace: string, selector: string): Promise<V1Pod[]>;
  cassandra(): Promise<V1Pod[]>;
  cassandraSelector: string;
  kill(doomed: readonly V1Pod[]): Promise<void>;
  /** Waits until so many pods are ready. @returns seconds */
  ready(namespace: string, selector: string, count: number): Promise<number>;
}

/** The hands of an operator in a region. */
export const handsOf = (output: RegionOutput): ClusterHands => ({
  pods: (namespace, selector) => pods(output, namespace, selector),
  cassandra: () => pods(output, namespaces.cassandra, cassandra(output)),
  cassandraSelector: cassandra(output),
  kill: (doomed) => kill(output, doomed),
  ready: (namespace, selector, count) => ready(output, namespace, selector, count),
});

/** A pod of the front dies. What it had begun fails; the other takes over. */
export const podKilled: Fault<SiteStage> = {
  id: "pod-killed",
  fault: "a pod of the front is killed",
  rows: ["D1", "S4"],
  mayLoseSeconds: 0,
  small: true,
  bounds: takenOverBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const output = first(stage);
    const before = await pods(output, namespaces.services, front);
    const found = await underLoad(stage, {
      rate: rates.others,
      inject: () => kill(output, before.slice(0, 1)),
      afterSeconds: 2 * failoverSeconds,
    });
    const seconds = await ready(output, namespaces.services, front, before.length);
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `another pod was ready ${(seconds + 2 * failoverSeconds).toFixed(0)} s later at the latest`,
    });
  },
};

/** A node of a region with three replicas of each row: a quorum is left. */
export const cassandraNodeKilled: Fault<SiteStage> = {
  id: "cassandra-node",
  fault: "the pod of one of a region's three Cassandra nodes is deleted without grace",
  rows: ["S1", "D3"],
  alert: "cassandra-node-down",
  mayLoseSeconds: 0,
  bounds: takenOverBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const output = first(stage);
    const nodes = await pods(output, namespaces.cassandra, cassandra(output));
    const { result, samples } = await whileSampling(output, namespaces.cassandra, async () => {
      const found = await underLoad(stage, {
        rate: rates.others,
        inject: () => kill(output, nodes.slice(0, 1)),
        afterSeconds: 2 * failoverSeconds,
      });
      return { found, seconds: await ready(output, namespaces.cassandra, cassandra(output), nodes.length) };
    });
    return outcome(stage, result.found, stage.regions, {
      signal: notReady(samples),
      recovered: `the node was ready again ${(result.seconds + 2 * failoverSeconds).toFixed(0)} s after the fault at the latest`,
      withinMs: 120_000,
    });
  },
};

/** A zone of the first region with a rack and a part of every service, and what runs there. */
async function zoneOfRegion(output: RegionOutput): Promise<{ zone: string; doomed: V1Pod[]; nodes: number }> {
  const machines = (await core(output).listNode()).items;
  // The search cluster has one node here, and a region without it is another row.
  const [search] = await pods(output, namespaces.elasticsearch, elasticsearch);
  const zoneOf = ({ spec }: V1Pod) =>
    machines.find(({ metadata }) => metadata?.name === spec?.nodeName)?.metadata?.labels?.[
      "topology.kubernetes.io/zone"
    ];
  const nodes = await pods(output, namespaces.cassandra, cassandra(output));
  const all = [...nodes, ...(await pods(output, namespaces.services, "app.kubernetes.io/part-of=iconik"))];
  const fronts = await pods(output, namespaces.services, front);
  const zone = fronts.map(zoneOf).find((each) => each !== undefined && each !== zoneOf(search!));
  if (zone === undefined) throw new Error("every pod of the front is in the zone of the search cluster");
  return { zone, doomed: all.filter((each) => zoneOf(each) === zone), nodes: nodes.length };
}

/**
 * A zone falls silent: nobody is told, connections to it stay open, and Services go on naming its pods. What the health checks do not
 * see, front and driver have to.
 */
export const zoneHung: Fault<SiteStage> = {
  id: "zone-hung",
  fault: "the machines of one zone stand still: nothing is refused, nothing answers, and no API is told",
  rows: ["S1", "S4", "D1"],
  alert: "region-unhealthy",
  mayLoseSeconds: 0,
  // One of three fronts is silent, and asked its share until the health checks have left it: one of four such times. 6.6 % here.
  bounds: { ...recoveryBounds, failedPercent: 100 / 3 / 4 },
  atLeast: sent("others", { silentPods: 1 }),
  inject: async (stage) => {
    const output = first(stage);
    const { zone, doomed } = await zoneOfRegion(output);
    const strike = (state: "hung" | "resumed") => stage.strike({ kind: "zone", target: zone, state });
    let found: Findings;
    try {
      found = await underLoad(stage, {
        rate: rates.others,
        inject: () => strike("hung"),
        afterSeconds: 3 * failoverSeconds,
      });
    } finally {
      await strike("resumed");
    }
    const seconds = await until(stage, "all healthy", allHealthy(stage), AGAIN_SECONDS);
    return outcome(stage, found, stage.regions, {
      signal: await heard(stage, found.injectedAt, output.name),
      recovered: `${doomed.length} pods in ${zone} went on, and all were healthy ${seconds.toFixed(0)} s later`,
      more: { silentPods: doomed.length },
      withinMs: 120_000,
    });
  },
};

/** A zone with a rack, and a part of every service. */
export const zoneLost: Fault<SiteStage> = {
  id: "rack",
  fault: "every pod of one zone is deleted without grace: a rack of Cassandra, and a part of each service",
  rows: ["S1", "S4", "D1"],
  alert: "cassandra-node-down",
  mayLoseSeconds: 0,
  bounds: takenOverBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const output = first(stage);
    const { doomed, nodes } = await zoneOfRegion(output);
    const { result: found, samples } = await whileSampling(output, namespaces.cassandra, async () => {
      const found = await underLoad(stage, {
        rate: rates.others,
        inject: () => kill(output, doomed),
        afterSeconds: 2 * failoverSeconds,
      });
      await ready(output, namespaces.cassandra, cassandra(output), nodes);
      return found;
    });
    return outcome(stage, found, stage.regions, {
      signal: notReady(samples),
      recovered: `${doomed.length} pods came back`,
      withinMs: 120_000,
    });
  },
};

/** A region without its search is a region that does not serve: its users go to the next one until it is back. */
export const searchLost: Fault<SiteStage> = {
  id: "search",
  fault: "the search cluster of a region is killed",
  rows: ["S3", "D1"],
  alert: "region-unhealthy",
  mayLoseSeconds: 0,
  // Two requests of five ask the search, for as long as the region is not left.
  bounds: { ...failoverBounds, failedPercent: 10 },
  atLeast: sent("others"),
  inject: async (stage) => {
    const output = first(stage);
    const nodes = await pods(output, namespaces.elasticsearch, elasticsearch);
    const found = await underLoad(stage, {
      rate: rates.others,
      inject: () => kill(output, nodes),
      detects: output.name,
      afterSeconds: failoverSeconds,
    });
    const seconds = await until(stage, `${output.name} healthy again`, region(output.name, true), AGAIN_SECONDS);
    return outcome(stage, found, stage.regions, {
      signal: await heard(stage, found.injectedAt, output.name),
      recovered: `the region served again ${seconds.toFixed(0)} s after the load`,
      more: { returnSeconds: seconds },
    });
  },
};

/** The operators' cluster is lost with its region: what runs goes on without them. */
export const controlLost: Fault<SiteStage> = unnoticed<SiteStage>(
  {
    id: "control-cluster",
    fault: "the cluster of k8ssandra-operator's control plane loses power",
    rows: ["S1", "D1"],
    alert: "cluster-silent",
    atLeast: sent("others", apiRefused),
  },
  {
    signal: (seconds) => ({ kind: "metric", name: "kubernetes.io/node/cpu/total_cores", value: 0, seconds }),
    run: (stage) => ({
      rate: rates.others,
      inject: () => silenceApi(stage, { kind: "region", target: stage.control.name, state: "off" }),
      afterSeconds: 2 * failoverSeconds,
    }),
    shows: (stage) => refusals(stage, stage.control.name),
    mend: async (stage) => {
      await stage.strike({ kind: "region", target: stage.control.name, state: "on" });
      return "the cluster has power again";
    },
  },
);

/** A region is drained by its declaration under load, and returns the same way: nobody is refused. */
export const drainedByHand: Fault<SiteStage> = {
  id: "drain-and-return",
  fault: "a region is drained by `state: draining` and `pulumi up`, and taken back",
  rows: ["D1"],
  mayLoseSeconds: 0,
  bounds: unseenBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const [drained, other] = stage.regions;
    const answered: string[][] = [];
    let away = false;
    const takeBack = async () => {
      await stage.redeploy({});
      away = false;
    };
    const drainAndReturn = async () => {
      away = true;
      await stage.redeploy({
        regions: stage.declared.map((each) => (each.name === drained ? { ...each, state: "draining" } : each)),
      });
      const during = await underLoad(stage, { rate: 5, inject: async () => undefined, afterSeconds: 1 });
      answered.push(during.answeredBy);
      await takeBack();
    };
    const found = await mended(
      () => underLoad(stage, { rate: rates.others, inject: drainAndReturn, afterSeconds: failoverSeconds }),
      async () => {
        if (away) await takeBack();
      },
    );
    if (answered[0]?.join() !== other) throw new Error(`while ${drained} was drained, ${answered[0]} answered`);
    if (!found.answeredBy.includes(drained)) throw new Error(`${drained} was taken back and did not answer`);
    return outcome(stage, found, stage.regions, {
      signal: silence,
      recovered: `${other} answered alone while ${drained} was drained`,
    });
  },
};
