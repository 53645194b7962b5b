import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { JobCommand, JobInput } from "../../jobs/config";
import { repository } from "../../plan/layout";
import type { Schedule } from "../../plan/schedules";
import { type StandbyMedia, s3Url, standbyJobs, standbySchedules } from "../../plan/standby";
import type { EksCluster } from "./eks-cluster";
import type { GoogleAccess } from "./google-access";
import { googleJob } from "./google-job";

/** Arguments of {@link Failback}. */
export interface FailbackArgs {
  cluster: EksCluster;
  image: string;
  datacenter: string;
  /** The standby's own backups. */
  backups: string;
  /** Where they arrive in the vault's project. */
  failbackBucket: string;
  /** The media buckets, and where the standby wrote what is theirs. */
  media: readonly Pick<StandbyMedia, "name" | "live">[];
  /** ConfigMap with the way in at Google. */
  configMap: string;
  google: GoogleAccess;
}

/**
 * What brings the standby's last backups and its media to Google in the window of a failback (ADR 29). Suspended: people start it
 * once the services are stopped and the backups taken, and it exists in that window only.
 */
export class Failback extends ComponentResource {
  constructor(name: string, args: FailbackArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Failback", name, {}, opts);
    const { cluster, datacenter, configMap, google, image } = args;
    const byPeople = <C extends JobCommand>(job: string, schedule: Schedule, command: C, config: JobInput<C>) =>
      googleJob<C>(this, name, {
        ...{ cluster, image, job, schedule, command, config, configMap },
        serviceAccount: "failback",
        suspend: true,
        access: google,
      });
    const kinds = ["cassandra", "elasticsearch"] as const;
    byPeople(standbyJobs.failback, standbySchedules.failback, "return-backups", {
      bucket: s3Url(args.backups),
      failbackBucket: args.failbackBucket,
      repositories: kinds.map((kind) => repository(kind, datacenter)),
    });
    for (const media of args.media)
      byPeople(standbyJobs.failbackMedia(media.name), standbySchedules.failbackMedia, "return-media", {
        bucket: s3Url(media.live),
        backups: s3Url(args.backups),
        primary: media.name,
      });
    this.registerOutputs({});
  }
}
