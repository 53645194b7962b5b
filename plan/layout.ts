/**
 * Where things lie in the backup buckets, and how backups and copies are called. Pure functions shared by the jobs
 * that write, the jobs that restore, the entry program that looks a copy up, and the drill.
 *
 * A site's primary bucket:
 *   cassandra/…, elasticsearch-<datacenter>/…                 the stores' own layouts
 *   manifests/<repository>/<backup>.json                      written when the backup was found complete
 *   restores/<marker>.json                                    written when a copy was brought in and verified
 * The second copy (append-only, so nothing in it is ever overwritten):
 *   <site>/<path>                                             what never changes once written
 *   <site>/pointers/<copy>/<path>                             mutable pointers, as they were that night
 *   markers/<site>/<marker>.json                              written last; a copy without it is no copy
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

/** Backup named by a manifest's path, or undefined when the path is no manifest of the repository. */
export function backupOfManifest(name: string, path: string): string | undefined {
  const prefix = manifestsPrefix(name);
  return path.startsWith(prefix) && path.endsWith(".json") ? path.slice(prefix.length, -".json".length) : undefined;
}

/** Is this object overwritten by later backups? Elasticsearch's `index.latest`, Medusa's `index/latest_backup/`. */
export function isPointer(path: string): boolean {
  return /(^|\/)index\.latest$/.test(path) || /(^|\/)index\/latest_backup\//.test(path);
}

/** Folder of the second copy in which objects of the primary bucket keep their paths; pointers have one per copy. */
export function copyFolder(site: string, copy: string, pointers: boolean): string {
  return pointers ? `${site}/pointers/${copy}` : site;
}

/** Where an object of the site's primary bucket lies in the second copy of one night. */
export function copyPath(site: string, copy: string, path: string): string {
  return `${copyFolder(site, copy, isPointer(path))}/${path}`;
}

/** Prefix of a site's markers in the second copy. */
export function markersPrefix(site: string): string {
  return `markers/${site}/`;
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

/** Path in the site's own bucket that says a copy was brought in whole; written last. */
export function restoredPath(marker: string): string {
  return `restores/${marker}.json`;
}

/** Path in the site's own bucket by which a datacenter says that it is ready to stop for the restore of a copy. */
export function readyPath(marker: string, datacenter: string): string {
  return `${readyPrefix(marker)}${datacenter}`;
}

/** Prefix of {@link readyPath}. */
export function readyPrefix(marker: string): string {
  return `ready/${marker}/`;
}
