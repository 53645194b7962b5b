import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { JobCommand } from "../../jobs/config";
import { type MediaApproval, mediaBreaker } from "../../plan/media";
import type { Schedule } from "../../plan/schedules";
import { type StandbyBuckets, s3Url, standbyJobs, standbySchedules } from "../../plan/standby";
import type { JobPodArgs } from "../job-pod";
import type { EksCluster } from "./eks-cluster";
import type { GoogleAccess } from "./google-access";
import { googleJob } from "./google-job";

/** Arguments of {@link S3Copier}. */
export interface S3CopierArgs {
  cluster: EksCluster;
  image: string;
  /** Site whose copies are pulled. */
  site: string;
  /** The vault's bucket of the second copies. */
  copiesBucket: string;
  /** Public keys of the vault's markers. */
  markerKeys: string[];
  buckets: StandbyBuckets;
  /** What the standby would restore onto: the newest backup is held against it every night. */
  topology: { datacenter: string; nodes: number; racks: string[] };
  /** Ways in at Google: for the copies, and for the states where there are any. */
  google: { copies: GoogleAccess; states?: { access: GoogleAccess; buckets: string[] } };
  /** Nights of media that may pass the breaker, by the primary bucket's name. */
  approvals: ({ bucket: string } & MediaApproval)[];
  /** The standby is active: what it has is newer than what is to be pulled. */
  suspend: boolean;
}

/** ConfigMaps with the ways in. */
export const googleConfigMaps = {
  copies: "google-copies",
  states: "google-states",
  failback: "google-failback",
} as const;

/**
 * What the standby pulls from Google while it is there (S7): the second copies of the backups every night, those of the media,
 * and the states every hour. Nothing in Google knows a credential of AWS.
 */
export class S3Copier extends ComponentResource {
  constructor(name: string, args: S3CopierArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:S3Copier", name, {}, opts);
    const { cluster, buckets, google, image } = args;
    const nightly = <C extends JobCommand>(
      job: string,
      schedule: Schedule,
      access: GoogleAccess,
      configMap: string,
      pod: Pick<JobPodArgs<C>, "command" | "config" | "serviceAccount">,
    ) => googleJob<C>(this, name, { ...pod, cluster, image, job, schedule, suspend: args.suspend, access, configMap });
    nightly<"copy-to-s3">(
      standbyJobs.copies(args.site),
      standbySchedules.copies,
      google.copies,
      googleConfigMaps.copies,
      {
        command: "copy-to-s3",
        serviceAccount: "standby-copier",
        config: {
          site: args.site,
          copiesBucket: args.copiesBucket,
          bucket: s3Url(buckets.copies),
          markerKeys: args.markerKeys,
          topology: args.topology,
        },
      },
    );
    for (const media of buckets.media) {
      nightly<"copy-media-to-s3">(
        standbyJobs.media(media.name),
        standbySchedules.media,
        google.copies,
        googleConfigMaps.copies,
        {
          command: "copy-media-to-s3",
          serviceAccount: "standby-copier",
          config: {
            name: media.name,
            secondary: media.secondary,
            bucket: s3Url(media.copies),
            breaker: { share: mediaBreaker.share, floor: mediaBreaker.floor },
            approvals: args.approvals
              .filter(({ bucket }) => bucket === media.name)
              .map(({ date, objects }) => ({ date, objects })),
          },
        },
      );
    }
    if (google.states) {
      nightly<"copy-states-to-s3">(
        standbyJobs.states,
        standbySchedules.states,
        google.states.access,
        googleConfigMaps.states,
        {
          command: "copy-states-to-s3",
          serviceAccount: "state-reader",
          config: { buckets: google.states.buckets, bucket: s3Url(buckets.states) },
        },
      );
    }
    this.registerOutputs({});
  }
}
