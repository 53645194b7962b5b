import * as gcp from "@pulumi/gcp";
import type { BucketReader } from "./copies";

/** Reads a bucket through the provider, with the deployer's identity. */
export const providerReader: BucketReader = {
  async list(bucket, prefix) {
    const { bucketObjects } = await gcp.storage.getBucketObjects({ bucket, prefix });
    return bucketObjects.map((object) => object.name);
  },
  async read(bucket, name) {
    return (await gcp.storage.getBucketObjectContent({ bucket, name })).content;
  },
};
