import { types } from "../lib/types";
import { bucket, resource, specify } from "../testing";
import { customerBucketsExcluded } from "./customer-buckets-excluded";

specify(customerBucketsExcluded, {
  holds: [
    bucket("media", { name: "iconik-files" }),
    bucket("second-media", { name: "iconik-proxies-secondary" }),
    bucket("second-copy", { name: "anything" }),
    resource(types.bucket),
  ],
  violated: [
    [bucket("media", { name: "customer-footage" }), /S6: bucket customer-footage is none of iconik-files/],
    [bucket("second-media", { name: "customer-footage-secondary" }), /customer-footage-secondary is none of/],
    [bucket("media", { name: undefined }), /is none of/],
  ],
});
