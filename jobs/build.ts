/** Bundles the jobs into one file: `npm run build:jobs`. The image holds Node, rclone and this file. */
import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** Bundle relative to the repository's root. */
const bundle = "dist/jobs/dr-jobs.js";

async function main(): Promise<void> {
  const root = dirname(__dirname);
  const outfile = join(root, bundle);
  await build({
    absWorkingDir: root,
    entryPoints: ["jobs/index.ts"],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minifySyntax: true,
    // Optional native parts of cassandra-driver: it works without.
    external: ["kerberos"],
    logLevel: "warning",
    banner: { js: "#!/usr/bin/env node" },
  });
  await chmod(outfile, 0o755);
}

void main();
