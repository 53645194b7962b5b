/** The programs the sandbox runs: installed, built or fetched once, and where they are. */
import { join } from "node:path";
import { ensure, folderOf, missingResults, type Recipe, type Report } from "./cache";
import { etcd, fakeGcsServer, kubernetes, pulumi } from "./go";
import { findJdks, java17, java21 } from "./jdk";
import { cassandra, opensearch } from "./maven";
import { checkPrerequisites, findOnPath } from "./prerequisites";
import { officialPulumi } from "./pulumi";
import { python } from "./python";
import type { Tools } from "./tools";

export type { Tools } from "./tools";

/** The quick ones first, so that a missing network shows soon. */
const always: Recipe[] = [python, cassandra, opensearch, fakeGcsServer, etcd, kubernetes];

/** What has to be in the cache on this machine. */
function recipes(): Recipe[] {
  return officialPulumi() ? always : [...always, pulumi];
}

/** Installs and builds what is missing, reporting one line per tool, and says where everything is. */
export async function ensureTools(report: Report): Promise<Tools> {
  await checkPrerequisites(report);
  for (const recipe of recipes()) {
    const started = Date.now();
    if (missingResults(recipe).length > 0) report(`${recipe.name}: building`);
    const built = await ensure(recipe, report);
    report(
      built ? `${recipe.name}: ready after ${Math.round((Date.now() - started) / 1000)} s` : `${recipe.name}: ready`,
    );
  }
  return loadTools();
}

/** Where everything is; throws with the list of what is missing. Builds nothing. */
export function loadTools(): Tools {
  const missing = recipes().flatMap((recipe) => {
    const [first, ...more] = missingResults(recipe);
    return first ? [`${recipe.name} (${first}${more.length > 0 ? ` and ${more.length} more` : ""})`] : [];
  });
  const need = (path: string | undefined, name: string): string => {
    if (!path) missing.push(name);
    return path ?? "";
  };
  const official = officialPulumi();
  const jdks = findJdks();
  const environment = folderOf(python);
  const tools: Tools = {
    pulumi: official ?? join(folderOf(pulumi), "pulumi"),
    languageHost: official ? undefined : join(__dirname, "..", "engine", "bin"),
    etcd: join(folderOf(etcd), "server"),
    kubeApiserver: join(folderOf(kubernetes), "kube-apiserver"),
    kubeControllerManager: join(folderOf(kubernetes), "kube-controller-manager"),
    kubeScheduler: join(folderOf(kubernetes), "kube-scheduler"),
    fakeGcsServer: join(folderOf(fakeGcsServer), "fake-gcs-server"),
    bwrap: need(findOnPath("bwrap"), "bwrap (bubblewrap)"),
    python: { home: environment, medusa: join(environment, "bin/medusa"), rclone: join(environment, "bin/rclone") },
    cassandra: { lib: join(folderOf(cassandra), "lib"), java: need(java17(jdks), "a Java runtime of version 17") },
    opensearch: { home: folderOf(opensearch), java: need(java21(jdks), "a Java runtime of version 21 or later") },
  };
  if (missing.length > 0) {
    throw new Error(`The sandbox lacks: ${missing.join("; ")}. Run 'make setup', which installs and builds them.`);
  }
  return tools;
}
