/**
 * A datacenter that is no longer declared leaves the ring, as k8ssandra-operator and cass-operator let it: never while a user
 * keyspace still has replicas there, and each node hands over what it holds before it goes.
 */
import type { V1Pod } from "@kubernetes/client-node";
import type { OperatorContext } from "../../lib/types";
import type { Objects } from "../objects";
import { type CassandraDatacenter, kinds } from "./types";

const FINALIZER = "finalizer.cassandra.datastax.com";
const ON_DELETE = "cassandra.datastax.com/decommission-on-delete";

/** Options of a keyspace's strategy by keyspace. */
export type Replication = Record<string, Record<string, string>>;

/** Why a datacenter may not leave yet, or undefined. Cassandra's own keyspaces are the operators' matter. */
export function stillNeeded(datacenter: string, replication: Replication): string | undefined {
  const user = Object.entries(replication).filter(([keyspace]) => !/^system(_|$)/.test(keyspace));
  const holding = user.find(([, options]) => datacenter in options)?.[0];
  return holding && `cannot decommission DC ${datacenter}: keyspace ${holding} still has replicas on it`;
}

/**
 * Takes a datacenter out of the ring, a step at a time. True when it is gone.
 * @throws while a user keyspace has replicas in it
 */
export async function takeOut(
  remote: Objects,
  namespace: string,
  name: string,
  replication: () => Promise<Replication>,
): Promise<boolean> {
  const live = await remote.get<CassandraDatacenter>(kinds.datacenter, namespace, name);
  if (!live) return true;
  if (live.metadata?.deletionTimestamp) return false;
  const needed = stillNeeded(name, await replication());
  if (needed) throw new Error(needed);
  const metadata = { name, namespace, annotations: { [ON_DELETE]: "true" }, finalizers: [FINALIZER] };
  await remote.merge({ ...kinds.datacenter, metadata });
  await remote.delete({ ...kinds.datacenter, metadata: { name, namespace } });
  return false;
}

/** Of a datacenter that is being deleted: its nodes leave one after the other when they were told to, then it may go. */
export async function leave(
  objects: Objects,
  context: OperatorContext,
  datacenter: CassandraDatacenter,
  pods: V1Pod[],
): Promise<void> {
  const { name, namespace = "", annotations, finalizers = [] } = datacenter.metadata ?? {};
  if (!finalizers.includes(FINALIZER)) return;
  if (annotations?.[ON_DELETE] === "true") {
    for (const pod of pods) {
      const command = ["/image/nodetool", "decommission", "--force"];
      const { code, stdout, stderr } = await context.agent.exec(
        namespace,
        pod.metadata?.name ?? "",
        "cassandra",
        command,
      );
      // A node that has left before says so; everything else is tried again.
      if (code !== 0 && !/decommission(ed|ing)/i.test(stdout + stderr))
        throw new Error(`${pod.metadata?.name} cannot leave: ${(stdout + stderr).slice(-500)}`);
    }
  }
  const others = finalizers.filter((each) => each !== FINALIZER);
  await objects.merge({ ...kinds.datacenter, metadata: { name, namespace, finalizers: others } });
}
