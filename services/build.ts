/** `npm run build:services`: the one file that the image holds beside Node. */
import { join } from "node:path";
import { build } from "esbuild";

void build({
  entryPoints: [join(__dirname, "app", "index.ts")],
  outfile: join(__dirname, "..", "dist", "services", "services.js"),
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  // Optional native part of cassandra-driver: it works without.
  external: ["kerberos"],
  logLevel: "warning",
});
