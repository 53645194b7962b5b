/** The point of recovery: what the canaries of a site say before it is lost, and what its restore found of them. */
import { CoreV1Api } from "@kubernetes/client-node";
import { canary, canaryMetric, canaryStores } from "../plan/canary";
import { namespaces } from "../plan/names";
import { kubeConfig, type RegionOutput, readyPodIPs } from "./clusters";
import { samples } from "./freshness";
import type { Progress } from "./workspace";

/**
 * When the stores of a site took their newest canary, by what its pods serve.
 * @throws when a store of a region has taken none
 */
export async function newestWritten(regions: RegionOutput[], progress: Progress): Promise<Date> {
  let newest = 0;
  for (const { name, datacenter, kubeconfig } of regions) {
    const config = kubeConfig(kubeconfig);
    const [address] = await readyPodIPs(config, namespaces.dr, "app.kubernetes.io/component=canary");
    if (address === undefined) throw new Error(`no pod writes canaries in ${name}`);
    const response = await fetch(`http://${address}:${canary.port}/metrics`);
    const found = samples(await response.text()).filter((sample) => sample.name === canaryMetric);
    for (const store of canaryStores) {
      const sample = found.find(({ labels }) => labels.store === store && labels.datacenter === datacenter);
      if (!sample?.value) throw new Error(`${store} in ${name} has taken no canary`);
      progress(`${name}: ${store} took one ${Math.round(Date.now() / 1000 - sample.value)} s ago`);
      newest = Math.max(newest, sample.value);
    }
  }
  // Seconds with a fraction: their product may lie a little below the millisecond.
  return new Date(Math.round(newest * 1000));
}

/**
 * The moment up to which every store of every region has its writes, by the last words of the Jobs that restored them.
 * @throws when a store came back without a canary
 */
export async function newestRestored(regions: RegionOutput[], progress: Progress): Promise<Date> {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { name, kubeconfig } of regions) {
    for (const store of canaryStores) {
      const found = await reported(kubeconfig, namespaces[store], `restore-${store}`);
      if (found === undefined) throw new Error(`${store} in ${name} came back without a canary: its age is unknown`);
      progress(`${name}: ${store} has what was written until ${found}`);
      oldest = Math.min(oldest, Date.parse(found));
    }
  }
  return new Date(oldest);
}

/** What is known of a site's canaries before it is lost. */
export interface Written {
  /** The newest that a store took; see {@link newestWritten}. */
  newest: Date;
  /** When the backup had ended from which the site comes back. */
  backedUp: Date;
}

/**
 * RPO in seconds: how much of what was written before the loss did not come back.
 * @param lostAt milliseconds since the epoch
 * @throws when what came back was written after the backup: it is no canary of the lost site
 */
export function pointOfRecovery(restored: Date, { newest, backedUp }: Written, lostAt: number): number {
  // A loss soon after the backup may come before the next canary: the newest that was written is then in the backup.
  if (restored > newest || restored > backedUp)
    throw new Error(
      `what came back was written until ${restored.toISOString()}, after the backup (ended ${backedUp.toISOString()}) or the lost site's newest canary (${newest.toISOString()}): it is none of the lost site's`,
    );
  return (lostAt - restored.getTime()) / 1000;
}

/** Field `newestCanary` of the summary that a restore's succeeded pod left in its status. */
async function reported(kubeconfig: string, namespace: string, command: string): Promise<string | undefined> {
  const core = kubeConfig(kubeconfig).makeApiClient(CoreV1Api);
  const { items } = await core.listNamespacedPod({
    namespace,
    labelSelector: `app.kubernetes.io/component=${command}`,
  });
  const messages = items
    .filter(({ status }) => status?.phase === "Succeeded")
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .flatMap(({ state }) => state?.terminated?.message ?? []);
  const { newestCanary } = JSON.parse(messages.at(-1) ?? "{}") as { newestCanary?: string | null };
  return newestCanary ?? undefined;
}
