/**
 * The drill's view of the local cloud: its command line only. What the drill asks of the sandbox here is what a
 * disaster, or an attacker, would do to the real clouds.
 */
import { spawn } from "node:child_process";
import { copyFileSync, type Dirent, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT_ROOT, type Progress } from "./workspace";

/** Folder of the sandbox's state, all of it removed by `down --purge`. */
export const SANDBOX_DIR = process.env.SANDBOX_DIR ?? join(PROJECT_ROOT, ".sandbox");

/** Starts a fresh sandbox and takes its environment over into this process. */
export async function upFresh(progress: Progress): Promise<void> {
  await sandbox(["up", "--fresh"], progress);
  Object.assign(process.env, JSON.parse(await sandbox(["env", "--json"])));
}

/** The environment of who deploys where public addresses are reached through the local cloud's proxy, and by nothing else. */
export const environmentBehindProxy = async (): Promise<Record<string, string>> =>
  JSON.parse(await sandbox(["env", "--json", "--proxy"]));

/** Where the logs of a failed drill are kept. */
const LOGS = join(PROJECT_ROOT, "reports", "latest", "logs");

/** Stops the sandbox and removes its state; its logs are kept on demand. */
export async function down(progress: Progress, keepLogs: boolean): Promise<void> {
  if (!existsSync(SANDBOX_DIR)) return;
  if (keepLogs) progress(`${copyLogs(SANDBOX_DIR, LOGS)} logs are in ${LOGS}`);
  await sandbox(["down", "--purge"], progress);
}

/** Copies every log below a folder into another, emptied before; `_` stands for `/` in names. Returns how many. */
export function copyLogs(from: string, to: string): number {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const logs: string[] = [];
  const search = (folder: string) => {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      // The sandbox still runs: what it is removing, or keeps to itself, is no reason to lose the other logs.
      return;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) search(path);
      else if (entry.isFile() && entry.name.endsWith(".log")) logs.push(path);
    }
  };
  search(from);
  let kept = 0;
  for (const log of logs) {
    try {
      copyFileSync(log, join(to, relative(from, log).replaceAll("/", "_")));
      kept += 1;
    } catch (error) {
      // Removed since it was found.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return kept;
}

/** The region's clusters die: processes are killed and disks deleted. */
export const loseRegion = (region: string) => sandbox(["fault", "region", region, "lost"]);

/** Nobody can read the bucket any more, whatever the bindings say. */
export const makeUnreadable = (bucket: string) => sandbox(["fault", "bucket", bucket, "unreadable"]);

/** Ends {@link makeUnreadable}. */
export const makeReadable = (bucket: string) => sandbox(["fault", "bucket", bucket, "readable"]);

/** Nothing of Google Cloud answers any more, to anybody; its disks stay. */
export const loseGoogle = () => sandbox(["fault", "cloud", "gcp", "lost"]);

/** Ends {@link loseGoogle}. */
export const googleIsBack = () => sandbox(["fault", "cloud", "gcp", "back"]);

/** Number of a project of Google Cloud. */
export const projectNumber = async (project: string) => (await sandbox(["project-number", project])).trim();

/** Where a public address is on this machine, and whose certificates are shown there. @throws when nobody answers */
export async function locate(
  address: string,
  port: number,
): Promise<{ host: string; port: number; authorities: string[] }> {
  return JSON.parse(await sandbox(["locate", address, String(port)]));
}

/** An access token of the service account, as an attacker with its credentials would hold. */
export const stealToken = async (email: string) => (await sandbox(["token", email])).trim();

/** Runs a command of the sandbox; rejects with what it printed when it fails. Returns its standard output. */
function sandbox(args: string[], progress?: Progress): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", join(PROJECT_ROOT, "sandbox", "cli.ts"), ...args], {
      cwd: PROJECT_ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      progress?.(String(chunk).trim());
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(stdout)
        : reject(new Error(`sandbox ${args.join(" ")} ended with ${code}: ${stderr || stdout}`)),
    );
  });
}
