/** States of a site's regions, and what a region has in each (ADR 13). */

/** In the order of a region's life. */
export const regionStates = ["joining", "active", "draining", "retired"] as const;
export type RegionState = (typeof regionStates)[number];

/** States in which a region's cluster is no full one of its site: a label says so to policies and people. */
export type PassingState = Extract<RegionState, "joining" | "retired">;

/** Is a state one of these? */
export const isPassing = (state: RegionState): state is PassingState => state === "joining" || state === "retired";

interface InState {
  state: RegionState;
}

/** Its datacenter is in the ring. */
export const isInRing = ({ state }: InState): boolean => state !== "retired";

/** It gets traffic and writes canaries, and keyspaces have to have replicas in it. */
export const isActive = ({ state }: InState): boolean => state === "active";

/** It is saved every night. One that joins has nothing yet that other regions do not have. */
export const isSaved = ({ state }: InState): boolean => state === "active" || state === "draining";

/** Services are there and in the load balancer, though they may get nothing: one that joins would serve an empty region. */
export const hasServices = ({ state }: InState): boolean => state !== "joining";
