/** Stand-in for Elastic's operator: Elasticsearch becomes pods that run OpenSearch behind TLS and basic authentication. */
import type { V1Pod } from "@kubernetes/client-node";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator } from "../../lib/types";
import { condition, reconcile, together } from "../lib";
import { Objects } from "../objects";
import { clusterHealth } from "./health";
import { configMap, nodeNames, services, statefulSet } from "./pods";
import { ensureSecrets } from "./secrets";
import { ELASTICSEARCH, type Elasticsearch, labelsOf, namesOf } from "./types";
import { writeUsers } from "./users";

export const eckOperator: Operator = {
  charts: ["eck-operator"],
  start: async ({ cluster, log }) => {
    const objects = new Objects(kubeConfigOf(cluster.adminKubeconfig));
    const loop = reconcile<Elasticsearch>({
      objects,
      kind: ELASTICSEARCH,
      log,
      work: (found) => reconcileCluster(objects, found),
    });
    return together(loop, objects);
  },
};

async function reconcileCluster(objects: Objects, cluster: Elasticsearch): Promise<void> {
  if (cluster.metadata?.deletionTimestamp) return;
  const { password, ca } = await ensureSecrets(objects, cluster);
  await writeUsers(objects, cluster);
  for (const service of services(cluster)) await objects.apply(service);
  await objects.apply(configMap(cluster));
  for (const nodeSet of cluster.spec?.nodeSets ?? []) await objects.apply(statefulSet(cluster, nodeSet));
  const pods = await readyPods(objects, cluster);
  const wanted = nodeNames(cluster).length;
  const address = pods[0]?.status?.podIP;
  const servername = `${namesOf(cluster).http}.${cluster.metadata?.namespace}.svc`;
  const health = address ? await clusterHealth({ host: address, port: 9200, servername, ca, password }) : undefined;
  const { status } = cluster;
  const conditions = [
    condition(status?.conditions, "ElasticsearchIsReachable", health !== undefined),
    condition(status?.conditions, "ReconciliationComplete", pods.length === wanted),
    condition(status?.conditions, "RunningDesiredVersion", pods.length === wanted),
  ];
  const next = {
    conditions,
    availableNodes: pods.length,
    health: health ?? "unknown",
    phase: pods.length === wanted && health !== undefined ? "Ready" : "ApplyingChanges",
    version: cluster.spec?.version,
  };
  const keys = Object.keys(next) as (keyof typeof next)[];
  if (keys.some((key) => JSON.stringify(next[key]) !== JSON.stringify(status?.[key])))
    await objects.status(cluster, "elasticsearches", next);
}

async function readyPods(objects: Objects, cluster: Elasticsearch): Promise<V1Pod[]> {
  const pods = await objects.list<V1Pod>({ apiVersion: "v1", kind: "Pod" }, cluster.metadata?.namespace);
  return pods.filter(
    (pod) =>
      Object.entries(labelsOf(cluster)).every(([key, value]) => pod.metadata?.labels?.[key] === value) &&
      pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
}
