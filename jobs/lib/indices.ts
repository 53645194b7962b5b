/** Indices out of a snapshot: is it there, has it come back, and is it what the manifest lists? */
import { createHash } from "node:crypto";
import { canonical } from "./canonical";
import { type Elasticsearch, find, snapshotRepository } from "./elastic";
import { JobError, log, some } from "./log";
import type { ElasticsearchManifest } from "./manifest";
import { waitFor } from "./wait";

/** An index as a manifest lists it; `name` is the one that it is restored under. */
export type ManifestIndex = ElasticsearchManifest["indices"][number];

/** A shard's recovery as `GET /<index>/_recovery` tells it. */
export interface ShardRecovery {
  type: string;
  stage: string;
  primary: boolean;
  source: { repository?: string; snapshot?: string };
}

/** What is to be done about an index: `restore` when it is absent or empty, `present` when it came from the snapshot. */
export type IndexState = "absent" | "empty" | "present" | "foreign";

/**
 * Judges an index by its primaries' recoveries and its number of documents; undefined: it doesn't exist.
 * @param recorded its uuid is one that this restore has recorded. The recoveries tell nothing any more when primaries have
 * moved or were started again; they count for an index whose restore was accepted by a run that died before it recorded it
 */
export function judge(
  recoveries: ShardRecovery[] | undefined,
  documents: number,
  snapshot: string,
  recorded = false,
): IndexState {
  if (recoveries === undefined) {
    return "absent";
  }
  if (recorded) {
    return "present";
  }
  const primaries = recoveries.filter((recovery) => recovery.primary);
  if (primaries.length > 0 && primaries.every((r) => r.type === "SNAPSHOT" && r.source.snapshot === snapshot)) {
    return "present";
  }
  return documents === 0 ? "empty" : "foreign";
}

/** Where the shards of an index came from; undefined: there is no such index. */
export async function recoveriesOf(call: Elasticsearch, name: string): Promise<ShardRecovery[] | undefined> {
  const url = `/${encodeURIComponent(name)}/_recovery`;
  const found = await find<Record<string, { shards: ShardRecovery[] }>>(call, url);
  return found === undefined ? undefined : (found[name]?.shards ?? []);
}

/**
 * The registered repository has the snapshot, with these indices whole in it.
 * @param fix what to do when it has not
 * @returns the snapshot's uuid
 */
export async function hasSnapshot(
  call: Elasticsearch,
  backup: string,
  indices: readonly { name: string }[],
  fix: string,
): Promise<string> {
  const path = `/_snapshot/${snapshotRepository}/${backup}`;
  const answer = await find<{ snapshots: { uuid: string; state: string; indices: string[] }[] }>(call, path);
  const snapshot = answer?.snapshots[0];
  const lacking = indices.map(({ name }) => name).filter((name) => !snapshot?.indices.includes(name));
  if (snapshot?.state === "SUCCESS" && lacking.length === 0) return snapshot.uuid;
  throw new JobError(`the repository holds no whole snapshot ${backup}`, {
    value: { state: snapshot?.state ?? "absent", lacking: some(lacking) },
    allowed: "state SUCCESS with every index of the manifest",
    fix,
  });
}

/** Waits until every shard is recovered and assigned; one data node alone cannot hold replicas, there primaries do. */
export async function wholeIndices(
  call: Elasticsearch,
  indices: readonly { name: string }[],
  backup: string,
  config: { timeoutSeconds: number; pollSeconds: number },
): Promise<void> {
  interface Health {
    status: string;
    number_of_data_nodes: number;
    indices: Record<string, { status: string; active_primary_shards: number; number_of_shards: number }>;
  }
  await waitFor<true, string[]>(
    async () => {
      const health = await call<Health>("GET", "/_cluster/health?level=indices&timeout=5s");
      const waiting = indices
        .map(({ name }) => ({ name, index: health.indices[name] }))
        .filter(({ index }) => {
          const alone = health.number_of_data_nodes === 1 && index?.active_primary_shards === index?.number_of_shards;
          return index === undefined || !(index.status === "green" || (index.status === "yellow" && alone));
        })
        .map(({ name, index }) => `${name}: ${index?.status ?? "absent"}`);
      return waiting.length === 0 ? { done: true } : { seen: waiting };
    },
    {
      ...config,
      onTimeout: (waiting) =>
        new JobError(`the restore of ${backup} did not finish in time`, {
          value: some(waiting ?? []),
          allowed: `${config.timeoutSeconds} s`,
          fix: "a larger timeout, or see _cluster/allocation/explain; a later run goes on where this one stopped",
        }),
    },
  );
}

/** Digest of an index's mappings, as `GET /<index>/_mapping` tells them; undefined: there is no such index. */
export function mappingsDigest(mappings: unknown): string {
  return createHash("sha256")
    .update(canonical(mappings ?? null))
    .digest("hex");
}

/** Has a living index the mappings that the manifest lists? */
export async function sameMappings(call: Elasticsearch, index: ManifestIndex): Promise<boolean> {
  const mappings = await call<Record<string, unknown>>("GET", `/${encodeURIComponent(index.name)}/_mapping`);
  return mappingsDigest(mappings[index.name]) === index.mappingsDigest;
}

/** Compares shards and reports mappings that differ. @returns number of documents by index */
export async function checkIndices(
  call: Elasticsearch,
  indices: readonly ManifestIndex[],
): Promise<Record<string, number>> {
  const documents: Record<string, number> = {};
  const problems: string[] = [];
  for (const index of indices) {
    const url = `/${encodeURIComponent(index.name)}`;
    await call("POST", `${url}/_refresh`);
    const { count, _shards } = await call<{ count: number; _shards: { total: number; successful: number } }>(
      "GET",
      `${url}/_count`,
    );
    documents[index.name] = count;
    if (_shards.total !== index.shards || _shards.successful !== index.shards) {
      problems.push(`${index.name}: ${_shards.successful} of ${_shards.total} shards, expected ${index.shards}`);
    }
    if (!(await sameMappings(call, index))) {
      // Mappings are read beside the snapshot, not in it: a field that came in that moment is no damage.
      log("mappings differ from the manifest", { index: index.name });
    }
  }
  if (problems.length > 0) {
    throw new JobError("what was restored is not what the manifest lists", { value: some(problems) });
  }
  return documents;
}
