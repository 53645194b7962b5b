import * as k8s from "@pulumi/kubernetes";
import type { Resource } from "@pulumi/pulumi";
import type { JobCommand } from "../../jobs/config";
import { namespaces } from "../../plan/names";
import type { Schedule } from "../../plan/schedules";
import { cronJob } from "../cron-job";
import { type JobPodArgs, jobPod } from "../job-pod";
import type { EksCluster } from "./eks-cluster";
import type { GoogleAccess } from "./google-access";

/** Arguments of {@link googleJob}: what the job runs, and how it is let in at Google. */
export interface GoogleJobArgs<C extends JobCommand>
  extends Pick<JobPodArgs<C>, "command" | "config" | "image" | "serviceAccount"> {
  cluster: EksCluster;
  /** Name of the CronJob in the namespace of the copy jobs; its resource is called `PARENT-JOB`. */
  job: string;
  schedule: Schedule;
  suspend: boolean;
  access: GoogleAccess;
  /** ConfigMap of `access`. */
  configMap: string;
}

/** A CronJob of the standby that asks something of Google: it starts once its way in is there. */
export function googleJob<C extends JobCommand>(parent: Resource, name: string, args: GoogleJobArgs<C>) {
  const { cluster, job, schedule, suspend, access, configMap, ...pod } = args;
  return new k8s.batch.v1.CronJob(
    `${name}-${job}`,
    cronJob({
      name: job,
      namespace: namespaces.dr,
      schedule,
      suspend,
      pod: jobPod({ ...pod, google: { configMap, audience: access.audience } }),
    }),
    { ...cluster.inside(parent), dependsOn: [access.config] },
  );
}
