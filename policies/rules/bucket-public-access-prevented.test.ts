import { types } from "../lib/types";
import { bucket, resource, specify } from "../testing";
import { bucketPublicAccessPrevented } from "./bucket-public-access-prevented";

specify(bucketPublicAccessPrevented, {
  holds: [bucket("media", { publicAccessPrevention: "enforced" })],
  violated: [
    [bucket("media", { publicAccessPrevention: "inherited" }), /S2, S6, D5: publicAccessPrevention is "inherited"/],
    // Whatever the bucket is for.
    [resource(types.bucket), /publicAccessPrevention is not set; set "enforced"/],
  ],
});
