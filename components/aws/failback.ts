import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { repository } from "../../plan/layout";
import { namespaces } from "../../plan/names";
import { s3Url, standbyJobs, standbySchedules } from "../../plan/standby";
import { cronJob } from "../cron-job";
import { jobPod } from "../job-pod";
import type { EksCluster } from "./eks-cluster";
import type { GoogleAccess } from "./google-access";

/** Arguments of {@link Failback}. */
export interface FailbackArgs {
  cluster: EksCluster;
  image: string;
  datacenter: string;
  /** The standby's own backups. */
  backups: string;
  /** Where they arrive in the vault's project. */
  failbackBucket: string;
  /** ConfigMap with the way in at Google. */
  configMap: string;
  google: GoogleAccess;
}

/**
 * What brings the standby's last backups to Google in the window of a failback (ADR 29). Suspended: people start it once the
 * services are stopped and the backups taken, and it exists in that window only.
 */
export class Failback extends ComponentResource {
  constructor(name: string, args: FailbackArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Failback", name, {}, opts);
    const { cluster, datacenter, configMap, google, image } = args;
    const kinds = ["cassandra", "elasticsearch"] as const;
    new k8s.batch.v1.CronJob(
      `${name}-${standbyJobs.failback}`,
      cronJob({
        name: standbyJobs.failback,
        namespace: namespaces.dr,
        schedule: standbySchedules.failback,
        suspend: true,
        pod: jobPod({
          command: "return-backups",
          image,
          serviceAccount: "failback",
          config: {
            bucket: s3Url(args.backups),
            failbackBucket: args.failbackBucket,
            repositories: kinds.map((kind) => repository(kind, datacenter)),
          },
          google: { configMap, audience: google.audience },
        }),
      }),
      { ...cluster.inside(this), dependsOn: [google.config] },
    );
    this.registerOutputs({});
  }
}
