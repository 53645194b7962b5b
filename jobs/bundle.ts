import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** Where `npm run build:jobs` puts the bundle, relative to the repository's root. */
export const BUNDLE = "dist/jobs/dr-jobs.js";

/** Bundles the jobs with all they import into one executable file for Node 20. */
export async function bundleJobs(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(__dirname, "index.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    // Optional native part of cassandra-driver: it works without.
    external: ["kerberos"],
    logLevel: "warning",
    banner: { js: "#!/usr/bin/env node" },
  });
  await chmod(outfile, 0o755);
}
