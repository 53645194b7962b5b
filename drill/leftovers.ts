/** What a drill must not leave behind: processes, listening ports, files. What is left is read from /proc, whatever the sandbox says. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { down, SANDBOX_DIR } from "./sandbox";
import { forget, type Progress } from "./workspace";

/**
 * Removes the local cloud and the files of the stacks.
 * @param failed its logs are kept
 * @returns what was left behind all the same
 */
export async function removeCloud(stacks: readonly string[], failed: boolean, progress: Progress): Promise<string[]> {
  const ports = listeningPorts(sandboxProcesses(SANDBOX_DIR).map(({ pid }) => pid));
  await down(progress, failed);
  for (const name of stacks) forget(name);
  return leftovers(SANDBOX_DIR, ports);
}

/**
 * Processes that carry the sandbox's folder in their environment, command line or mounts (containers know it only by
 * those), other than this one.
 */
export function sandboxProcesses(sandboxDir: string): { pid: number; command: string }[] {
  const own = new Set([process.pid, process.ppid]);
  const found: { pid: number; command: string }[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || own.has(pid)) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const traces = [
      command.includes(`${sandboxDir}/`),
      read(`/proc/${pid}/environ`).includes(`SANDBOX_DIR=${sandboxDir}\0`),
      read(`/proc/${pid}/mountinfo`).includes(`${sandboxDir}/`),
    ];
    if (traces.some(Boolean)) {
      found.push({ pid, command: command.slice(0, 120) });
    }
  }
  return found;
}

/** Loopback ports on which one of the processes listens, as `address:port`. */
export function listeningPorts(pids: number[]): string[] {
  const inodes = new Set(pids.flatMap(socketInodes));
  return listeners()
    .filter((socket) => inodes.has(socket.inode))
    .map((socket) => socket.address);
}

/** Everything of the sandbox that is still there after it was removed; `ports` are those it listened on before. */
export function leftovers(sandboxDir: string, ports: string[]): string[] {
  const open = new Set(listeners().map((socket) => socket.address));
  return [
    ...sandboxProcesses(sandboxDir).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...ports.filter((port) => open.has(port)).map((port) => `port ${port}`),
    ...(existsSync(sandboxDir) ? [`files in ${sandboxDir}: ${readdirSync(sandboxDir).join(", ")}`] : []),
  ];
}

function listeners(): { address: string; inode: string }[] {
  return read("/proc/net/tcp")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A")
    .map((fields) => ({ address: address(fields[1] ?? ""), inode: fields[9] ?? "" }));
}

/** `0100007F:1F90` as the kernel writes it (little-endian hex) to `127.0.0.1:8080`. */
export function address(hex: string): string {
  const [host = "", port = ""] = hex.split(":");
  const bytes = host.match(/../g) ?? [];
  return `${bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".")}:${Number.parseInt(port, 16)}`;
}

function socketInodes(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** A process may end while it is being read. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
