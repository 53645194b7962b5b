/** Stand-in for k8ssandra-operator with cass-operator and Medusa's controllers. */
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator } from "../../lib/types";
import { reconcile, together } from "../lib";
import { Objects } from "../objects";
import { reconcileCluster } from "./cluster";
import { reconcileDatacenter } from "./datacenter";
import { runBackup, runTask } from "./medusa";
import { stepRestore } from "./restore";
import {
  type CassandraDatacenter,
  type K8ssandraCluster,
  kinds,
  type MedusaBackupJob,
  type MedusaRestoreJob,
  type MedusaTask,
} from "./types";

export const k8ssandraOperator: Operator = {
  charts: ["k8ssandra-operator"],
  start: async (context) => {
    const objects = new Objects(kubeConfigOf(context.cluster.adminKubeconfig));
    const shared = { objects, log: context.log };
    const loops = [
      reconcile<K8ssandraCluster>({
        ...shared,
        kind: kinds.cluster,
        work: (cluster) => reconcileCluster(objects, cluster),
      }),
      reconcile<CassandraDatacenter>({
        ...shared,
        kind: kinds.datacenter,
        work: (datacenter) => reconcileDatacenter(objects, context, datacenter),
      }),
      reconcile<MedusaBackupJob>({
        ...shared,
        kind: kinds.backupJob,
        work: (job) => runBackup(objects, context, job),
      }),
      reconcile<MedusaTask>({ ...shared, kind: kinds.task, work: (task) => runTask(objects, context, task) }),
      reconcile<MedusaRestoreJob>({
        ...shared,
        kind: kinds.restoreJob,
        work: (job) => stepRestore(objects, context, job),
      }),
    ];
    return together(...loops, objects);
  },
};
