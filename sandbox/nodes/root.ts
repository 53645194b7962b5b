/** Which file system and user a container gets. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { ImageProgram } from "../lib/types";
import type { Mount, Root } from "./bubblewrap";
import { ContainerConfigError } from "./environment";

export interface User {
  uid: number;
  gid: number;
}

/**
 * The user that a container runs as: its own security context, the pod's, the image's; absent: root.
 * @throws ContainerConfigError when it would be root and `runAsNonRoot` says no
 */
export function containerUser(pod: V1Pod, container: V1Container, image: ImageProgram): User | undefined {
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const uid = own?.runAsUser ?? shared?.runAsUser ?? image.user?.uid;
  const gid = own?.runAsGroup ?? shared?.runAsGroup ?? image.user?.gid ?? uid;
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) && !uid) {
    throw new ContainerConfigError(
      `container ${container.name} has runAsNonRoot and its image runs as root; set runAsUser`,
    );
  }
  return uid ? { uid, gid: gid ?? uid } : undefined;
}

/** Whom the pod's volumes belong to: fsGroup with the user of its first container that has one. */
export function volumeOwner(pod: V1Pod, images: (image: string) => ImageProgram | undefined): User | undefined {
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    const image = images(container.image ?? "");
    const user = image && containerUser(pod, container, image);
    if (user) return { uid: user.uid, gid: fsGroup ?? user.gid };
  }
  return undefined;
}

/** The root of a container: the image's files, then the pod's volumes where the container mounts them. */
export function containerRoot(options: {
  pod: V1Pod;
  container: V1Container;
  image: ImageProgram;
  /** Folder of each volume by its name. */
  volumes: ReadonlyMap<string, string>;
  hostsFolder: string;
  /** File behind the container's terminationMessagePath. */
  lastWords: string;
  /** What every container of the pod sees, whatever it declares: target path -> host path. */
  given?: Record<string, string>;
}): Root {
  const { pod, container, image, volumes, lastWords, given = {} } = options;
  const mounts: Mount[] = Object.entries({ ...image.mounts, ...given }).map(([target, source]) => ({
    source,
    target,
    readOnly: true,
  }));
  for (const mount of container.volumeMounts ?? []) {
    const folder = volumes.get(mount.name);
    if (!folder) throw new ContainerConfigError(`container ${container.name} mounts volume ${mount.name}: not found`);
    const source = mount.subPath ? join(folder, mount.subPath) : folder;
    if (mount.subPath && !existsSync(source)) mkdirSync(source, { recursive: true });
    mounts.push({ source, target: mount.mountPath, readOnly: mount.readOnly ?? false });
  }
  mounts.push({
    source: lastWords,
    target: container.terminationMessagePath ?? "/dev/termination-log",
    readOnly: false,
  });
  const user = containerUser(pod, container, image);
  return {
    mounts,
    hostsFolder: options.hostsFolder,
    workingDir: container.workingDir ?? "/",
    readOnly: container.securityContext?.readOnlyRootFilesystem ?? false,
    ...(user ? { user } : {}),
  };
}
