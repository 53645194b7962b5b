/**
 * Where things lie in the backup buckets, and how backups and copies are called. Pure functions shared by the jobs
 * that write, the jobs that restore, the entry program that looks a copy up, and the drill.
 *
 * A site's primary bucket:
 *   cassandra/…, elasticsearch-<datacenter>/…                 the stores' own layouts
 *   manifests/<repository>/<backup>.jsonl                     the objects of a complete backup, one a line
 *   manifests/<repository>/<backup>.json                      written after it: the backup is complete
 *   restores/started.json                                     which copy a rebuild brings in, decided once
 *   restores/<marker>.json                                    written when a copy was brought in and verified
 *   restored-indices/<marker>/<repository>.json               which indices of a search cluster came from that copy
 *   recoveries/<id>.json                                      how far a recovery in place is, or that it is done
 * The second copy (append-only, so nothing in it is ever overwritten):
 *   <site>/objects/<path>                                     the first content that was copied under a name
 *   <site>/layers/<copy>/<path>                               pointers of that night, and content that came later under a name in use
 *   listings/<site>/<marker>/<repository>.jsonl               the objects of what that run copied, and which layer has each
 *   markers/<site>/<marker>.json                              written last; a copy without it is no copy
 *   evidence/<site>/<marker>/<repository>-<moment>-<result>.json   what a deep verification found
 */

/** Stores that are backed up. */
export type BackupKind = "cassandra" | "elasticsearch";

/** A repository: the backups of one store in one datacenter. */
export function repository(kind: BackupKind, datacenter: string): string {
  return `${kind}-${datacenter}`;
}

/** Splits a repository's name. Throws when it is none. */
export function parseRepository(name: string): { kind: BackupKind; datacenter: string } {
  const match = /^(cassandra|elasticsearch)-(.+)$/.exec(name);
  if (!match) {
    throw new Error(`repository "${name}" is not known: expected cassandra-<datacenter> or elasticsearch-<datacenter>`);
  }
  return { kind: match[1] as BackupKind, datacenter: match[2]! };
}

/** UTC moment as `YYYYMMDDthhmmssz`: lower case for Kubernetes names, sorts by time. */
export function stamp(at: Date): string {
  return at
    .toISOString()
    .replace(/\.\d{3}Z$/, "z")
    .replace(/[-:]/g, "")
    .toLowerCase();
}

/**
 * Name of the backup whose job started at `at`: `night-YYYYMMDDthhmmssz`, with the datacenter before the moment where the
 * repository's folder holds other datacenters' backups too.
 */
export function backupName(at: Date, datacenter?: string): string {
  return datacenter === undefined ? `night-${stamp(at)}` : `night-${datacenter}-${stamp(at)}`;
}

/** Id of the copy whose job started at `at`: `copy-YYYYMMDDthhmmssz`. */
export function markerId(at: Date): string {
  return `copy-${stamp(at)}`;
}

/** Moment in a backup's or marker's name, to the second. Throws when the name carries none. */
export function momentOf(name: string): Date {
  const match = /^(?:night(?:-[a-z][a-z0-9]*)?|copy)-(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z$/.exec(name);
  const moment = match
    ? new Date(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
    : new Date(Number.NaN);
  if (Number.isNaN(moment.getTime())) {
    throw new Error(`"${name}" carries no moment: expected night-YYYYMMDDthhmmssz or copy-YYYYMMDDthhmmssz`);
  }
  return moment;
}

/** Folder of Medusa's backups. The operator sets it per cluster: datacenters share it, their nodes' names differ. */
export const medusaFolder = "cassandra";

/** Folder of a repository's objects in the primary bucket. */
export function repositoryFolder(name: string): string {
  return parseRepository(name).kind === "cassandra" ? medusaFolder : name;
}

/** Prefix of a repository's manifests. */
export function manifestsPrefix(name: string): string {
  return `manifests/${name}/`;
}

/** Path of a backup's manifest in the primary bucket. */
export function manifestPath(name: string, backup: string): string {
  return `${manifestsPrefix(name)}${backup}.json`;
}

/** Path of the list of a backup's objects in the primary bucket. */
export function filesPath(name: string, backup: string): string {
  return `${manifestsPrefix(name)}${backup}.jsonl`;
}

/** Backup named by a manifest's path, or undefined when the path is no manifest of the repository. */
export function backupOfManifest(name: string, path: string): string | undefined {
  const prefix = manifestsPrefix(name);
  return path.startsWith(prefix) && path.endsWith(".json") ? path.slice(prefix.length, -".json".length) : undefined;
}

/** Is this object overwritten by later backups? Elasticsearch's `index.latest`, Medusa's `index/latest_backup/`. */
export function isPointer(path: string): boolean {
  return /(^|\/)index\.latest$/.test(path) || /(^|\/)index\/latest_backup\//.test(path);
}

/** Folders of the second copy beside the sites' own: no site has such a name. */
export const reservedFolders: readonly string[] = ["evidence", "listings", "markers"];

/** Folder of the second copy in which objects of the primary bucket keep their paths; `layer` is a copy's id. */
export function copyFolder(site: string, layer?: string): string {
  return layer === undefined ? `${site}/objects` : `${site}/layers/${layer}`;
}

/** Where an object of the site's primary bucket lies in the second copy. */
export function copyPath(site: string, { name, layer }: { name: string; layer?: string }): string {
  return `${copyFolder(site, layer)}/${name}`;
}

/** Prefix of the lists of the objects of a site's copies, or of all sites'. */
export function listingsPrefix(site?: string): string {
  return site === undefined ? "listings/" : `listings/${site}/`;
}

/** Path of the list of the objects of a repository's copy; `copy` is the id of the run that made it, and of its marker. */
export function listingPath(site: string, copy: string, repository: string): string {
  return `${listingsPrefix(site)}${copy}/${repository}.jsonl`;
}

/** Prefix of a site's markers in the second copy, or of all sites'. */
export function markersPrefix(site?: string): string {
  return site === undefined ? "markers/" : `markers/${site}/`;
}

/** Path of a marker in the second copy. */
export function markerPath(site: string, marker: string): string {
  return `${markersPrefix(site)}${marker}.json`;
}

/** Marker id named by an object of {@link markersPrefix}, or undefined when it is no marker. */
export function markerOfPath(site: string, path: string): string | undefined {
  const prefix = markersPrefix(site);
  return path.startsWith(prefix) && path.endsWith(".json") ? path.slice(prefix.length, -".json".length) : undefined;
}

/** Newest of a site's markers by name, or undefined when there is none. Paths that are no markers are ignored. */
export function newestMarker(site: string, paths: string[]): string | undefined {
  return paths
    .flatMap((path) => markerOfPath(site, path) ?? [])
    .filter((marker) => /^copy-\d{8}t\d{6}z$/.test(marker))
    .sort()
    .at(-1);
}

/** Layers of the second copy that one copy of a repository may use; content of older ones is copied anew. */
export const maxLayers = 6;

/** Records of a restore in the site's own bucket: each is written once, and never replaced. */
export const restoresPrefix = "restores/";

/** Path in the site's own bucket that says a copy was brought in whole; written last. */
export function restoredPath(marker: string): string {
  return `${restoresPrefix}${marker}.json`;
}

/** Records of {@link restoredIndicesPath}, which grow while a restore goes on. */
export const restoredIndicesPrefix = "restored-indices";

/** Path in the site's own bucket that says which living indices a restore of a copy has made, by their uuids. */
export function restoredIndicesPath(marker: string, repository: string): string {
  return `${restoredIndicesPrefix}/${marker}/${repository}.json`;
}

/** Marker id of a path of {@link restoredPath}, or undefined when it is none. */
export function markerOfRestored(path: string): string | undefined {
  return /^restores\/(copy-\d{8}t\d{6}z)\.json$/.exec(path)?.[1];
}

/** Path in the site's own bucket that says which copy is being brought in; written first, and once in the bucket's life. */
export const restoreStartedPath = `${restoresPrefix}started.json`;

/** Path in the site's own bucket by which a datacenter says that it is ready to stop for the restore of a copy. */
export function readyPath(marker: string, datacenter: string): string {
  return `${readyPrefix(marker)}${datacenter}`;
}

/** Prefix of {@link readyPath}. */
export function readyPrefix(marker: string): string {
  return `ready/${marker}/`;
}

/** Path in the site's own bucket that says which backup a recovery in place uses, how far it is, and when it was done. */
export function recoveryPath(id: string): string {
  return `recoveries/${id}.json`;
}

/** Prefix of what deep verifications leave in the second copy, of a site or of all. */
export function evidencePrefix(site?: string): string {
  return site === undefined ? "evidence/" : `evidence/${site}/`;
}

/** How a deep verification ended. */
export const evidenceResults = ["ok", "failed"] as const;
export type EvidenceResult = (typeof evidenceResults)[number];

/** Path of the evidence of one verification; `moment` is the {@link stamp} of its start. */
export function evidencePath(
  site: string,
  marker: string,
  repository: string,
  moment: string,
  result: EvidenceResult,
): string {
  return `${evidencePrefix(site)}${marker}/${repository}-${moment}-${result}.json`;
}

/** What a path below {@link evidencePrefix} says; undefined when it is no evidence of the site. */
export function evidenceOfPath(
  site: string,
  path: string,
): { repository: string; at: Date; result: EvidenceResult } | undefined {
  const prefix = evidencePrefix(site);
  const match = path.startsWith(prefix)
    ? /^copy-\d{8}t\d{6}z\/(.+)-(\d{8}t\d{6}z)-(ok|failed)\.json$/.exec(path.slice(prefix.length))
    : null;
  return match
    ? { repository: match[1]!, at: momentOf(`night-${match[2]}`), result: match[3] as EvidenceResult }
    : undefined;
}
