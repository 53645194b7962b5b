import { types } from "../lib/types";
import { bucket, resource, specify } from "../testing";
import { bucketIamAuthoritative } from "./bucket-iam-authoritative";

const copies = bucket("second-copy");
const policy = resource(types.bucketPolicy, { bucket: "b", policyData: "{}" });
const additive = [
  "bucketIAMMember:BucketIAMMember",
  "bucketIAMBinding:BucketIAMBinding",
  "bucketACL:BucketACL",
  "objectAccessControl:ObjectAccessControl",
  "managedFolderIamMember:ManagedFolderIamMember",
];

specify(bucketIamAuthoritative, {
  holds: [[copies, policy]],
  violated: [
    [[copies], /S2, D5: bucket b has 0 authoritative policies/],
    [[copies, policy, policy], /bucket b has 2 authoritative policies/],
    [[copies, resource(types.bucketPolicy, { bucket: "c" })], /bucket b has 0/],
    [[resource(types.bucket, { name: "b" }), policy], /bucket b has no label/],
    [[resource(types.bucket, { name: "b", labels: {} }), policy], /bucket b has no label/],
    ...additive.map((type): [[ReturnType<typeof resource>], RegExp] => [
      [resource(`gcp:storage/${type}`)],
      /adds to a bucket's access/,
    ]),
  ],
});
