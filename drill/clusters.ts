/** The drill's hands in a cluster: the same kubeconfig and API that an operator uses, nothing of the sandbox. */
import { AppsV1Api, BatchV1Api, CoreV1Api, KubeConfig, setHeaderOptions, type V1Job } from "@kubernetes/client-node";

/** A region of a deployed site as its stack outputs name it. */
export interface RegionOutput {
  name: string;
  datacenter: string;
  kubeconfig: string;
}

export function kubeConfig(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return config;
}

/**
 * Runs a CronJob now, as `kubectl create job --from=cronjob/NAME` does, and waits for its end.
 *
 * @returns seconds it took
 * @throws when the Job fails or does not end in time, with the last words of its pod
 */
export async function runCronJob(
  config: KubeConfig,
  namespace: string,
  name: string,
  timeoutSeconds = 1500,
): Promise<number> {
  const batch = config.makeApiClient(BatchV1Api);
  const cronJob = await batch.readNamespacedCronJob({ namespace, name });
  const template = cronJob.spec?.jobTemplate;
  if (!template?.spec) throw new Error(`CronJob ${namespace}/${name} has no job template`);
  const job: V1Job = {
    metadata: {
      name: `${name}-${Date.now().toString(36)}`,
      labels: template.metadata?.labels,
      annotations: { ...template.metadata?.annotations, "cronjob.kubernetes.io/instantiate": "manual" },
    },
    spec: template.spec,
  };
  const created = await batch.createNamespacedJob({ namespace, body: job });
  return jobEnds(config, namespace, created.metadata?.name ?? "", timeoutSeconds);
}

/**
 * Waits for the end of a Job.
 *
 * @returns seconds it took from now
 * @throws when it fails or does not end in time, with the last words of its pod
 */
export async function jobEnds(
  config: KubeConfig,
  namespace: string,
  jobName: string,
  timeoutSeconds: number,
): Promise<number> {
  const batch = config.makeApiClient(BatchV1Api);
  const started = Date.now();
  while (Date.now() - started < timeoutSeconds * 1000) {
    const status = (await batch.readNamespacedJobStatus({ namespace, name: jobName })).status;
    if (status?.succeeded) return (Date.now() - started) / 1000;
    const failed = status?.conditions?.find((condition) => condition.type === "Failed" && condition.status === "True");
    if (failed)
      throw new Error(
        `Job ${namespace}/${jobName} failed: ${failed.message}. ${await lastWords(config, namespace, jobName)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(
    `Job ${namespace}/${jobName} did not end within ${timeoutSeconds} s. ${await lastWords(config, namespace, jobName)}`,
  );
}

/** Scales every Deployment of a namespace, as `kubectl scale deployment --all` does. */
export async function scaleAll(kubeconfig: string, namespace: string, replicas: number): Promise<void> {
  const apps = kubeConfig(kubeconfig).makeApiClient(AppsV1Api);
  for (const { metadata } of (await apps.listNamespacedDeployment({ namespace })).items)
    await apps.patchNamespacedDeploymentScale(
      { namespace, name: metadata?.name ?? "", body: { spec: { replicas } } },
      setHeaderOptions("Content-Type", "application/merge-patch+json"),
    );
}

/** Addresses of the ready pods behind a label selector. */
export async function readyPodIPs(config: KubeConfig, namespace: string, labelSelector: string): Promise<string[]> {
  const pods = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  return pods.items
    .filter((pod) =>
      pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
    )
    .map((pod) => pod.status?.podIP)
    .filter((address): address is string => address !== undefined);
}

/** A key of a Secret, decoded. */
export async function readSecret(config: KubeConfig, namespace: string, name: string, key: string): Promise<string> {
  const secret = await config.makeApiClient(CoreV1Api).readNamespacedSecret({ namespace, name });
  const value = secret.data?.[key];
  if (value === undefined)
    throw new Error(`Secret ${namespace}/${name} has no key ${key}; it has ${Object.keys(secret.data ?? {})}`);
  return Buffer.from(value, "base64").toString("utf8");
}

/** Last words of a Job's pods. */
async function lastWords(config: KubeConfig, namespace: string, job: string): Promise<string> {
  const pods = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace, labelSelector: `batch.kubernetes.io/job-name=${job}` });
  return pods.items
    .flatMap((pod) => pod.status?.containerStatuses ?? [])
    .map((status) => status.state?.terminated?.message ?? status.state?.waiting?.message ?? "")
    .filter(Boolean)
    .join("\n");
}
