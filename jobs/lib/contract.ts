/** The backup contract (S7): can the standby take a copy as it would be now? Pure; the copier asks every night, previews ask too. */
import { repository } from "../../plan/layout";
import { cassandraVersion } from "../../plan/versions";
import type { Marker } from "./manifest";

/** What would be restored onto. */
export interface Topology {
  datacenter: string;
  nodes: number;
  racks: readonly string[];
}

/** Why a copy cannot be restored onto the topology, by the standby's configuration keys; empty when it can. */
export function contractProblems(marker: Marker, { datacenter, nodes, racks }: Topology): string[] {
  const has = Object.keys(marker.repositories).sort().join(", ") || "nothing";
  const missing = (["cassandra", "elasticsearch"] as const)
    .map((kind) => repository(kind, datacenter))
    .filter((name) => !marker.repositories[name]);
  if (missing.length > 0)
    return [`datacenter is "${datacenter}": copy ${marker.id} has no ${missing.join(" and no ")}; it has ${has}`];
  const { manifest } = marker.repositories[repository("cassandra", datacenter)]!;
  if (manifest.kind !== "cassandra") return [`copy ${marker.id}: ${manifest.repository} is not Cassandra's`];
  const problems: string[] = [];
  if (manifest.nodes.length !== nodes)
    problems.push(
      `cassandra.nodesPerRegion is ${nodes}: copy ${marker.id} has ${manifest.nodes.length} nodes in ${datacenter}; set ${manifest.nodes.length}`,
    );
  const [copied, wanted] = [manifest.racks, racks].map((each) => [...each].sort().join(", "));
  if (copied !== wanted)
    problems.push(
      `cassandra.racks is ${racks.length} (${wanted}): copy ${marker.id} has ${copied} in ${datacenter}; set ${manifest.racks.length}`,
    );
  const [theirs, ours] = [manifest.versions.cassandra, cassandraVersion].map((version) => version.split(".")[0]);
  if (theirs !== ours)
    problems.push(
      `plan/versions.ts has Cassandra ${cassandraVersion}: copy ${marker.id} was written by ${manifest.versions.cassandra}; use the program of the site's commit`,
    );
  return problems;
}
