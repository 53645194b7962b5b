import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Input, output } from "@pulumi/pulumi";
import { images, mirrored } from "../plan/images";
import { type BackupKind, parseRepository } from "../plan/layout";
import { namespaces, verificationJobName } from "../plan/names";
import type { Schedule } from "../plan/schedules";
import { pools, verificationServers } from "../plan/sizing";
import { onPool } from "./cluster";
import { cronJob } from "./cron-job";
import type { GkeCluster } from "./gke-cluster";
import { jobPod, reportSeconds } from "./job-pod";
import { restrictedContainer } from "./pod-security";
import type { ReplicatedSite } from "./replication";

/** Arguments of {@link Verification}. */
export interface VerificationArgs {
  cluster: GkeCluster;
  copiesBucket: string;
  /** Sites whose copies are verified, every repository of each. */
  sites: ReplicatedSite[];
  /** Image of the jobs, by digest. */
  image: string;
  /** Repository that mirrors everybody else's images. */
  mirror: string;
  /** Public keys that markers may be signed with. */
  markerKeys: Input<string[]>;
  schedule: Schedule;
}

/**
 * Deep verification (S2, S8): each week the newest second copy of every repository is restored into a throwaway server beside
 * the job and read in full. What was found is left as evidence. Nothing outside the pod is touched.
 */
export class Verification extends ComponentResource {
  constructor(name: string, args: VerificationArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Verification", name, {}, opts);
    for (const site of args.sites) {
      for (const repository of site.repositories) {
        new k8s.batch.v1.CronJob(
          `${name}-${site.name}-${repository}`,
          cronJob({
            name: verificationJobName(site.name, repository),
            namespace: namespaces.dr,
            schedule: args.schedule,
            suspend: false,
            pod: verificationPod(site.name, repository, args),
          }),
          args.cluster.inside(this),
        );
      }
    }
    this.registerOutputs({});
  }
}

const work = "/work";

/** The pod of one repository: the job, and the throwaway server as a sidecar that ends with it. */
export function verificationPod(
  site: string,
  repository: string,
  {
    copiesBucket,
    image,
    mirror,
    markerKeys,
    schedule,
  }: Pick<VerificationArgs, "copiesBucket" | "image" | "mirror" | "markerKeys" | "schedule">,
) {
  const { kind } = parseRepository(repository);
  const { metadata, spec } = jobPod({
    command: "verify-copy",
    image,
    serviceAccount: "verifier",
    config: output(markerKeys).apply((keys) => ({
      site,
      repository,
      copiesBucket,
      markerKeys: keys,
      work,
      // What was found until then is still written down, before the Job's deadline ends the pod.
      timeoutSeconds: schedule.activeDeadlineSeconds - reportSeconds,
    })),
  });
  return {
    metadata,
    spec: {
      ...spec,
      ...onPool(pools.verification),
      initContainers: [{ ...servers[kind](mirror), restartPolicy: "Always" }],
      containers: spec.containers.map((container) => ({
        ...container,
        env: [...container.env, podIp],
        volumeMounts: [...container.volumeMounts, { name: "work", mountPath: work }],
      })),
      volumes: [
        ...spec.volumes,
        {
          name: "work",
          ephemeral: {
            volumeClaimTemplate: {
              spec: {
                accessModes: ["ReadWriteOnce"],
                // GKE's own class: what is on it is a copy, and goes with the pod.
                storageClassName: "premium-rwo",
                resources: { requests: { storage: verificationServers[kind].volume } },
              },
            },
          },
        },
      ],
    },
  };
}

const podIp = { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };

/** Runs the server while the job's file is there, so that each node of a backup starts from nothing. */
const cassandraLoop = `set -u
while true; do
  if [ -f ${work}/run ]; then
    cp -rn /opt/cassandra/conf/. ${work}/conf/
    /opt/cassandra/bin/cassandra -f >${work}/server.log 2>&1 &
    server=$!
    while [ -f ${work}/run ] && kill -0 "$server" 2>/dev/null; do sleep 1; done
    kill "$server" 2>/dev/null
    wait "$server"
    rm -f ${work}/run
    touch ${work}/stopped
  fi
  sleep 1
done`;

const resources = (kind: BackupKind) => ({
  requests: { cpu: verificationServers[kind].cpu, memory: verificationServers[kind].memory },
  limits: { memory: verificationServers[kind].memory },
});

const servers: Record<BackupKind, (mirror: string) => k8s.types.input.core.v1.Container> = {
  cassandra: (mirror) => ({
    name: "cassandra",
    image: mirrored(mirror, images.cassandra),
    // Without the management API that the image starts by itself: nobody manages this one.
    command: ["sh", "-c", cassandraLoop],
    env: [
      { name: "CASSANDRA_CONF", value: `${work}/conf` },
      { name: "CASSANDRA_LOG_DIR", value: `${work}/logs` },
      { name: "MAX_HEAP_SIZE", value: verificationServers.cassandra.heap },
      { name: "HEAP_NEWSIZE", value: "800M" },
    ],
    resources: resources("cassandra"),
    securityContext: restrictedContainer,
    volumeMounts: [
      { name: "work", mountPath: work },
      { name: "scratch", mountPath: "/tmp" },
    ],
  }),
  elasticsearch: (mirror) => ({
    name: "elasticsearch",
    image: mirrored(mirror, images.elasticsearch),
    env: [
      podIp,
      { name: "discovery.type", value: "single-node" },
      { name: "network.host", value: "$(POD_IP)" },
      { name: "http.port", value: "9200" },
      { name: "path.repo", value: `${work}/repository` },
      { name: "path.data", value: `${work}/data` },
      // 40 MB a second otherwise, for restores as well: nothing else wants this node's disk.
      { name: "indices.recovery.max_bytes_per_sec", value: "1gb" },
      // One node holds the primaries of all of a cluster's; by default a restore of more than 1,000 is refused.
      { name: "cluster.max_shards_per_node", value: "100000" },
      // Only the job beside it reaches it: the network policy lets nobody in.
      { name: "xpack.security.enabled", value: "false" },
      {
        name: "ES_JAVA_OPTS",
        value: `-Xms${verificationServers.elasticsearch.heap} -Xmx${verificationServers.elasticsearch.heap}`,
      },
    ],
    resources: resources("elasticsearch"),
    // The image writes its keystore beside its configuration, as the user and group it is made for.
    securityContext: { ...restrictedContainer, readOnlyRootFilesystem: false, runAsUser: 1000, runAsGroup: 0 },
    volumeMounts: [
      { name: "work", mountPath: work },
      { name: "scratch", mountPath: "/tmp" },
    ],
  }),
};
