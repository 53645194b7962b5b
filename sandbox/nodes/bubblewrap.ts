/** The command line that gives a container a file system and a process tree of its own. */
import { existsSync, readdirSync } from "node:fs";

export interface Mount {
  /** Path on this machine. */
  source: string;
  /** Path inside. */
  target: string;
  readOnly: boolean;
}

/** Whom a container's process is. */
export interface User {
  uid: number;
  gid: number;
  /** Supplementary groups: the pod's fsGroup. */
  groups: number[];
}

export interface Root {
  mounts: Mount[];
  /** Folder whose file `hosts` answers for names. */
  hostsFolder: string;
  workingDir: string;
  /** Nothing outside the mounts can be written, /tmp included. */
  readOnly: boolean;
  /** Runs the command as this user; absent: as the daemon's own. */
  user?: User;
}

/** Files of /etc that programs need to know users, certificates and libraries; everything else of it stays outside. */
const ETC =
  /^(passwd|group|nsswitch\.conf|ssl|ca-certificates.*|alternatives|ld\.so\..*|localtime|mime\.types|protocols|services|java.*|openssl)$/;
const HOSTS = "/run/hosts";
/** File descriptor on which bubblewrap tells the container's process id. */
export const INFO_FD = 3;

/** Arguments for `bwrap`: a fresh root with the system read-only, then the mounts in their order, then the command. */
export function bubblewrapArgs(root: Root, command: string[]): string[] {
  const links = ["bin", "sbin", "lib", "lib64"].filter((name) => existsSync(`/${name}`));
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-ipc",
    "--as-pid-1",
    "--info-fd",
    String(INFO_FD),
    ...["--ro-bind", "/usr", "/usr"],
    // Parents that bubblewrap makes by itself are for root only.
    ...parents(["/etc/x", `${HOSTS}/x`, "/var/run/x", ...root.mounts.map(({ target }) => target)]),
    ...links.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...readdirSync("/etc")
      .filter((name) => ETC.test(name))
      .flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    ...["--ro-bind", root.hostsFolder, HOSTS],
    ...["--symlink", `${HOSTS}/hosts`, "/etc/hosts"],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm"],
    ...(root.readOnly ? ["--dir", "/tmp"] : ["--perms", "1777", "--tmpfs", "/tmp"]),
    ...["--dir", "/root", "--dir", "/home"],
    ...root.mounts.flatMap((mount) => [mount.readOnly ? "--ro-bind" : "--bind", mount.source, mount.target]),
    ...(root.readOnly ? ["--remount-ro", "/"] : []),
    ...["--chdir", root.workingDir],
    "--",
    ...asUser(root.user),
    ...command,
  ];
}

/** `--dir` for each folder above the paths, outermost first; those of the system are there. */
function parents(paths: string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const names = path.split("/").slice(1, -1);
    for (let depth = 1; depth <= names.length; depth++) folders.add(`/${names.slice(0, depth).join("/")}`);
  }
  return [...folders]
    .filter((folder) => !/^\/(usr|tmp|proc|dev)(\/|$)/.test(folder))
    .sort()
    .flatMap((folder) => ["--dir", folder]);
}

/** Drops to a user when the daemon is root; otherwise the daemon's own user has to do. */
export function asUser(user: User | undefined): string[] {
  if (!user || process.getuid?.() !== 0) return [];
  // Changing the user clears the promise to die with the parent, so it is given again.
  const death = ["--pdeathsig", "KILL"];
  const groups = user.groups.length > 0 ? ["--groups", user.groups.join(",")] : ["--clear-groups"];
  return ["setpriv", "--reuid", String(user.uid), "--regid", String(user.gid), ...groups, ...death, "--"];
}
