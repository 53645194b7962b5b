import * as k8s from "@pulumi/kubernetes";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Resource,
} from "@pulumi/pulumi";
import type { JobCommand } from "../jobs/config";
import { repository } from "../plan/layout";
import { cassandraClusterName, namespaces } from "../plan/names";
import { restoreSeconds } from "../plan/schedules";
import type { Cluster } from "./cluster";
import { jobAccess } from "./job-access";
import { elasticsearchUrl, type JobPodArgs, jobPod, mounts, reportSeconds } from "./job-pod";

/** A region to restore into. */
export interface RestoreRegion {
  cluster: Cluster;
  datacenter: string;
  /** The region's empty store, ready. */
  elasticsearch: Resource;
}

/** Arguments of {@link Restore}. */
export interface RestoreArgs {
  /** Site whose copies are restored. */
  source: string;
  /** Marker id of the copy, or `latest`: the Job decides once, so that what it began with is what comes back. */
  marker: string;
  /** Of `latest`: only copies that began at or before this moment. */
  before?: string;
  copiesBucket: string;
  /** Public keys that the marker may be signed with. */
  markerKeys: string[];
  /** The site's own backup bucket. */
  bucket: string;
  image: string;
  /** Regions; the copy runs in the first one's cluster. */
  regions: RestoreRegion[];
  /** The copy has more datacenters than there are regions here: they leave the keyspaces. Default: that would be a mistake. */
  leaveAbsent?: boolean;
  /** Cassandra over all regions, empty and ready. */
  cassandra: Resource;
  /** What the copy needs before it starts: its account and its rights. */
  copyDependsOn: Resource[];
}

/**
 * Brings a site's data back from the second copy (D2, D5): the copy into the site's own bucket runs while the empty
 * stores come up; then every region restores its Cassandra and Elasticsearch at once. The component is done when the data
 * is back and checked against its manifests. A Job that failed is replaced by the next `up`.
 */
export class Restore extends ComponentResource {
  constructor(name: string, args: RestoreArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Restore", name, {}, opts);
    const { bucket, image } = args;
    const first = args.regions[0]!;
    const copy = restoreJob(`${name}-copy`, "restore-copy", namespaces.dr, restoreSeconds.copy, {
      pod: {
        command: "restore-copy",
        image,
        serviceAccount: "restorer",
        config: {
          source: args.source,
          marker: args.marker,
          ...(args.before !== undefined && { before: args.before }),
          markerKeys: args.markerKeys,
          copiesBucket: args.copiesBucket,
          bucket,
          ...(args.leaveAbsent && { repositories: repositoriesOf(args.regions) }),
        },
      },
      opts: { ...first.cluster.inside(this), dependsOn: args.copyDependsOn },
    });

    for (const { cluster, datacenter, elasticsearch } of args.regions) {
      const inside = cluster.inside(this);
      const access = jobAccess(
        `${name}-${datacenter}-access`,
        "restore-cassandra",
        namespaces.cassandra,
        "restore-runner",
        inside,
      );
      restoreJob(
        `${name}-${datacenter}-cassandra`,
        "restore-cassandra",
        namespaces.cassandra,
        restoreSeconds.cassandra,
        {
          pod: {
            command: "restore-cassandra",
            image,
            serviceAccount: "restore-runner",
            mounts: mounts.cassandra,
            config: {
              namespace: namespaces.cassandra,
              datacenter,
              datacenters: args.regions.map((region) => region.datacenter),
              ...(args.leaveAbsent && { leaveAbsent: true }),
              repository: repository("cassandra", datacenter),
              bucket,
              cql: { contactPoints: [`${cassandraClusterName}-${datacenter}-service.${namespaces.cassandra}.svc`] },
              timeoutSeconds: restoreSeconds.cassandra - reportSeconds,
            },
          },
          opts: { ...inside, dependsOn: [copy, access, args.cassandra] },
        },
      );
      restoreJob(
        `${name}-${datacenter}-elasticsearch`,
        "restore-elasticsearch",
        namespaces.elasticsearch,
        restoreSeconds.elasticsearch,
        {
          pod: {
            command: "restore-elasticsearch",
            image,
            serviceAccount: "elasticsearch-backup",
            mounts: mounts.elasticsearch,
            config: {
              elasticsearch: { url: elasticsearchUrl },
              repository: repository("elasticsearch", datacenter),
              bucket,
              timeoutSeconds: restoreSeconds.elasticsearch - reportSeconds,
            },
          },
          opts: { ...inside, dependsOn: [copy, elasticsearch] },
        },
      );
    }
    this.registerOutputs({});
  }
}

/** Repositories of some regions: the rest of a copy stays where it is. */
function repositoriesOf(regions: readonly RestoreRegion[]): string[] {
  const kinds = ["cassandra", "elasticsearch"] as const;
  return regions.flatMap(({ datacenter }) => kinds.map((kind) => repository(kind, datacenter)));
}

/** A Job that `up` waits for, as long as its data may take. */
function restoreJob<C extends JobCommand>(
  name: string,
  jobName: string,
  namespace: string,
  seconds: number,
  { pod, opts }: { pod: JobPodArgs<C>; opts: CustomResourceOptions },
): k8s.batch.v1.Job {
  return new k8s.batch.v1.Job(
    name,
    {
      metadata: { name: jobName, namespace, annotations: { "pulumi.com/replaceUnready": "true" } },
      spec: { backoffLimit: 2, activeDeadlineSeconds: seconds, template: jobPod(pod) },
    },
    { ...opts, deleteBeforeReplace: true, customTimeouts: { create: `${seconds + reportSeconds}s` } },
  );
}
