import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { standbyDisks, storeDisks } from "../plan/storage";
import type { Cluster } from "./cluster";

/** Arguments of {@link StoreDisks}. */
export interface StoreDisksArgs {
  cluster: Cluster;
  /** Disks outlive their claims: whoever deletes a store by mistake has not deleted its data. Drills leave none behind. */
  deletionProtection: boolean;
}

/** The disks that both stores are on (S1, S3): made in the zone where the pod goes, growing on demand. */
export class StoreDisks extends ComponentResource {
  readonly storageClass: Resource;

  constructor(name: string, args: StoreDisksArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:StoreDisks", name, {}, opts);
    this.storageClass = new k8s.storage.v1.StorageClass(
      `${name}-class`,
      {
        metadata: { name: storeDisks.className },
        ...disks[args.cluster.cloud],
        reclaimPolicy: args.deletionProtection ? "Retain" : "Delete",
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
      },
      // Its fields cannot be changed; volumes keep what they were made with.
      { ...args.cluster.inside(this), deleteBeforeReplace: true },
    );
    this.registerOutputs({});
  }
}

/** What each cloud makes them of. On EBS the account encrypts whatever is made (components/aws/account.ts). */
const disks: Record<Cluster["cloud"], { provisioner: string; parameters: Record<string, string> }> = {
  google: {
    provisioner: "pd.csi.storage.gke.io",
    parameters: { type: storeDisks.type, "csi.storage.k8s.io/fstype": storeDisks.fileSystem },
  },
  aws: {
    provisioner: "ebs.csi.aws.com",
    parameters: {
      type: standbyDisks.type,
      iops: standbyDisks.iops,
      throughput: standbyDisks.throughput,
      encrypted: "true",
      "csi.storage.k8s.io/fstype": standbyDisks.fileSystem,
    },
  },
};
