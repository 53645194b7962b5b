/**
 * MedusaRestoreJob, in the steps of the real controller: the backup is looked up, the datacenter is stopped, the restore
 * container of every pod gets the backup's name and a key, the datacenter starts again and each node restores itself.
 */
import { randomUUID } from "node:crypto";
import type { OperatorContext } from "../../lib/types";
import type { CustomObject, Objects } from "../objects";
import { holds, podsOf } from "./datacenter";
import { datacenterNamed, now } from "./medusa";
import { type CassandraDatacenter, kinds, type MedusaRestoreJob, type RestoreStatus } from "./types";

/** Does the next step of a restore and notes it; called until the job has its finish time. */
export async function stepRestore(objects: Objects, context: OperatorContext, job: MedusaRestoreJob): Promise<void> {
  const { status } = job;
  if (status?.finishTime) return;
  const namespace = job.metadata?.namespace ?? "";
  const note = (change: Partial<RestoreStatus>) => objects.status(job, "medusarestorejobs", { ...status, ...change });
  if (!status?.startTime) {
    await note({ startTime: now(), restoreKey: randomUUID() });
    return;
  }
  const datacenter = await datacenterNamed(objects, namespace, job.spec?.cassandraDatacenter ?? "");
  if (!status.restorePrepared) {
    const backup = await objects.get<CustomObject>(kinds.backup, namespace, job.spec?.backup ?? "");
    if (!backup) {
      await note({
        finishTime: now(),
        failed: [job.spec?.backup ?? ""],
        message: `MedusaBackup ${job.spec?.backup} was not found`,
      });
      return;
    }
    const pods = (await podsOf(objects, datacenter)).map((pod) => pod.metadata?.name ?? "");
    const host_map = Object.fromEntries(pods.map((pod) => [pod, { source: [pod], seed: false }]));
    await note({ restorePrepared: true, restoreMapping: { in_place: true, host_map } });
    return;
  }
  if (!status.datacenterStopped) {
    if (!datacenter.spec?.stopped) await objects.merge(change(datacenter, { stopped: true }));
    else if (holds(datacenter.status?.conditions, "Stopped") && (await podsOf(objects, datacenter)).length === 0)
      await note({ datacenterStopped: now() });
    return;
  }
  if (restoreKeyOf(datacenter) !== status.restoreKey) {
    context.log(`restore of ${job.spec?.backup} into ${datacenter.metadata?.name} begins`);
    await objects.merge(
      change(datacenter, {
        stopped: false,
        podTemplateSpec: {
          spec: {
            containers: [],
            initContainers: [
              {
                name: "medusa-restore",
                env: [
                  { name: "BACKUP_NAME", value: job.spec?.backup ?? "" },
                  { name: "RESTORE_KEY", value: status.restoreKey },
                  { name: "RESTORE_MAPPING", value: JSON.stringify(status.restoreMapping) },
                ],
              },
            ],
          },
        },
      }),
    );
    return;
  }
  const { conditions, cassandraOperatorProgress } = datacenter.status ?? {};
  if (holds(conditions, "Ready") && cassandraOperatorProgress === "Ready" && !holds(conditions, "Stopped")) {
    const finished = Object.keys(status.restoreMapping?.host_map ?? {});
    await note({ finishTime: now(), finished });
  }
}

const change = (datacenter: CassandraDatacenter, spec: object) => ({
  ...kinds.datacenter,
  metadata: { name: datacenter.metadata?.name, namespace: datacenter.metadata?.namespace },
  spec,
});

function restoreKeyOf(datacenter: CassandraDatacenter): string | undefined {
  return datacenter.spec?.podTemplateSpec?.spec?.initContainers
    ?.find(({ name }) => name === "medusa-restore")
    ?.env?.find(({ name }) => name === "RESTORE_KEY")?.value;
}
