/** Persistent disks as folders: provisions claims when the scheduler has picked a node, and removes released disks. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  CoreV1Api,
  type KubeConfig,
  StorageV1Api,
  type V1Node,
  type V1PersistentVolume,
  type V1PersistentVolumeClaim,
  type V1StorageClass,
} from "@kubernetes/client-node";
import { EBS_PROVISIONER, PROVISIONER } from "../clusters/nodes";
import type { Log } from "../lib/log";
import { type Watched, watchAll } from "./watch";

/** Set by the scheduler on a claim that waits for its first consumer. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** How often a claim is looked at whose driver is not there. */
const DRIVER_MS = 2000;
const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

export class Provisioner {
  private readonly core: CoreV1Api;
  private readonly storage: StorageV1Api;
  private claims?: Watched<V1PersistentVolumeClaim>;
  private volumes?: Watched<V1PersistentVolume>;
  private readonly busy = new Set<string>();

  constructor(
    private readonly config: KubeConfig,
    /** Folder that holds a folder per disk. */
    private readonly dir: string,
    private readonly log: Log,
  ) {
    this.core = config.makeApiClient(CoreV1Api);
    this.storage = config.makeApiClient(StorageV1Api);
  }

  async start(): Promise<void> {
    this.volumes = await watchAll(
      this.config,
      "/api/v1/persistentvolumes",
      () => this.core.listPersistentVolume(),
      (volume, gone) => {
        if (!gone && volume.status?.phase === "Released") this.once(volume.metadata?.name, () => this.remove(volume));
      },
    );
    this.claims = await watchAll(
      this.config,
      "/api/v1/persistentvolumeclaims",
      () => this.core.listPersistentVolumeClaimForAllNamespaces(),
      (claim, gone) => {
        const waits = !gone && claim.status?.phase === "Pending" && claim.metadata?.annotations?.[SELECTED_NODE];
        if (waits && !claim.spec?.volumeName) this.once(claim.metadata?.uid, () => this.provision(claim));
      },
    );
  }

  async stop(): Promise<void> {
    await Promise.all([this.claims?.stop(), this.volumes?.stop()]);
  }

  /** Folder of the disk behind a claim. @throws when the claim is not bound yet */
  folder(namespace: string, claim: string): string {
    const found = this.claims
      ?.list()
      .find((each) => each.metadata?.namespace === namespace && each.metadata.name === claim);
    const volume = found?.status?.phase === "Bound" ? found.spec?.volumeName : undefined;
    if (!volume) throw new Error(`claim ${namespace}/${claim} is ${found?.status?.phase ?? "absent"}, not Bound`);
    return join(this.dir, volume);
  }

  private once(key: string | undefined, work: () => Promise<void>): void {
    if (!key || this.busy.has(key)) return;
    this.busy.add(key);
    work()
      .catch((error) => this.log(`disk ${key}: ${(error as Error).message}`))
      .finally(() => this.busy.delete(key));
  }

  private async provision(claim: V1PersistentVolumeClaim): Promise<void> {
    const driver = claim.metadata?.annotations?.["volume.kubernetes.io/storage-provisioner"];
    if (driver !== PROVISIONER && driver !== EBS_PROVISIONER) return;
    if (driver === EBS_PROVISIONER && !(await this.hasDriver(driver))) return this.later(claim);
    const node = await this.core.readNode({ name: claim.metadata?.annotations?.[SELECTED_NODE] ?? "" });
    const storageClass = await this.storage.readStorageClass({ name: claim.spec?.storageClassName ?? "" });
    const volume = volumeFor(claim, node, this.dir, storageClass);
    mkdirSync(join(this.dir, volume.metadata?.name ?? ""), { recursive: true });
    await this.core.createPersistentVolume({ body: volume }).catch((error) => {
      if (error.code !== 409) throw error; // made for an earlier event of the same claim
    });
  }

  /** True when the add-on that makes such disks is there. */
  private async hasDriver(name: string): Promise<boolean> {
    return this.storage.readCSIDriver({ name }).then(
      () => true,
      () => false,
    );
  }

  /** Looks at a claim again, as a driver does that comes later than its claims. */
  private later(claim: V1PersistentVolumeClaim): void {
    setTimeout(() => {
      const now = this.claims?.list().find((each) => each.metadata?.uid === claim.metadata?.uid);
      if (now && !now.spec?.volumeName) this.once(now.metadata?.uid, () => this.provision(now));
    }, DRIVER_MS).unref();
  }

  private async remove(volume: V1PersistentVolume): Promise<void> {
    const by = volume.metadata?.annotations?.[PROVISIONED_BY];
    if (by !== PROVISIONER && by !== EBS_PROVISIONER) return;
    if (volume.spec?.persistentVolumeReclaimPolicy !== "Delete") return;
    const name = volume.metadata?.name ?? "";
    rmSync(join(this.dir, name), { recursive: true, force: true });
    await this.core.deletePersistentVolume({ name });
  }
}

/** Source: "Amazon EBS CSI driver", parameter `type`. */
const EBS_TYPES = /^(gp2|gp3|io1|io2|sc1|st1|standard)$/;
/** Disk types that Compute Engine has. Source: "Persistent Disk CSI driver", parameter `type`. */
const DISK_TYPES =
  /^(pd-(standard|balanced|ssd|extreme)|hyperdisk-(balanced|throughput|extreme|ml|balanced-high-availability))$/;

/**
 * The volume of a claim: bound to the zone of the node it was made for, as a zonal disk is, and of its class.
 * @throws when the class asks for a type of disk that there is none of
 */
export function volumeFor(
  claim: V1PersistentVolumeClaim,
  node: V1Node,
  dir: string,
  { provisioner, reclaimPolicy = "Delete", parameters = {} }: V1StorageClass,
): V1PersistentVolume {
  const aws = provisioner === EBS_PROVISIONER;
  const type = parameters.type ?? (aws ? "gp3" : "pd-standard");
  if (!(aws ? EBS_TYPES : DISK_TYPES).test(type)) throw new Error(`there are no disks of type "${type}"`);
  const name = `pvc-${claim.metadata?.uid}`;
  const zone = node.metadata?.labels?.["topology.kubernetes.io/zone"] ?? "";
  return {
    metadata: { name, annotations: { [PROVISIONED_BY]: provisioner } },
    spec: {
      accessModes: claim.spec?.accessModes,
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? "1Gi" },
      storageClassName: claim.spec?.storageClassName,
      persistentVolumeReclaimPolicy: reclaimPolicy,
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: claim.metadata?.namespace,
        name: claim.metadata?.name,
        uid: claim.metadata?.uid,
        resourceVersion: claim.metadata?.resourceVersion,
      },
      hostPath: { path: join(dir, name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: [zone] }] },
          ],
        },
      },
    },
  };
}
