/**
 * Deep verification of one repository of the newest second copy: restored into a throwaway server in the same pod, read in full
 * and held against its manifest. What was found is left as evidence, and so is what took too long. It may be repeated at any
 * time: each run starts from nothing and leaves evidence of its own.
 */
import { join } from "node:path";
import { evidencePath, stamp } from "../plan/layout";
import type { JobConfig } from "./config";
import { type Evidence, evidenceSchema } from "./lib/evidence";
import { fetchList, withScratch } from "./lib/lists";
import { type Fields, JobError, log, some } from "./lib/log";
import type { MarkerEntry } from "./lib/manifest";
import { noMarker, readMarker } from "./lib/markers";
import { writeObject } from "./lib/rclone";
import { verifyCassandra } from "./lib/verify-cassandra";
import { verifyElasticsearch } from "./lib/verify-elasticsearch";
import { type Found, findWithin } from "./lib/verifying";

type Config = JobConfig<"verify-copy">;

/** Runs the job. @throws JobError when there is no copy, or it does not come back as its manifest says, or not in time */
export async function verifyCopy(config: Config): Promise<Fields> {
  const startedAt = new Date();
  const marker = await readMarker(config.copiesBucket, config.site, config.marker, config.markerKeys);
  if (marker === undefined) throw noMarker(config.site, config.marker);
  const entry = marker.repositories[config.repository];
  if (entry === undefined) {
    throw new JobError(`copy ${marker.id} holds no repository ${config.repository}`, {
      value: Object.keys(marker.repositories),
      allowed: "the repositories of the vault's configuration",
      fix: "see the last runs of CronJob replicate-SITE",
    });
  }
  log("verifying", {
    marker: marker.id,
    backup: entry.backup,
    objects: entry.listing.objects,
    bytes: entry.listing.bytes,
  });
  const found = await restored(config, entry);
  const evidence: Evidence = {
    version: 1,
    site: config.site,
    marker: marker.id,
    repository: config.repository,
    backup: entry.backup,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    result: found.problems.length === 0 ? "ok" : "failed",
    ...found,
  };
  const path = evidencePath(config.site, marker.id, config.repository, stamp(startedAt), evidence.result);
  await writeObject(config.copiesBucket, path, JSON.stringify(evidenceSchema.parse(evidence)));
  if (evidence.result === "failed") {
    throw new JobError(`copy ${marker.id} of ${config.repository} did not come back as its manifest says`, {
      value: some(found.problems, 20),
      allowed: "every table and index, every row and document readable",
      fix: "docs/runbooks/verification-failed.md",
      final: true,
    });
  }
  const rows = found.nodes.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.rows, 0);
  return { marker: marker.id, backup: entry.backup, evidence: path, rows, objects: found.objects, notes: found.notes };
}

/** What the throwaway server made of the copy, or had made of it when the time was over. */
function restored(config: Config, entry: MarkerEntry): Promise<Found> {
  const host = process.env.POD_IP ?? "127.0.0.1";
  const { manifest } = entry;
  return findWithin(config.timeoutSeconds, (verifying) =>
    withScratch(async (folder) => {
      const list = join(folder, "objects.jsonl");
      await fetchList(config.copiesBucket, entry.listing, list);
      const copy = { entry, list };
      await (manifest.kind === "cassandra"
        ? verifyCassandra(config, copy, manifest, host, verifying)
        : verifyElasticsearch(config, copy, manifest, host, verifying));
    }),
  );
}
