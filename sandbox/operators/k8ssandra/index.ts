/** Stand-in for k8ssandra-operator with cass-operator and Medusa's controllers. */
import { KubeConfig } from "@kubernetes/client-node";
import type { Operator } from "../../lib/types";
import { Objects, reconcile } from "../lib";
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
    const config = new KubeConfig();
    config.loadFromString(context.cluster.adminKubeconfig);
    const objects = new Objects(config);
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
    return {
      stop: async () => {
        await Promise.all(loops.map((loop) => loop.stop()));
      },
    };
  },
};
