/**
 * Stand-in for k8ssandra-operator with cass-operator and Medusa's controllers. CassandraDatacenter and Medusa's resources are
 * served in every cluster, K8ssandraCluster by control planes only.
 */
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator } from "../../lib/types";
import { reconcile, together } from "../lib";
import { Objects } from "../objects";
import { reconcileCluster } from "./cluster";
import { Contexts } from "./contexts";
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
    const contexts = new Contexts(objects, context.release.namespace);
    // The chart's default is true.
    const controlPlane = context.release.values.controlPlane !== false;
    const clusters = () =>
      reconcile<K8ssandraCluster>({
        ...shared,
        kind: kinds.cluster,
        work: (cluster) => reconcileCluster(contexts, cluster),
      });
    const loops = [
      ...(controlPlane ? [clusters()] : []),
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
    return together(...loops, contexts, objects);
  },
};
