/**
 * Removal of old Elasticsearch snapshots. It runs before the night's snapshot is taken, so that nothing in the repository
 * changes once the night's manifest says that it may be copied.
 */
import { backupOfManifest, manifestsPrefix } from "../../plan/layout";
import { type Elasticsearch, snapshotRepository } from "./elastic";
import { removeManifest } from "./lists";
import { log } from "./log";
import { listUnder } from "./rclone";

/**
 * Snapshots to be removed so that, with the one about to be taken, `keep` complete ones remain. A complete one has a manifest;
 * incomplete ones go when a complete one is newer. The newest complete one always stays.
 * @param snapshots names in the repository; those that are not the night's are nobody's business here
 * @param complete names that have a manifest
 */
export function expired(snapshots: readonly string[], complete: ReadonlySet<string>, keep: number): string[] {
  const nights = snapshots.filter((name) => /^night-\d{8}t\d{6}z$/.test(name)).sort();
  const good = nights.filter((name) => complete.has(name));
  const kept = new Set(good.slice(-Math.max(1, keep - 1)));
  const newest = good.at(-1);
  return nights.filter((name) => !kept.has(name) && newest !== undefined && name < newest);
}

/** Removes what is expired, each manifest before its snapshot: what is restored is looked up by manifests. */
export async function pruneSnapshots(
  call: Elasticsearch,
  {
    bucket,
    repository,
    keep,
    timeoutSeconds,
  }: { bucket: string; repository: string; keep: number; timeoutSeconds: number },
): Promise<string[]> {
  // Names alone: the full answer reads a file for each snapshot.
  const { snapshots } = await call<{ snapshots: { snapshot: string }[] }>(
    "GET",
    `/_snapshot/${snapshotRepository}/_all?verbose=false`,
  );
  const manifests = [...(await listUnder(bucket, manifestsPrefix(repository))).keys()];
  const complete = new Set(manifests.flatMap((path) => backupOfManifest(repository, path) ?? []));
  const old = expired(
    snapshots.map(({ snapshot }) => snapshot),
    complete,
    keep,
  );
  for (const name of old) {
    await removeManifest(bucket, repository, name);
    // Answered when it is done, which takes minutes in a large repository.
    await call("DELETE", `/_snapshot/${snapshotRepository}/${name}`, undefined, timeoutSeconds);
    log("old snapshot removed", { backup: name });
  }
  return old;
}
