/** CassandraDatacenter: racks one after the other, the superuser when all nodes are up, conditions that say so. */
import { isIP } from "node:net";
import type { V1Pod, V1Secret, V1StatefulSet } from "@kubernetes/client-node";
import type { OperatorContext } from "../../lib/types";
import { type Condition, condition } from "../lib";
import type { Objects } from "../objects";
import { leave } from "./decommission";
import { labels, rackSizes } from "./names";
import { additionalSeeds, configuration, services, statefulSet } from "./pods";
import { ensureSuperuser } from "./superuser";
import { type CassandraDatacenter, kinds } from "./types";

const POD = { apiVersion: "v1", kind: "Pod" };

/** Brings a datacenter's pods in line with it and writes its status. */
export async function reconcileDatacenter(
  objects: Objects,
  context: OperatorContext,
  datacenter: CassandraDatacenter,
): Promise<void> {
  if (datacenter.metadata?.deletionTimestamp)
    return leave(objects, context, datacenter, await podsOf(objects, datacenter));
  await objects.apply(configuration(datacenter));
  for (const service of services(datacenter)) await objects.apply(service);
  const { status } = datacenter;
  const initialized = holds(status?.conditions, "Initialized");
  const ready = await reconcileRacks(objects, datacenter, initialized);
  const stopped = datacenter.spec?.stopped ?? false;
  const upserted = ready && !stopped && (status?.superUserUpserted ? true : await upsert(objects, context, datacenter));
  const conditions = Object.entries({
    Initialized: initialized || upserted,
    Ready: upserted,
    Stopped: stopped && ready,
    Healthy: upserted,
  }).map(([type, is]) => ({ ...condition(status?.conditions, type, is), reason: "", message: "" }));
  const superUserUpserted = upserted
    ? (status?.superUserUpserted ?? new Date().toISOString())
    : status?.superUserUpserted;
  const progress = (stopped ? ready : upserted) ? "Ready" : "Updating";
  const next = {
    conditions,
    cassandraOperatorProgress: progress,
    datacenterName: datacenter.metadata?.name,
    ...(superUserUpserted ? { superUserUpserted } : {}),
  };
  if (
    JSON.stringify(next.conditions) === JSON.stringify(status?.conditions) &&
    status?.cassandraOperatorProgress === progress
  )
    return;
  await objects.status(datacenter, "cassandradatacenters", next);
}

/** True when every rack has the nodes it should have. New racks start when those before them are complete. */
async function reconcileRacks(
  objects: Objects,
  datacenter: CassandraDatacenter,
  initialized: boolean,
): Promise<boolean> {
  let complete: boolean = true;
  for (const { rack, nodes } of rackSizes(datacenter.spec?.size ?? 0, datacenter.spec?.racks ?? [])) {
    const wanted: number = datacenter.spec?.stopped || !(complete || initialized) ? 0 : nodes;
    const set = await objects.apply<V1StatefulSet>(statefulSet(datacenter, rack, wanted));
    const { observedGeneration, replicas, readyReplicas, updatedReplicas } = set.status ?? {};
    const settled =
      observedGeneration === set.metadata?.generation &&
      (replicas ?? 0) === wanted &&
      (readyReplicas ?? 0) === wanted &&
      (updatedReplicas ?? wanted) === wanted;
    complete = complete && settled && (datacenter.spec?.stopped === true || wanted === nodes);
  }
  return complete;
}

/** False until the Secret exists and the superuser it names can log in. */
async function upsert(objects: Objects, context: OperatorContext, datacenter: CassandraDatacenter): Promise<boolean> {
  const namespace = datacenter.metadata?.namespace ?? "";
  const secret = await objects.get<V1Secret>(kinds.secret, namespace, datacenter.spec?.superuserSecretName ?? "");
  if (!secret) return false;
  const value = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const [pod] = await podsOf(objects, datacenter);
  await ensureSuperuser({
    address: pod?.status?.podIP ?? "",
    datacenter: datacenter.metadata?.name ?? "",
    size: datacenter.spec?.size ?? 1,
    credentials: { username: value("username"), password: value("password") },
    others: additionalSeeds(datacenter).flatMap((seed) => (isIP(seed) ? [seed] : context.resolve(seed))),
    repair: async (keyspace) => {
      const command = ["/image/nodetool", "repair", "--full", keyspace];
      const result = await context.agent.exec(namespace, pod?.metadata?.name ?? "", "cassandra", command);
      if (result.code !== 0)
        throw new Error(`repair of ${keyspace} failed: ${(result.stdout + result.stderr).slice(-500)}`);
    },
  });
  return true;
}

/** The datacenter's pods by name. */
export async function podsOf(objects: Objects, datacenter: CassandraDatacenter): Promise<V1Pod[]> {
  const wanted = Object.entries(labels(datacenter));
  const pods = await objects.list<V1Pod>(POD, datacenter.metadata?.namespace);
  return pods
    .filter((pod) => wanted.every(([key, value]) => pod.metadata?.labels?.[key] === value))
    .sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
}

export const holds = (conditions: Condition[] | undefined, type: string): boolean =>
  conditions?.some((each) => each.type === type && each.status === "True") ?? false;
