/**
 * The cache of built tools: one folder per tool and content of its manifest, outside the repository, shared by all
 * checkouts. A folder under its final name is complete: it is filled under another name and renamed.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { lock } from "proper-lockfile";

/** Receives one line of progress. */
export type Report = (line: string) => void;

/** Something the sandbox builds or installs once. */
export interface Recipe {
  name: string;
  /** Files that decide the result; with `flags` they name the cache folder. */
  inputs: string[];
  /** Everything else that decides the result, such as build flags. */
  flags: string;
  /** Files, relative to the folder, without which it counts as missing. */
  results: string[];
  /** Fills `folder`, which will be renamed to `final`. */
  build(folder: string, final: string, report: Report): Promise<void>;
}

/** The folder of the manifests. */
export const manifests = __dirname;

/** `$XDG_CACHE_HOME/iconik-dr`, by default below `~/.cache`. */
export function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "iconik-dr");
}

/** The folder a recipe's result has once it is complete. */
export function folderOf(recipe: Recipe): string {
  const hash = createHash("sha256").update(`${process.platform}/${process.arch}\0${recipe.flags}`);
  for (const file of [...recipe.inputs].sort()) {
    hash.update(`\0${relative(manifests, file)}\0`).update(readFileSync(file));
  }
  return join(cacheRoot(), `${recipe.name}-${hash.digest("hex").slice(0, 16)}`);
}

/** The results of a recipe that are not there; links that lead nowhere (a replaced Python) count as missing. */
export function missingResults(recipe: Recipe): string[] {
  const folder = folderOf(recipe);
  return recipe.results.map((result) => join(folder, result)).filter((path) => !existsSync(path));
}

/** Builds what is missing, once even if several processes ask. Returns whether there was anything to do. */
export async function ensure(recipe: Recipe, report: Report): Promise<boolean> {
  if (missingResults(recipe).length === 0) return false;
  mkdirSync(cacheRoot(), { recursive: true });
  // The lock is renewed while its owner lives, so the lock of a killed process expires; a build may last long.
  const release = await lock(join(cacheRoot(), recipe.name), {
    realpath: false,
    stale: 20_000,
    update: 4_000,
    retries: { forever: true, minTimeout: 1_000, maxTimeout: 2_000 },
    // After a long pause of the machine another process may have taken it over: a build too many, but no harm.
    onCompromised: () => report(`${recipe.name}: another process may be building it as well`),
  });
  try {
    if (missingResults(recipe).length === 0) return false;
    await buildInto(recipe, report);
    return true;
  } finally {
    await release().catch(() => undefined);
  }
}

/** Builds beside the final folder and renames. Only the holder of the recipe's lock may call it. */
async function buildInto(recipe: Recipe, report: Report): Promise<void> {
  const final = folderOf(recipe);
  removeLeftovers(recipe.name);
  // A name of its own: what a killed build started may still be writing to that build's folder.
  const partial = mkdtempSync(`${final}.partial-`);
  // The stores run as another user.
  chmodSync(partial, 0o755);
  await recipe.build(partial, final, report);
  const missing = recipe.results.filter((result) => !existsSync(join(partial, result)));
  if (missing.length > 0) {
    throw new Error(`${recipe.name}: the build ended well but made no ${missing.join(", ")} in ${partial}`);
  }
  rmSync(final, { recursive: true, force: true });
  renameSync(partial, final);
}

/** What killed builds of this tool left behind. Older complete versions stay: another checkout may use them. */
function removeLeftovers(name: string): void {
  for (const entry of readdirSync(cacheRoot())) {
    if (entry.startsWith(`${name}-`) && entry.includes(".partial-")) {
      rmSync(join(cacheRoot(), entry), { recursive: true, force: true });
    }
  }
}
