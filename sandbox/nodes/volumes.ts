/** A pod's volumes as folders on this machine, laid out as Kubernetes lays them out. */
import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { V1KeyToPath, V1Pod, V1Volume, V1VolumeProjection } from "@kubernetes/client-node";
import { ContainerConfigError, podField } from "./environment";

/** Reads a ConfigMap or Secret as files have it: a Secret's values are bytes. Undefined when it does not exist. */
export type ReadFiles = (
  kind: "ConfigMap" | "Secret",
  name: string,
) => Promise<Record<string, string | Buffer> | undefined>;

/** What volumes need of the cluster. */
export interface VolumeSources {
  read: ReadFiles;
  /** A token of the pod's service account for an audience, bound to the pod. */
  token(audience: string | undefined, seconds: number): Promise<string>;
  /** Folder behind a claim. @throws when the claim is not bound. */
  claim(name: string): Promise<string>;
}

/** A file of a volume: path in the volume, content, mode. */
export interface VolumeFile {
  path: string;
  content: string | Buffer;
  mode: number;
}

const DEFAULT_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/**
 * Where each volume of the pod is on this machine. As in Kubernetes a volume is root's, and what lies on it is the group's that the
 * pod's fsGroup names: without one, nobody but root writes to a claim.
 */
export async function prepareVolumes(
  pod: V1Pod,
  podIP: string,
  dir: string,
  sources: VolumeSources,
): Promise<Map<string, string>> {
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  const folders = new Map<string, string>();
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = claimOf(pod, volume);
    if (claim !== undefined) {
      const folder = await sources.claim(claim);
      hand(folder, fsGroup, 0o660);
      folders.set(volume.name, folder);
      continue;
    }
    const folder = join(dir, volume.name);
    mkdirSync(folder, { recursive: true });
    if (volume.emptyDir) chmodSync(folder, 0o777);
    else for (const file of await volumeFiles(volume, pod, podIP, sources)) write(folder, file);
    hand(folder, fsGroup, volume.emptyDir ? 0o660 : 0o440);
    folders.set(volume.name, folder);
  }
  return folders;
}

/** Name of the claim behind a volume; Kubernetes makes the one of an ephemeral volume by the pod's and the volume's names. */
function claimOf(pod: V1Pod, volume: V1Volume): string | undefined {
  if (volume.ephemeral) return `${pod.metadata?.name}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

/** Files of a configMap, secret, downwardAPI or projected volume. */
export async function volumeFiles(
  volume: V1Volume,
  pod: V1Pod,
  podIP: string,
  sources: VolumeSources,
): Promise<VolumeFile[]> {
  if (volume.projected) {
    const mode = volume.projected.defaultMode ?? DEFAULT_MODE;
    const parts = await Promise.all(
      (volume.projected.sources ?? []).map((source) => projected(source, pod, podIP, sources, mode)),
    );
    return parts.flat();
  }
  if (volume.configMap || volume.secret) {
    const { configMap, secret } = volume;
    return mapFiles(
      sources.read,
      configMap ? "ConfigMap" : "Secret",
      configMap?.name ?? secret?.secretName ?? "",
      configMap?.items ?? secret?.items,
      configMap?.optional ?? secret?.optional,
      configMap?.defaultMode ?? secret?.defaultMode ?? DEFAULT_MODE,
    );
  }
  if (volume.downwardAPI)
    return downward(volume.downwardAPI.items ?? [], pod, podIP, volume.downwardAPI.defaultMode ?? DEFAULT_MODE);
  const kind = Object.keys(volume).find((key) => key !== "name") ?? "unknown";
  throw new ContainerConfigError(
    `volume ${volume.name} is of kind ${kind}; nodes here mount emptyDir, configMap, secret, projected, downwardAPI, ephemeral and persistentVolumeClaim`,
  );
}

async function projected(
  source: V1VolumeProjection,
  pod: V1Pod,
  podIP: string,
  sources: VolumeSources,
  mode: number,
): Promise<VolumeFile[]> {
  if (source.serviceAccountToken) {
    const { audience, expirationSeconds, path } = source.serviceAccountToken;
    return [{ path, content: await sources.token(audience, expirationSeconds ?? TOKEN_SECONDS), mode }];
  }
  if (source.downwardAPI) return downward(source.downwardAPI.items ?? [], pod, podIP, mode);
  const ref = source.configMap ?? source.secret;
  if (!ref) return [];
  return mapFiles(
    sources.read,
    source.configMap ? "ConfigMap" : "Secret",
    ref.name ?? "",
    ref.items,
    ref.optional,
    mode,
  );
}

async function mapFiles(
  read: ReadFiles,
  kind: "ConfigMap" | "Secret",
  name: string,
  items: V1KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
): Promise<VolumeFile[]> {
  const values = await read(kind, name);
  if (!values) {
    if (optional) return [];
    throw new ContainerConfigError(`${kind} "${name}" not found`);
  }
  if (!items) return Object.entries(values).map(([path, content]) => ({ path, content, mode }));
  return items.flatMap((item) => {
    const content = values[item.key];
    if (content === undefined) {
      if (optional) return [];
      throw new ContainerConfigError(`${kind} "${name}" has no key ${item.key}`);
    }
    return [{ path: item.path, content, mode: item.mode ?? mode }];
  });
}

function downward(
  items: { path: string; mode?: number; fieldRef?: { fieldPath: string } }[],
  pod: V1Pod,
  podIP: string,
  mode: number,
): VolumeFile[] {
  return items.map((item) => ({
    path: item.path,
    content: item.fieldRef ? podField(pod, item.fieldRef.fieldPath, podIP) : "",
    mode: item.mode ?? mode,
  }));
}

function write(folder: string, file: VolumeFile): void {
  const path = join(folder, file.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.content, { mode: file.mode });
  chmodSync(path, file.mode);
}

/** Gives what lies below a path to a group, with these rights on files. Only root can; otherwise everything is the daemon's own user's. */
function hand(path: string, group: number | undefined, rights: number): void {
  if (group === undefined || process.getuid?.() !== 0) return;
  const entry = lstatSync(path);
  lchownSync(path, entry.uid, group);
  if (!entry.isDirectory() && !entry.isFile()) return;
  chmodSync(path, (entry.mode & 0o7777) | (entry.isDirectory() ? 0o2110 : 0) | rights);
  if (entry.isDirectory()) for (const name of readdirSync(path)) hand(join(path, name), group, rights);
}
