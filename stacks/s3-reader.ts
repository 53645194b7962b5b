import * as aws from "@pulumi/aws";
import { standbyRegion } from "../plan/standby";
import type { BucketReader } from "./copies";

/** Reads a bucket of the standby through a provider of its own account and region, with the deployer's or previewer's role. */
export function s3Reader(account: string): BucketReader {
  // Whatever a shell's environment says: another account's bucket of that name is none of ours.
  const provider = new aws.Provider("aws-copies", { region: standbyRegion, allowedAccountIds: [account] });
  return {
    async list(bucket, prefix) {
      return (await aws.s3.getObjects({ bucket, prefix, maxKeys: 100_000 }, { provider })).keys;
    },
    async read(bucket, key) {
      return (await aws.s3.getObject({ bucket, key }, { provider })).body;
    },
  };
}
