/** Looks at S3 before anything is changed: which copy would be restored, and could the standby take it? */
import { stripVTControlCharacters } from "node:util";
import { contractProblems } from "../jobs/lib/contract";
import { JobError } from "../jobs/lib/log";
import type { Marker } from "../jobs/lib/manifest";
import { findMarker } from "../jobs/lib/markers";
import { markerOfPath, markersPrefix } from "../plan/layout";
import { configNamespace, rackNames } from "../plan/names";
import { standbyBuckets } from "../plan/standby";
import { ConfigError, type StandbyConfig } from "./config";
import type { BucketReader, FoundCopy } from "./copies";

/**
 * The newest copy in S3, held against what the standby would restore onto: in every preview, so that a standby that could not
 * take last night's backup is noticed on a quiet day.
 * @returns undefined when nothing is to be restored: the standby is a pilot light, or has been restored
 * @throws ConfigError when there is no such copy, or the standby could not take it
 */
export async function findStandbyCopy(
  stack: string,
  config: StandbyConfig,
  reader: BucketReader,
): Promise<FoundCopy | undefined> {
  // What it was restored from is behind it.
  if (config.restored !== undefined) return undefined;
  const { site } = config.primary;
  const bucket = standbyBuckets(config.buckets.prefix, config.media.prefix).copies;
  const names = await reader.list(bucket, markersPrefix(site)).catch((error: Error) => absent(stack, bucket, error));
  const present = names.flatMap((name) => markerOfPath(site, name) ?? []).sort();
  const wanted = config.active ? config.restore.marker : "latest";
  const none = (why: string) =>
    new ConfigError(stack, [
      `${configNamespace}:restore.marker is "${wanted}": ${why}, site "${site}" in ${bucket}; allowed: ` +
        (present.length ? `latest, ${present.slice(-5).join(", ")}` : "none: the bucket holds no copy of it"),
    ]);
  if (present.length === 0 || (wanted !== "latest" && !present.includes(wanted))) {
    // The first night of a new standby is still to come.
    if (!config.active) return undefined;
    throw none("no such copy");
  }
  const read = async (paths: readonly string[]) =>
    new Map(
      await Promise.all(
        paths.map(async (path) => {
          const text = await reader.read(bucket, path).catch((error: Error) => unreadable(stack, bucket, error));
          return [path, text] as const;
        }),
      ),
    );
  const { marker, refused } = await findMarker(site, wanted, names, read, config.vault.markerKeys).catch(
    (error: Error) => {
      if (error instanceof JobError) throw none(error.message);
      throw error;
    },
  );
  if (marker === undefined) {
    throw none(`none of ${refused.length} markers is believed (${refused[0]?.reason}); compare vault.markerKeys`);
  }
  const problems = standbyMisfits(config, marker);
  if (problems.length > 0) throw new ConfigError(stack, problems);
  return config.active ? { source: site, marker: marker.id } : undefined;
}

/** Why the standby could not take a copy, by its configuration's keys; empty when it can. */
export function standbyMisfits({ datacenter, cassandra }: StandbyConfig, marker: Marker): string[] {
  const topology = { datacenter, nodes: cassandra.nodesPerRegion, racks: rackNames(cassandra.racks) };
  return contractProblems(marker, topology).map((problem) =>
    /^(datacenter|cassandra)/.test(problem) ? `${configNamespace}:${problem}` : problem,
  );
}

/** Does S3 say that there is no such bucket or object? */
export const isAbsent = (error: Error): boolean =>
  /NoSuchBucket|NoSuchKey|couldn't find|not ?found|StatusCode: 404/i.test(error.message);

/** Why S3 was not read, in a line. */
export function reasonOf(error: Error): string {
  const [reason = ""] = stripVTControlCharacters(error.message).trim().split("\n");
  return reason.slice(0, 300);
}

/** Before the first update there is no bucket. @throws ConfigError for any other reason */
function absent(stack: string, bucket: string, error: Error): string[] {
  if (isAbsent(error)) return [];
  return unreadable(stack, bucket, error);
}

function unreadable(stack: string, bucket: string, error: Error): never {
  throw new ConfigError(stack, [
    `the copies in ${bucket} cannot be read (${reasonOf(error)}): whoever runs this needs s3:ListBucket and s3:GetObject below ` +
      "markers/, as `deployer` or `previewer` of the configuration",
  ]);
}
