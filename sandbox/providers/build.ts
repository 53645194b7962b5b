/**
 * Bundles the providers into one file each, so that a plugin starts in a fraction of a second.
 *
 *     node --import tsx sandbox/providers/build.ts [NAME...]
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { lock } from "proper-lockfile";

/** Packages the sandbox provides. */
export const providers = ["aws", "gcp", "kubernetes", "random"] as const;
export type ProviderName = (typeof providers)[number];

const root = join(__dirname, "..", "..");
/** What a bundle is made from; bin/launch.sh looks at the same. */
const sources = ["sandbox/providers", "sandbox/lib", "sandbox/cloud/api.ts", "package-lock.json"];

/** Folder on the PATH of the engine: it holds the `pulumi-resource-NAME` programs. */
export const providerBin = join(__dirname, "bin");

/** Folder of the bundles. */
export function bundleFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.SANDBOX_CACHE || join(root, "dist"), "providers");
}

/**
 * Makes the bundles that are missing or older than their sources, and returns their names. Several processes may call it
 * at once: one builds, and a bundle is replaced as a whole.
 */
export async function buildProviders(names: readonly ProviderName[] = providers): Promise<ProviderName[]> {
  const folder = bundleFolder();
  mkdirSync(folder, { recursive: true });
  const release = await lock(folder, { stale: 60_000, retries: { retries: 1800, minTimeout: 100, maxTimeout: 100 } });
  try {
    const newest = await newestSource();
    const stale = names.filter((name) => isOlder(join(folder, `${name}.cjs`), newest));
    for (const name of stale) await bundle(name, folder);
    return stale;
  } finally {
    await release();
  }
}

async function bundle(name: ProviderName, folder: string): Promise<void> {
  const target = join(folder, `${name}.cjs`);
  const partial = `${target}.${process.pid}`;
  // A source saved during the build must count as newer than the bundle.
  const started = new Date();
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [`sandbox/providers/${name}/main.ts`],
      outfile: partial,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "error",
    });
    utimesSync(partial, started, started);
    renameSync(partial, target);
  } finally {
    rmSync(partial, { force: true });
  }
}

function isOlder(file: string, time: number): boolean {
  return !existsSync(file) || statSync(file).mtimeMs < time;
}

async function newestSource(): Promise<number> {
  const times = [];
  for (const source of sources.map((path) => join(root, path))) {
    if (statSync(source).isFile()) times.push(statSync(source).mtimeMs);
    else
      for (const entry of await readdir(source, { recursive: true, withFileTypes: true }))
        if (/\.(?:ts|json)$/.test(entry.name)) times.push(statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return Math.max(...times);
}

if (require.main === module) {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !(providers as readonly string[]).includes(name));
  if (unknown) throw new Error(`there is no provider ${unknown}; allowed are ${providers.join(", ")}`);
  void buildProviders(asked.length > 0 ? (asked as ProviderName[]) : providers);
}
