import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { type MediaApproval, type MediaBucket, mediaJobName } from "../plan/media";
import { namespaces } from "../plan/names";
import type { Schedule } from "../plan/schedules";
import type { Cluster } from "./cluster";
import { cronJob } from "./cron-job";
import { jobPod } from "./job-pod";

/** Arguments of {@link MediaReplication}. */
export interface MediaReplicationArgs {
  /** The vault's cluster. */
  cluster: Cluster;
  /** The plan's (plan/media.ts), or a drill's scratch ones. */
  buckets: readonly MediaBucket[];
  /** What one night may remove or overwrite in a secondary: the greater of a share (0 to 1) and a number of objects. */
  breaker: { share: number; floor: number };
  /** Nights that may pass the breaker, by the primary bucket's name. */
  approvals: ({ bucket: string } & MediaApproval)[];
  /** Primaries that are being restored: what is half restored is not propagated. */
  restoring: readonly string[];
  image: string;
  schedule: Schedule;
}

/**
 * The nightly second copies of the media (S6): one CronJob a bucket, run in the vault by the identity that can only read
 * primaries. No transfer job: its deletions would pass unseen, these pass a breaker.
 */
export class MediaReplication extends ComponentResource {
  constructor(name: string, args: MediaReplicationArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:MediaReplication", name, {}, opts);
    for (const media of args.buckets) {
      const approvals = args.approvals
        .filter(({ bucket }) => bucket === media.name)
        .map(({ date, objects }) => ({ date, objects }));
      new k8s.batch.v1.CronJob(
        `${name}-${media.name}`,
        cronJob({
          name: mediaJobName(media.name),
          namespace: namespaces.dr,
          schedule: args.schedule,
          suspend: args.restoring.includes(media.name),
          pod: jobPod({
            command: "replicate-media",
            image: args.image,
            serviceAccount: "media-replicator",
            config: { bucket: media.name, secondary: media.secondary, breaker: args.breaker, approvals },
          }),
        }),
        args.cluster.inside(this),
      );
    }
    this.registerOutputs({});
  }
}
