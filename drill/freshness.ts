/** What the vault's exporter says after the night: every repository and its copy is fresh, by the plan's own limits. */
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api } from "@kubernetes/client-node";
import { freshnessPort, lateAfterSeconds, metrics } from "../plan/freshness";
import { parseRepository } from "../plan/layout";
import { namespaces } from "../plan/names";
import { kubeConfig, readyPodIPs } from "./clusters";
import type { Progress } from "./workspace";

const SELECTOR = "app.kubernetes.io/component=freshness";
/** How old the exporter's last look may be. */
const LOOK_SECONDS = 60;
/** How long a pod may take to come back and look at everything. */
const TIMEOUT_MS = 300_000;

/** One sample of a metric. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of Prometheus' text format; comments are left out. */
export function samples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, inner = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined) return [];
    const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, label]) => [key!, label!]);
    return [{ name, labels: Object.fromEntries(labels), value: Number(value) }];
  });
}

/** Why what was scraped is not fresh: what is late, and what should be there and is not. */
export function staleness(found: Sample[], site: string, repositories: string[], now: Date): string[] {
  const age = (metric: string, labels: Record<string, string>) => {
    const sample = found.find(
      ({ name, labels: has }) => name === metric && Object.entries(labels).every(([key, value]) => has[key] === value),
    );
    return sample && now.getTime() / 1000 - sample.value;
  };
  const problem = (what: string, seconds: number | undefined, limit: number) => {
    if (seconds === undefined) return [`${what} is not measured`];
    return seconds > limit ? [`${what} is ${Math.round(seconds)} s old, ${limit} s are allowed`] : [];
  };
  return [
    ...repositories.flatMap((repository) => {
      const { kind } = parseRepository(repository);
      const limit = lateAfterSeconds(kind === "cassandra" ? "cassandraSnapshot" : "elasticsearchSnapshot");
      return problem(repository, age(metrics.backup, { site, repository }), limit);
    }),
    ...repositories.flatMap((repository) =>
      problem(`the copy of ${repository}`, age(metrics.copy, { site, repository }), lateAfterSeconds("replication")),
    ),
    ...problem(`the look at ${site}`, age(metrics.looked, { site }), LOOK_SECONDS),
  ];
}

/**
 * Starts the exporter anew, which makes it look at once, and scrapes it until everything is fresh.
 * @throws naming what is not
 */
export async function expectFresh(
  vaultKubeconfig: string,
  site: string,
  repositories: string[],
  progress: Progress,
): Promise<void> {
  const config = kubeConfig(vaultKubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = namespaces.dr;
  const old = new Set(
    (await core.listNamespacedPod({ namespace, labelSelector: SELECTOR })).items.map(({ metadata }) => metadata?.uid),
  );
  if (old.size === 0) throw new Error(`the vault runs no exporter (${SELECTOR} in namespace ${namespace})`);
  await core.deleteCollectionNamespacedPod({ namespace, labelSelector: SELECTOR });
  const gone = async () => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: SELECTOR });
    return items.every(({ metadata }) => !old.has(metadata?.uid));
  };
  let problems = ["the exporter did not come back"];
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; await sleep(500)) {
    if (!(await gone())) continue;
    const [address] = await readyPodIPs(config, namespace, SELECTOR);
    if (address === undefined) continue;
    const response = await fetch(`http://${address}:${freshnessPort}/metrics`).catch(() => undefined);
    if (!response?.ok) continue;
    problems = staleness(samples(await response.text()), site, repositories, new Date());
    if (problems.length === 0) {
      progress(`${repositories.length} repositories and their copies are fresh`);
      return;
    }
  }
  throw new Error(`after the night ${problems.join("; ")}`);
}
