/** The programs the sandbox runs: installed, built or fetched once, and where they are. */
import { dirname, join } from "node:path";
import pLimit from "p-limit";
import { aws } from "./aws";
import { ensure, folderOf, missingResults, type Recipe, type Report } from "./cache";
import { envoy, envoyProgram } from "./envoy";
import { etcd, fakeGcsServer, kubectl, kubernetes, pulumi, vegeta } from "./go";
import { javaRuntimes } from "./jre";
import { cassandra, opensearch } from "./maven";
import { findOnPath } from "./on-path";
import { checkPrerequisites } from "./prerequisites";
import { officialPulumi } from "./pulumi";
import { python } from "./python";
import { seaweedfs } from "./seaweedfs";
import type { Tools } from "./tools";

export type { Tools } from "./tools";

/** Two at a time: while one waits for its downloads or links, on one core, another compiles. */
const AT_ONCE = 2;

/** The quick ones first, so that a missing network shows soon. */
const always: Recipe[] = [
  python,
  aws,
  seaweedfs,
  envoy,
  cassandra,
  opensearch,
  fakeGcsServer,
  vegeta,
  etcd,
  kubernetes,
  kubectl,
];

/** Installs and builds what is missing, reporting one line per tool, and says where everything is. */
export async function ensureTools(report: Report): Promise<Tools> {
  if (missingTools().length > 0) {
    await checkPrerequisites(report);
    const limit = pLimit(AT_ONCE);
    // What builds is let to end before the first failure is told: it is in the cache for the next try then.
    const built = await Promise.allSettled(recipes().map((recipe) => limit(() => ensureOne(recipe, report))));
    const failed = built.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }
  return loadTools();
}

/** Where everything is; throws with the list of what is missing. Builds nothing. */
export function loadTools(): Tools {
  const missing = missingTools();
  if (missing.length > 0) {
    throw new Error(`The sandbox lacks: ${missing.join("; ")}. Run 'make setup', which installs and builds them.`);
  }
  const official = officialPulumi();
  const java = javaRuntimes();
  const environment = folderOf(python);
  return {
    pulumi: official ?? join(folderOf(pulumi), "pulumi"),
    languageHost: official ? undefined : join(__dirname, "..", "engine", "bin"),
    etcd: join(folderOf(etcd), "server"),
    kubeApiserver: join(folderOf(kubernetes), "kube-apiserver"),
    kubeControllerManager: join(folderOf(kubernetes), "kube-controller-manager"),
    kubeScheduler: join(folderOf(kubernetes), "kube-scheduler"),
    fakeGcsServer: join(folderOf(fakeGcsServer), "fake-gcs-server"),
    seaweedfs: join(folderOf(seaweedfs), "bin/weed"),
    envoy: join(folderOf(envoy), envoyProgram),
    vegeta: join(folderOf(vegeta), "vegeta"),
    kubectl: join(folderOf(kubectl), "kubectl"),
    aws: folderOf(aws),
    bwrap: findOnPath("bwrap") ?? "",
    python: { home: environment, medusa: join(environment, "bin/medusa"), rclone: join(environment, "bin/rclone") },
    cassandra: {
      lib: join(folderOf(cassandra), "lib"),
      java: java.cassandra ?? "",
      keytool: join(dirname(java.cassandra ?? ""), "keytool"),
    },
    opensearch: { home: folderOf(opensearch), java: java.opensearch },
  };
}

/** What has to be in the cache on this machine. */
function recipes(): Recipe[] {
  return [...always, ...javaRuntimes().recipes, ...(officialPulumi() ? [] : [pulumi])];
}

function missingTools(): string[] {
  // The sandbox runs these itself; the other prerequisites are only needed for building.
  const programs = ["bwrap", "setpriv", "nsenter"].filter((program) => !findOnPath(program));
  if (!javaRuntimes().cassandra) programs.push("Java 17");
  const built = recipes().flatMap((recipe) => {
    const [first, ...more] = missingResults(recipe);
    return first ? [`${recipe.name} (${first}${more.length > 0 ? ` and ${more.length} more` : ""})`] : [];
  });
  return [...programs, ...built];
}

async function ensureOne(recipe: Recipe, report: Report): Promise<void> {
  if (missingResults(recipe).length === 0) return;
  report(`${recipe.name}: building`);
  const started = Date.now();
  await ensure(recipe, report);
  report(`${recipe.name}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
