/** The night, run now: every CronJob that the stacks declared for it, in the plan's order, from its own template. */
import { BatchV1Api } from "@kubernetes/client-node";
import { namespaces } from "../plan/names";
import { kubeConfig, type RegionOutput, runCronJob } from "./clusters";
import type { Progress } from "./workspace";

interface Scheduled {
  kubeconfig: string;
  namespace: string;
  name: string;
  schedule: string;
}

/**
 * Runs the snapshots of all regions at once, then what the vault replicates: backups and media.
 *
 * @throws when a stack declares no CronJob, or one of them fails
 */
export async function runNight(regions: RegionOutput[], vaultKubeconfig: string, progress: Progress): Promise<void> {
  const snapshots = (await Promise.all(regions.map((region) => cronJobs(region.kubeconfig)))).flat();
  if (snapshots.length < 2 * regions.length) {
    throw new Error(
      `expected a Cassandra and an Elasticsearch snapshot in each region, found ${snapshots.map(({ name }) => name)}`,
    );
  }
  await Promise.all(snapshots.map((job) => start(job, progress)));
  // Verifications are weekly, and take as long as the rest of the night: the drill runs some of them by themselves.
  const copies = (await cronJobs(vaultKubeconfig)).filter(({ name }) => !name.startsWith("verify-"));
  if (copies.length === 0) throw new Error("the vault declares no CronJob that replicates");
  for (const job of copies) await start(job, progress);
}

/** Runs a cluster's CronJobs whose names match, one after the other. @throws when there is none, or one fails */
export async function runJobs(kubeconfig: string, names: RegExp, progress: Progress): Promise<void> {
  const jobs = (await cronJobs(kubeconfig)).filter(({ name }) => names.test(name));
  if (jobs.length === 0) throw new Error(`the cluster declares no CronJob like ${names}`);
  for (const job of jobs) await start(job, progress);
}

/** Runs one of the vault's CronJobs now. @throws when it fails, with its last words */
export async function runVaultJob(vaultKubeconfig: string, name: string): Promise<void> {
  await runCronJob(kubeConfig(vaultKubeconfig), namespaces.dr, name);
}

async function cronJobs(kubeconfig: string): Promise<Scheduled[]> {
  const list = await kubeConfig(kubeconfig).makeApiClient(BatchV1Api).listCronJobForAllNamespaces();
  return list.items.map((item) => ({
    kubeconfig,
    namespace: item.metadata?.namespace ?? "",
    name: item.metadata?.name ?? "",
    schedule: item.spec?.schedule ?? "",
  }));
}

async function start({ kubeconfig, namespace, name, schedule }: Scheduled, progress: Progress): Promise<void> {
  const seconds = await runCronJob(kubeConfig(kubeconfig), namespace, name);
  progress(`${namespace}/${name} (${schedule}) ${seconds.toFixed(1)} s`);
}
