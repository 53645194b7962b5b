/**
 * Address ranges of a site's network. Each region owns fixed slices picked by its position in the region table, so
 * adding or dropping a region never moves another one's ranges, and two regions never overlap.
 *
 *   nodes     10.0.0.0/14    a /20 per region: 4,092 nodes
 *   services  10.4.0.0/14    a /20 per region
 *   pods      10.64.0.0/10   a /16 per region: 256 nodes of 110 pods
 */
import { regions } from "./regions";

/** Ranges of one region, in CIDR notation. */
export interface RegionRanges {
  nodes: string;
  pods: string;
  services: string;
}

/** Regions that fit into the plan. */
export const regionCapacity = 64;

/** Ranges of a region. Throws for a region outside the table. */
export function regionRanges(name: string): RegionRanges {
  const region = regions.get(name);
  if (!region) throw new Error(`region "${name}" is unknown; allowed: ${[...regions.keys()].join(", ")}`);
  return rangesOf(region.index);
}

/** Ranges of the region at a position below {@link regionCapacity}. */
export function rangesOf(index: number): RegionRanges {
  if (!Number.isInteger(index) || index < 0 || index >= regionCapacity) {
    throw new Error(`region position ${index} is outside the address plan; allowed: 0 to ${regionCapacity - 1}`);
  }
  return {
    nodes: `10.${Math.floor(index / 16)}.${(index % 16) * 16}.0/20`,
    services: `10.${4 + Math.floor(index / 16)}.${(index % 16) * 16}.0/20`,
    pods: `10.${64 + index}.0.0/16`,
  };
}

/** First address of a range after the range's own: in a range of Services, the API server's. */
export function firstAddress(range: string): string {
  const parts = range.split("/")[0]!.split(".").map(Number);
  return [...parts.slice(0, -1), parts.at(-1)! + 1].join(".");
}
