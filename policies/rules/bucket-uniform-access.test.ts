import { types } from "../lib/types";
import { bucket, resource, specify } from "../testing";
import { bucketUniformAccess } from "./bucket-uniform-access";

specify(bucketUniformAccess, {
  holds: [bucket("media", { uniformBucketLevelAccess: true })],
  violated: [
    [bucket("media", { uniformBucketLevelAccess: false }), /S2, S6, D5: uniformBucketLevelAccess is false; set true/],
    [resource(types.bucket), /uniformBucketLevelAccess is not set; set true/],
  ],
});
