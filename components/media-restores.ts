import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { FINAL_EXIT_CODE } from "../jobs/config";
import { type MediaRestore, mediaBucket, mediaRestoreJobName, mediaRestorerOf } from "../plan/media";
import { namespaces } from "../plan/names";
import { restoreSeconds } from "../plan/schedules";
import type { GkeCluster } from "./gke-cluster";
import { jobPod } from "./job-pod";

/** Arguments of {@link MediaRestores}. */
export interface MediaRestoresArgs {
  /** The vault's cluster. */
  cluster: GkeCluster;
  restores: readonly MediaRestore[];
  image: string;
}

/**
 * Media that are brought back (S6): a Job for each restore. Nobody waits for it: it waits itself for the grant on the primary,
 * which comes with the foundation's next update.
 */
export class MediaRestores extends ComponentResource {
  constructor(name: string, args: MediaRestoresArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:MediaRestores", name, {}, opts);
    for (const restore of args.restores) {
      const { id, bucket, prefix, object, at, overwrite, dryRun } = restore;
      const pod = jobPod({
        command: "restore-media",
        image: args.image,
        serviceAccount: mediaRestorerOf(restore),
        config: {
          bucket,
          secondary: mediaBucket(bucket)!.secondary,
          ...(prefix !== undefined && { prefix }),
          ...(object !== undefined && { object }),
          at,
          overwrite,
          dryRun,
        },
      });
      new k8s.batch.v1.Job(
        `${name}-${id}`,
        {
          metadata: {
            name: mediaRestoreJobName(id),
            namespace: namespaces.dr,
            annotations: { "pulumi.com/skipAwait": "true" },
          },
          spec: {
            backoffLimit: 4,
            podFailurePolicy: {
              rules: [
                { action: "FailJob", onExitCodes: { operator: "In", values: [FINAL_EXIT_CODE] } },
                { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
              ],
            },
            activeDeadlineSeconds: restoreSeconds.media,
            template: pod,
          },
        },
        // Its id says what it is: a newer image of the jobs must not make it run again over what was written since.
        { ...args.cluster.inside(this), deleteBeforeReplace: true, ignoreChanges: ["spec"] },
      );
    }
    this.registerOutputs({});
  }
}
