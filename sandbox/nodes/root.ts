/** Which file system and user a container gets. */
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { V1Container, V1Pod } from "@kubernetes/client-node";
import type { ImageProgram } from "../lib/types";
import type { Mount, Root, User } from "./bubblewrap";
import { ContainerConfigError } from "./environment";

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
  const groups = shared?.fsGroup === undefined ? [] : [shared.fsGroup];
  return uid ? { uid, gid: gid ?? uid, groups } : undefined;
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
    if (mount.subPath && !existsSync(source)) {
      mkdirSync(source, { recursive: true });
      // The volume's rights, as its group comes by the folder's setgid bit.
      chmodSync(source, statSync(folder).mode & 0o7777);
    }
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
