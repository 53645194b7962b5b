/** Starts a cluster's stand-in operators when their charts are released, and stops them with the release or the cluster. */
import { gunzipSync } from "node:zlib";
import { CoreV1Api, setHeaderOptions, type V1Secret } from "@kubernetes/client-node";
import { kubeConfigOf } from "../lib/kube-config";
import { logger } from "../lib/log";
import type { NodeAgent, Operator, OperatorContext, Props, RunningCluster } from "../lib/types";
import { type Watched, watchAll } from "../nodes/watch";

/** Set on a release's Secret once its operator runs; a release that waits for its pods waits for this. */
export const OPERATOR_ANNOTATION = "meta.sandbox/operator";

const RELEASE_TYPE = "helm.sh/release.v1";

export class OperatorManager {
  constructor(private readonly operators: readonly Operator[]) {}

  /** Serves one cluster until stopped. */
  async attach(
    cluster: RunningCluster,
    agent: NodeAgent,
    resolve: (host: string) => string[],
  ): Promise<{ stop(): Promise<void> }> {
    const log = logger(`operators of ${cluster.spec.name}`);
    const config = kubeConfigOf(cluster.adminKubeconfig);
    const core = config.makeApiClient(CoreV1Api);
    const running = new Map<string, Promise<{ stop(): Promise<void> }>>();

    const begin = async (release: Release): Promise<{ stop(): Promise<void> }> => {
      const operator = this.operators.find(({ charts }) => charts.includes(release.chart));
      if (!operator) return { stop: async () => undefined };
      const started = await operator.start({
        cluster,
        agent,
        release,
        resolve,
        log: (message) => log(`${release.chart}: ${message}`),
      });
      return started;
    };

    const announce = async (secret: V1Secret): Promise<void> => {
      if (secret.metadata?.annotations?.[OPERATOR_ANNOTATION] === "running") return;
      await core.patchNamespacedSecret(
        {
          namespace: secret.metadata?.namespace ?? "",
          name: secret.metadata?.name ?? "",
          body: { metadata: { annotations: { [OPERATOR_ANNOTATION]: "running" } } },
        },
        setHeaderOptions("Content-Type", "application/merge-patch+json"),
      );
    };

    const secrets: Watched<V1Secret> = await watchAll<V1Secret>(
      config,
      "/api/v1/secrets",
      () => core.listSecretForAllNamespaces({ labelSelector: "owner=helm" }),
      (secret, gone) => {
        if (secret.type !== RELEASE_TYPE) return;
        const release = readRelease(secret);
        const key = `${release.namespace}/${release.name}`;
        if (gone) {
          // An upgrade trims old revisions; the release is gone with its last one.
          if (
            secrets.list().some((other) => other.type === RELEASE_TYPE && other.metadata?.labels?.name === release.name)
          )
            return;
          const current = running.get(key);
          running.delete(key);
          void current?.then((operator) => operator.stop());
          return;
        }
        const started = running.get(key) ?? begin(release);
        running.set(key, started);
        started
          .then(() => announce(secret))
          .catch((error: Error) => {
            log(`${key} did not start: ${error.message}`);
            running.delete(key);
          });
      },
    );
    return {
      stop: async () => {
        await secrets.stop();
        const started = await Promise.allSettled(running.values());
        running.clear();
        await Promise.all(started.map((each) => (each.status === "fulfilled" ? each.value.stop() : undefined)));
      },
    };
  }
}

type Release = OperatorContext["release"];

/** A release as Helm stores it: gzipped JSON, base64 within the Secret's base64. */
export function readRelease(secret: V1Secret): Release {
  const stored = Buffer.from(secret.data?.release ?? "", "base64").toString("utf8");
  const release = JSON.parse(gunzipSync(Buffer.from(stored, "base64")).toString("utf8")) as {
    name: string;
    namespace: string;
    chart: { metadata: { name: string; version: string } };
    config?: Props;
  };
  return {
    namespace: release.namespace,
    name: release.name,
    chart: release.chart.metadata.name,
    version: release.chart.metadata.version,
    values: release.config ?? {},
  };
}
