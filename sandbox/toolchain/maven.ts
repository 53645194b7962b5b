/** Cassandra and OpenSearch from their published jars. SHA256SUMS beside each pom locks what it resolves to. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";

const poms = join(manifests, "maven");

/** Each plugin of OpenSearch, by the Maven module that resolves it, and where the server looks for it. */
const plugins = { "transport-netty4": "modules", "repository-gcs": "plugins", "repository-s3": "plugins" };

/** Native libraries for machines on which the sandbox does not run. */
const foreign = ["osx-x86_64", "osx-aarch_64", "windows-x86_64", "linux-riscv64"].join(",");

/** Cassandra's jars in `lib`. */
export const cassandra: Recipe = {
  name: "cassandra",
  inputs: ["pom.xml", "SHA256SUMS"].map((file) => join(poms, "cassandra", file)),
  flags: `runtime without ${foreign}`,
  results: lockedFiles("cassandra"),
  async build(folder) {
    const jars = await resolve("cassandra", join(folder, "resolved"));
    await rename(join(jars, "cassandra"), join(folder, "lib"));
    await rm(jars, { recursive: true });
    await verify("cassandra", folder);
  },
};

/** OpenSearch's home folder: the server in `lib`, plugins with their descriptors in `modules` and `plugins`. */
export const opensearch: Recipe = {
  name: "opensearch",
  inputs: [
    ...["pom.xml", "SHA256SUMS"].map((file) => join(poms, "opensearch", file)),
    ...Object.keys(plugins).flatMap((plugin) =>
      ["pom.xml", "plugin-descriptor.properties"].map((file) => join(poms, "opensearch", plugin, file)),
    ),
  ],
  flags: `runtime without ${foreign}`,
  results: [
    ...lockedFiles("opensearch"),
    ...Object.entries(plugins).map(([plugin, kind]) => join(kind, plugin, "plugin-descriptor.properties")),
  ],
  async build(folder) {
    const jars = await resolve("opensearch", join(folder, "resolved"));
    for (const name of ["bin", "config", "extensions", "modules", "plugins"]) await mkdir(join(folder, name));
    await rename(join(jars, "opensearch"), join(folder, "lib"));
    for (const [plugin, kind] of Object.entries(plugins)) {
      const home = join(folder, kind, plugin);
      await mkdir(home);
      for (const jar of await readdir(join(jars, plugin))) {
        // A plugin's class loader sees the server's jars; a second copy beside it stops the server ("jar hell").
        if (!existsSync(join(folder, "lib", jar))) await rename(join(jars, plugin, jar), join(home, jar));
      }
      const descriptor = "plugin-descriptor.properties";
      await copyFile(join(poms, "opensearch", plugin, descriptor), join(home, descriptor));
    }
    await rm(jars, { recursive: true });
    await verify("opensearch", folder);
  },
};

/** Lets Maven copy the runtime dependencies of a pom and of its modules to `jars`/<module>. */
async function resolve(name: string, jars: string): Promise<string> {
  // A copy of the poms, because Maven leaves working files beside them.
  const project = await mkdtemp(join(tmpdir(), "toolchain-maven-"));
  try {
    await cp(join(poms, name), project, { recursive: true });
    await command(
      "mvn",
      [
        ...["--batch-mode", "--quiet", "dependency:copy-dependencies"],
        ...[
          "-DincludeScope=runtime",
          `-DexcludeClassifiers=${foreign}`,
          `-DoutputDirectory=${jars}/\${project.artifactId}`,
        ],
      ],
      { cwd: project },
    );
  } finally {
    await rm(project, { recursive: true, force: true });
  }
  return jars;
}

/** Fails unless the jars below `folder` are exactly those of SHA256SUMS. */
async function verify(name: string, folder: string): Promise<void> {
  const locked = lockOf(name);
  const problems: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".jar")) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(folder, path);
    const expected = locked.get(file);
    const actual = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    if (!expected) problems.push(`${file} is not in the list`);
    else if (expected !== actual) problems.push(`${file} has ${actual} instead of ${expected}`);
    locked.delete(file);
  }
  problems.push(...[...locked.keys()].map((file) => `${file} was not resolved`));
  if (problems.length === 0) return;
  const list = join(poms, name, "SHA256SUMS");
  throw new Error(
    `The jars that Maven resolved for ${name} are not those locked in ${list}:\n  ${problems.join("\n  ")}\n` +
      `After a deliberate change of the pom: (cd ${folder} && sha256sum */*.jar */*/*.jar) > ${list}`,
  );
}

/** SHA256SUMS as a map from the file, relative to the result's folder, to its sum. */
function lockOf(name: string): Map<string, string> {
  const lines = readFileSync(join(poms, name, "SHA256SUMS"), "utf8")
    .trim()
    .split("\n");
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

function lockedFiles(name: string): string[] {
  return [...lockOf(name).keys()];
}
