import * as aws from "@pulumi/aws";
import { standbyRegion } from "../plan/standby";
import type { BucketReader } from "./copies";

/** Reads a bucket of the standby through the provider, with the deployer's or previewer's role. */
export const s3Reader: BucketReader = {
  async list(bucket, prefix) {
    const { keys } = await aws.s3.getObjects({ bucket, prefix, region: standbyRegion, maxKeys: 100_000 });
    return keys;
  },
  async read(bucket, name) {
    return (await aws.s3.getObject({ bucket, key: name, region: standbyRegion })).body;
  },
};
