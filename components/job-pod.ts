import { type Input, Output } from "@pulumi/pulumi";
import { CONFIG_VARIABLE, type JobCommand, type JobInput, jobConfig, jobRules } from "../jobs/config";
import { elasticsearchService, namespaces, secrets } from "../plan/names";
import { jobContainer } from "../plan/sizing";
import { accessVolume } from "./access-volume";
import { restrictedContainer, restrictedPod } from "./pod-security";

/** Arguments of {@link jobPod}. */
export interface JobPodArgs<C extends JobCommand> {
  command: C;
  /** What only the cloud can tell makes all of it an output. */
  config: JobInput<C> | Output<JobInput<C>>;
  /** Image reference with digest. */
  image: string;
  /** Kubernetes service account. */
  serviceAccount: string;
  /** Secrets mounted read-only: mount path -> Secret name. */
  mounts?: Record<string, string>;
  /** On AWS: the region of its buckets. */
  awsRegion?: string;
  /** On AWS: how the account is let in at Google (components/aws/google-access.ts). */
  google?: { configMap: string; audience: string };
}

/** Where the jobs expect mounted Secrets. */
export const mounts = {
  elasticsearch: {
    "/var/run/elasticsearch/user": secrets.elasticUser,
    "/var/run/elasticsearch/certs": secrets.elasticCertificates,
  },
  cassandra: { "/var/run/cassandra/superuser": secrets.cassandraSuperuser },
};

/** In-cluster address of the region's Elasticsearch. */
export const elasticsearchUrl = `https://${elasticsearchService.name}.${namespaces.elasticsearch}.svc:${elasticsearchService.port}`;

/** Where a pod on AWS finds how it is let in at Google, and the files there. */
export const googleFolder = "/var/run/google";
export const credentialsFile = "credentials.json";
export const tokenFile = "token";

/** Seconds a job keeps for reporting before Kubernetes ends it. */
export const reportSeconds = 300;

function checked<C extends JobCommand>(command: C, config: JobInput<C> | Output<JobInput<C>>): Input<string> {
  // As an output only where it has to be: what is wrong shows before anything is created.
  return Output.isInstance(config)
    ? config.apply((known) => jobConfig(command, known as JobInput<C>))
    : jobConfig(command, config as JobInput<C>);
}

/** A mount of a container. */
export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

/** Container of a `dr-jobs` command, fit for the restricted Pod Security Standard. */
export function jobContainerOf<C extends JobCommand>({
  command,
  config,
  image,
  env = [],
  volumeMounts,
}: Pick<JobPodArgs<C>, "command" | "config" | "image"> & {
  env?: { name: string; value: string }[];
  volumeMounts: VolumeMount[];
}) {
  return {
    name: command,
    image,
    args: [command],
    env: [{ name: CONFIG_VARIABLE, value: checked(command, config) }, ...env],
    resources: {
      requests: { cpu: jobContainer.cpuRequest, memory: jobContainer.memoryRequest },
      limits: { memory: jobContainer.memoryLimit },
    },
    securityContext: restrictedContainer,
    volumeMounts,
  };
}

/**
 * Pod template of a `dr-jobs` command, fit for the restricted Pod Security Standard. The Kubernetes API token is
 * mounted only for commands that use the API.
 */
export function jobPod<C extends JobCommand>(args: JobPodArgs<C>) {
  const { command, config, image, serviceAccount, mounts = {}, awsRegion, google } = args;
  const secretMounts = Object.entries(mounts).map(([mountPath, secretName]) => ({ mountPath, secretName }));
  return {
    metadata: { labels: { "app.kubernetes.io/name": "dr-jobs", "app.kubernetes.io/component": command } },
    spec: {
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: jobRules[command] !== undefined,
      restartPolicy: "Never",
      securityContext: restrictedPod,
      containers: [
        jobContainerOf({
          command,
          config,
          image,
          env: [
            ...(awsRegion ? [{ name: "AWS_REGION", value: awsRegion }] : []),
            ...(google
              ? [{ name: "GOOGLE_APPLICATION_CREDENTIALS", value: `${googleFolder}/${credentialsFile}` }]
              : []),
          ],
          volumeMounts: [
            { name: "scratch", mountPath: "/tmp" },
            ...(google ? [{ name: "google", mountPath: googleFolder, readOnly: true }] : []),
            ...secretMounts.map(({ mountPath, secretName }) => ({ name: secretName, mountPath, readOnly: true })),
          ],
        }),
      ],
      volumes: [
        { name: "scratch", emptyDir: { sizeLimit: jobContainer.scratch } },
        ...(google
          ? [accessVolume("google", google.configMap, { audience: `https:${google.audience}`, path: tokenFile })]
          : []),
        ...secretMounts.map(({ secretName }) => ({ name: secretName, secret: { secretName, defaultMode: 0o440 } })),
      ],
    },
  };
}
