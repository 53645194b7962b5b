import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { repository } from "../plan/layout";
import { namespaces } from "../plan/names";
import { recoveryJobName } from "../plan/recovery";
import { recoverySeconds } from "../plan/schedules";
import type { Cluster } from "./cluster";
import { elasticsearchUrl, jobPod, mounts, reportSeconds } from "./job-pod";

/** Arguments of {@link IndexRecovery}. */
export interface IndexRecoveryArgs {
  /** Used once in a site's life. */
  id: string;
  /** Datacenter whose index it is, and whose backup is used: each region has a search cluster of its own. */
  datacenter: string;
  /** As the backup has it. */
  index: string;
  /** A backup's name, or the moment at or before which the newest complete one began. */
  backup?: string;
  before?: string;
  /** The living index goes for it. Default: false, it comes back beside it under a name of its own. */
  replace?: boolean;
  /** The datacenter's cluster. */
  cluster: Cluster;
  /** The site's own backup bucket. */
  bucket: string;
  /** Image of the jobs, by digest. */
  image: string;
}

/**
 * Brings an index back from a snapshot of the site's own while the site serves (D3, S3): a Job that `up` waits for. The same
 * id is never done twice, also by another Job.
 */
export class IndexRecovery extends ComponentResource {
  constructor(name: string, args: IndexRecoveryArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:IndexRecovery", name, {}, opts);
    const { id, datacenter, index, backup, before, replace = false, bucket, image } = args;
    const seconds = recoverySeconds.index;
    new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: {
          name: recoveryJobName("index", id),
          namespace: namespaces.elasticsearch,
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: {
          backoffLimit: 2,
          activeDeadlineSeconds: seconds,
          template: jobPod({
            command: "restore-index",
            image,
            serviceAccount: "elasticsearch-backup",
            mounts: mounts.elasticsearch,
            config: {
              id,
              datacenter,
              repository: repository("elasticsearch", datacenter),
              bucket,
              index,
              replace,
              ...(backup !== undefined && { backup }),
              ...(before !== undefined && { before }),
              elasticsearch: { url: elasticsearchUrl },
              timeoutSeconds: seconds - reportSeconds,
            },
          }),
        },
      },
      {
        ...args.cluster.inside(this),
        deleteBeforeReplace: true,
        customTimeouts: { create: `${seconds + reportSeconds}s` },
      },
    );
    this.registerOutputs({});
  }
}
