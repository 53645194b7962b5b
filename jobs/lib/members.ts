/**
 * Who a restored datacenter takes for its members. A node that knows one which nobody will ever see again (it was told by a
 * datacenter that went on running while others were restored, see meeting.ts) gives that one its share of the tokens: quorums
 * fail there for as long as nobody takes it out, and who only repeats the request waits for ever.
 */
import { types } from "cassandra-driver";
import type { CqlAccess } from "../config";
import { askUntilAnswered, type Limits } from "./cql";
import { JobError } from "./log";
import { waitFor } from "./wait";

/** How long gossip may take to know everybody again, in seconds: ten times as long as a node waits for the ring at its start. */
const SETTLED_SECONDS = 300;

/** A member of a datacenter, as another node knows it. */
export interface Member {
  address: string;
  hostId: string;
}

/**
 * Waits until a node of the datacenter knows all other nodes of it and nobody else.
 * @throws JobError with those that it knows when they are more, or fewer, until the end
 */
export async function expectMembers(
  access: CqlAccess,
  datacenter: string,
  nodes: number,
  limits: Limits,
): Promise<void> {
  const within = { ...limits, timeoutSeconds: Math.min(SETTLED_SECONDS, limits.timeoutSeconds) };
  await waitFor<true, Member[]>(
    async () => {
      const others = await askUntilAnswered(access, datacenter, within, async (client) => {
        // Of the node that is asked, which is not in it.
        const query = "SELECT peer, data_center, host_id FROM system.peers_v2";
        return othersOf(datacenter, (await client.execute(query, [], { consistency: types.consistencies.one })).rows);
      });
      return others.length === nodes - 1 ? { done: true } : { seen: others };
    },
    { ...within, onTimeout: (others) => unexpected(datacenter, nodes, others ?? []) },
  );
}

/** The members of a datacenter among a node's peers, by their addresses. Pure. */
export function othersOf(datacenter: string, peers: readonly Record<string, unknown>[]): Member[] {
  return peers
    .filter(({ data_center }) => data_center === datacenter)
    .map(({ peer, host_id }) => ({ address: String(peer), hostId: String(host_id) }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

function unexpected(datacenter: string, nodes: number, others: Member[]): JobError {
  const again = "then start this job again: it goes on where it was";
  return new JobError(`a node of datacenter ${datacenter} knows other members than there are nodes`, {
    value: others.map(({ address, hostId }) => `${address} (${hostId})`),
    allowed: `${nodes - 1} others, a pod behind each`,
    fix:
      others.length >= nodes
        ? `take out those that no pod has: nodetool removenode HOST_ID on any node; ${again}`
        : `see in nodetool status and the nodes' logs why one has not joined; ${again}`,
  });
}
