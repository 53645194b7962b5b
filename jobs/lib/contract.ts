/** The backup contract (S7): can the standby take a copy as it would be now? Pure; the copier asks every night, previews ask too. */
import { repository } from "../../plan/layout";
import { cassandraVersion, elasticsearchVersion } from "../../plan/versions";
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
  return [...problems, ...versionProblems(marker, datacenter)];
}

/**
 * Why the stores as they would be started cannot read a datacenter's part of a copy; empty when they can. Cassandra reads its
 * own major version's files, Elasticsearch those and older ones.
 */
export function versionProblems(marker: Marker, datacenter: string): string[] {
  const of = (kind: "cassandra" | "elasticsearch") => marker.repositories[repository(kind, datacenter)]?.manifest;
  const [rows, documents] = [of("cassandra"), of("elasticsearch")];
  const problems: string[] = [];
  if (rows?.kind === "cassandra" && major(rows.versions.cassandra) !== major(cassandraVersion))
    problems.push(
      `plan/versions.ts has Cassandra ${cassandraVersion}: copy ${marker.id} was written by ${rows.versions.cassandra} in ${datacenter}; use the program of a commit with its major version`,
    );
  if (documents?.kind === "elasticsearch" && major(documents.versions.elasticsearch) > major(elasticsearchVersion))
    problems.push(
      `plan/versions.ts has Elasticsearch ${elasticsearchVersion}: copy ${marker.id} was written by ${documents.versions.elasticsearch} in ${datacenter}; use the program of a commit with its major version or a newer one`,
    );
  return problems;
}

const major = (version: string) => Number(version.split(".")[0]);
