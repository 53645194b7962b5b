/** What the metrics of StatefulSets tell during a fault, read from the API server as kube-state-metrics reads it. */
import { AppsV1Api } from "@kubernetes/client-node";
import { kubeConfig, type RegionOutput } from "../../drill/clusters";
import type { Signal } from "../fault";
import { pause } from "./run";

/** The StatefulSets of a namespace at a moment, in milliseconds since 1970. */
export interface Sample {
  at: number;
  sets: readonly { replicas: number; ready: number }[];
}

const EVERY_MS = 500;

/** The signal of replicas that were not ready. @throws when all of them always were: no alert would hear of the fault */
export function notReady(samples: readonly Sample[]): Signal & { kind: "metric" } {
  const lacking = samples.flatMap(({ at, sets }) =>
    sets.filter(({ replicas, ready }) => ready < replicas).map(({ ready }) => ({ at, ready })),
  );
  const [first, last] = [lacking[0], lacking.at(-1)];
  if (!first || !last)
    throw new Error(`every StatefulSet had all its replicas ready in each of ${samples.length} looks`);
  return {
    kind: "metric",
    name: "kube_statefulset_status_replicas_ready",
    value: Math.min(...lacking.map(({ ready }) => ready)),
    seconds: (last.at - first.at) / 1000,
  };
}

/** Does the work and looks at the namespace's StatefulSets meanwhile. A look that is not answered on a busy machine is left out. */
export async function whileSampling<T>(
  { kubeconfig }: RegionOutput,
  namespace: string,
  work: () => Promise<T>,
): Promise<{ result: T; samples: Sample[] }> {
  const apps = kubeConfig(kubeconfig).makeApiClient(AppsV1Api);
  const samples: Sample[] = [];
  const look = async () => {
    const { items } = await apps.listNamespacedStatefulSet({ namespace });
    const sets = items.map(({ spec, status }) => ({
      replicas: spec?.replicas ?? 1,
      ready: status?.readyReplicas ?? 0,
    }));
    samples.push({ at: Date.now(), sets });
  };
  let ended = false;
  const looking = (async () => {
    for (; !ended; await pause(EVERY_MS)) await look().catch(() => undefined);
  })();
  try {
    const result = await work();
    return { result, samples };
  } finally {
    ended = true;
    await looking;
  }
}
