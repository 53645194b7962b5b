import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { publicAccessBlocked } from "../../plan/s3-permissions";

/** Arguments of {@link Account}. */
export interface AccountArgs {
  /** Key that disks are encrypted with when nothing else is said. */
  volumesKey: aws.kms.Key;
}

/** What goes for everything in the account and region, whoever makes it: a second wall behind each resource's own settings. */
export class Account extends ComponentResource {
  constructor(name: string, args: AccountArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Account", name, {}, opts);
    const inside = { parent: this };
    new aws.s3.AccountPublicAccessBlock(`${name}-public-access`, publicAccessBlocked, inside);
    new aws.ebs.EncryptionByDefault(`${name}-disks`, { enabled: true }, inside);
    new aws.ebs.DefaultKmsKey(`${name}-disks-key`, { keyArn: args.volumesKey.arn }, inside);
    new aws.ebs.SnapshotBlockPublicAccess(`${name}-snapshots`, { state: "block-all-sharing" }, inside);
    new aws.ec2.InstanceMetadataDefaults(
      `${name}-metadata`,
      { httpTokens: "required", httpPutResponseHopLimit: 1, instanceMetadataTags: "disabled" },
      inside,
    );
    this.registerOutputs({});
  }
}
