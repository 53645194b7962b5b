import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { clusterKey } from "../plan/encryption";

/** Arguments of {@link ClusterKeys}. */
export interface ClusterKeysArgs {
  project: string;
  /** Name in Google Cloud by region: a key has to be where its cluster is. */
  clusters: Record<string, string>;
  deletionProtection: boolean;
}

/**
 * Keys that the clusters encrypt their Secrets with (S5), one in each region, so that no region depends on another's. A
 * cluster whose key is destroyed is lost: keys are protected, and a destroyed version can be brought back for 30 days.
 *
 * Google Cloud never deletes the names of key rings and keys: a site that was destroyed comes back under a new name.
 */
export class ClusterKeys extends ComponentResource {
  /** Keys by region, usable once the component is ready. */
  readonly keys: Record<string, gcp.kms.CryptoKey> = {};

  constructor(name: string, args: ClusterKeysArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:ClusterKeys", name, {}, opts);
    const { project } = args;
    // GKE's own account of the project. It exists once something asked for it.
    const gke = new gcp.projects.ServiceIdentity(
      `${name}-gke`,
      { project, service: "container.googleapis.com" },
      { parent: this },
    );
    for (const [region, clusterName] of Object.entries(args.clusters)) {
      const ring = new gcp.kms.KeyRing(
        `${name}-${region}`,
        { project, location: region, name: clusterName },
        { parent: this },
      );
      const key = new gcp.kms.CryptoKey(
        `${name}-${region}`,
        {
          keyRing: ring.id,
          name: "secrets",
          purpose: "ENCRYPT_DECRYPT",
          rotationPeriod: clusterKey.rotation,
          destroyScheduledDuration: clusterKey.destroyedAfter,
        },
        { parent: this, protect: args.deletionProtection },
      );
      new gcp.kms.CryptoKeyIAMBinding(
        `${name}-${region}-gke`,
        { cryptoKeyId: key.id, role: "roles/cloudkms.cryptoKeyEncrypterDecrypter", members: [gke.member] },
        { parent: this },
      );
      this.keys[region] = key;
    }
    this.registerOutputs({});
  }
}
