import * as gcp from "@pulumi/gcp";
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { markerAlgorithm, markerKey } from "../plan/markers";
import { daysInSeconds, retention } from "../plan/retention";

/** Arguments of {@link MarkerKey}. */
export interface MarkerKeyArgs {
  project: string;
  /** Region of the key, the copies' own. */
  location: string;
  /** Versions that exist, the newest of them signs; 1 or more. */
  versions: number;
  /** IAM members that sign, and can do nothing else with the key. */
  signers: Input<string>[];
  /** Accounts that must exist before a binding can name them. */
  accounts: Input<Resource>[];
  deletionProtection: boolean;
}

/**
 * The key by which a copy counts (S2, D5): markers are signed with it, and whoever restores believes no other. Whoever
 * gets hold of the bucket alone can make no copy; the private half never leaves Google's hardware. Old versions stay, so
 * that old copies count. Google Cloud never deletes the names of key rings and keys.
 */
export class MarkerKey extends ComponentResource {
  /** Full name of the version that signs. */
  readonly signingKey: Output<string>;
  /** Public keys of all versions in PEM, the oldest first: what readers are given. */
  readonly publicKeys: Output<string[]>;

  constructor(name: string, args: MarkerKeyArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:MarkerKey", name, {}, opts);
    const { project, location, deletionProtection } = args;
    const protect = { protect: deletionProtection, retainOnDelete: deletionProtection };
    const ring = new gcp.kms.KeyRing(
      `${name}-ring`,
      { project, location, name: markerKey.ring },
      { parent: this, ...protect },
    );
    const key = new gcp.kms.CryptoKey(
      `${name}-key`,
      {
        keyRing: ring.id,
        name: markerKey.key,
        purpose: "ASYMMETRIC_SIGN",
        versionTemplate: markerAlgorithm,
        // Each version is declared, so that none comes or goes unseen.
        skipInitialVersionCreation: true,
        destroyScheduledDuration: `${daysInSeconds(retention.markerKeyDestroyDays)}s`,
      },
      { parent: this, ...protect },
    );
    const versions: gcp.kms.CryptoKeyVersion[] = [];
    for (let number = 1; number <= args.versions; number++) {
      versions.push(
        new gcp.kms.CryptoKeyVersion(
          `${name}-${number}`,
          { cryptoKey: key.id },
          // One after the other: Google numbers them as they come.
          { parent: this, dependsOn: versions.slice(-1), ...protect },
        ),
      );
    }
    new gcp.kms.CryptoKeyIAMBinding(
      `${name}-signers`,
      { cryptoKeyId: key.id, role: "roles/cloudkms.signer", members: args.signers },
      { parent: this, dependsOn: args.accounts, deletedWith: key },
    );
    this.signingKey = versions.at(-1)!.name;
    this.publicKeys = all(versions.map((version) => publicKey(key, version.name, this)));
    this.registerOutputs({ signingKey: this.signingKey, publicKeys: this.publicKeys });
  }
}

/** Public half of a version in PEM. */
function publicKey(key: gcp.kms.CryptoKey, version: Output<string>, parent: Resource): Output<string> {
  const number = version.apply((full) => Number(full.split("/").at(-1)));
  const found = gcp.kms.getKMSCryptoKeyVersionOutput({ cryptoKey: key.id, version: number }, { parent });
  return found.publicKeys.apply(([first]) => first!.pem);
}
