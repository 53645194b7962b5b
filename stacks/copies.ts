/** Looks a copy up before anything is created: does it exist, and does the site to be restored fit it? */
import { stripVTControlCharacters } from "node:util";
import { versionProblems } from "../jobs/lib/contract";
import { JobError } from "../jobs/lib/log";
import type { Marker } from "../jobs/lib/manifest";
import { findMarker, isFrom, type Refusal } from "../jobs/lib/markers";
import { markerOfPath, markersPrefix, repository } from "../plan/layout";
import { rackNames } from "../plan/names";
import { ConfigError, type SiteConfig } from "./config";

/** Read access to a bucket, as the deployer's manifest reader has it. */
export interface BucketReader {
  list(bucket: string, prefix: string): Promise<string[]>;
  read(bucket: string, name: string): Promise<string>;
}

/** A copy that was found and fits. */
export interface FoundCopy {
  source: string;
  /** Marker id, `latest` resolved. A restore that has begun keeps to the copy that it began with, see restore-copy. */
  marker: string;
}

/**
 * The copy that `restore` asks for.
 * @returns undefined without `restore`; `refused`: newer markers that are not believed, somebody should look who wrote them
 * @throws ConfigError when there is no such copy, it is not signed by one of `vault.markerKeys`, or the site's topology does not fit it
 */
export async function findCopy(
  stack: string,
  config: SiteConfig,
  reader: BucketReader,
): Promise<(FoundCopy & { refused: Refusal[] }) | undefined> {
  if (!config.restore) return undefined;
  const { site: source, marker: wanted, before } = config.restore;
  const bucket = config.vault.copiesBucket;
  const granted = <T>(reading: Promise<T>) => reading.catch((error: Error) => unreadable(stack, config, error));
  const all = await granted(reader.list(bucket, markersPrefix(source)));
  const names = before === undefined ? all : all.filter((name) => isFrom(source, name, before));
  const present = names.flatMap((name) => markerOfPath(source, name) ?? []).sort();
  const none = () => {
    const allowed = present.length ? `latest, ${present.slice(-5).join(", ")}` : "none: the bucket holds no copy of it";
    if (before !== undefined) {
      const others = all.flatMap((name) => markerOfPath(source, name) ?? []).sort();
      return new ConfigError(stack, [
        `iconik-dr:restore.before is "${before}": no copy of site "${source}" in ${bucket} began at or before it; ` +
          `the oldest of ${others.length} is ${others[0] ?? "none"}`,
      ]);
    }
    return new ConfigError(stack, [
      `iconik-dr:restore.marker is "${wanted}": no such copy of site "${source}" in ${bucket}; allowed: ${allowed}`,
    ]);
  };
  if (present.length === 0 || (wanted !== "latest" && !present.includes(wanted))) throw none();
  const read = async (paths: readonly string[]) => {
    const texts = paths.map(async (path) => [path, await granted(reader.read(bucket, path))] as const);
    return new Map(await Promise.all(texts));
  };
  const found = await findMarker(source, wanted, names, read, config.vault.markerKeys).catch((error: Error) => {
    if (!(error instanceof JobError)) throw error;
    throw new ConfigError(stack, [`iconik-dr:restore.marker is "${wanted}": ${said(error)}`]);
  });
  const { marker, refused } = found;
  if (marker === undefined) {
    const [newest] = refused;
    throw new ConfigError(stack, [
      `iconik-dr:restore.marker is "${wanted}": none of the ${refused.length} markers of site "${source}" in ${bucket} is believed` +
        `${newest ? ` (${newest.reason})` : ""}; compare iconik-dr:vault.markerKeys with the vault's output markerKeys`,
    ]);
  }
  const problems = misfits(config, marker);
  if (problems.length) throw new ConfigError(stack, problems);
  return { source, marker: marker.id, refused };
}

const said = ({ message, details }: JobError) => [message, details.value, details.fix].filter(Boolean).join("; ");

/** A grant that is not there, has ended or names somebody else shows here first. @throws ConfigError */
function unreadable(stack: string, { vault, restore }: SiteConfig, error: Error): never {
  const [reason = ""] = stripVTControlCharacters(error.message).trim().split("\n");
  throw new ConfigError(stack, [
    `iconik-dr:restore.grant is "${restore?.grant}": the copies in ${vault.copiesBucket} cannot be read (${reason.slice(0, 300)}); ` +
      "add or renew it in the vault's restoreGrants, its manifestReader whoever runs this (docs/runbooks/d2-regions-lost.md)",
  ]);
}

/** Why a copy cannot be restored into a site; empty when it can. Cassandra wants the same names, racks and sizes. */
export function misfits(config: SiteConfig, marker: Marker): string[] {
  const { racks, nodesPerRegion } = config.cassandra;
  const wantedRacks = rackNames(racks).join(", ");
  return config.regions.flatMap(({ datacenter }, index) => {
    const missing = (["cassandra", "elasticsearch"] as const)
      .map((kind) => repository(kind, datacenter))
      .filter((name) => !marker.repositories[name]);
    if (missing.length) {
      const has = Object.keys(marker.repositories).sort().join(", ");
      return [
        `iconik-dr:regions[${index}].datacenter is "${datacenter}": copy ${marker.id} has no ${missing.join(" and no ")}; it has ${has}`,
      ];
    }
    const manifest = marker.repositories[repository("cassandra", datacenter)]!.manifest;
    if (manifest.kind !== "cassandra")
      return [`copy ${marker.id}: the manifest of ${manifest.repository} is not Cassandra's`];
    const problems: string[] = [];
    if (manifest.nodes.length !== nodesPerRegion) {
      problems.push(
        `iconik-dr:cassandra.nodesPerRegion is ${nodesPerRegion}: copy ${marker.id} has ${manifest.nodes.length} nodes in ${datacenter}; set ${manifest.nodes.length}`,
      );
    }
    const copied = [...manifest.racks].sort().join(", ");
    if (copied !== wantedRacks) {
      problems.push(
        `iconik-dr:cassandra.racks is ${racks} (${wantedRacks}): copy ${marker.id} has ${copied} in ${datacenter}; set ${manifest.racks.length}`,
      );
    }
    return [...problems, ...versionProblems(marker, datacenter)];
  });
}
