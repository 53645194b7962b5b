/** Configuration of customers' own buckets on the standby (plan/customers.ts). */
import { z } from "zod";
import { mediaBucket } from "../../plan/media";
import type { StandbyBuckets } from "../../plan/standby";
import { iamRole } from "./fields";

const noName =
  "no name; allowed: 1 to 63 lower-case letters, digits, dots and hyphens, as the product calls the bucket";
const name = z.string(noName).regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, noName);

const noBucket = "no bucket of a customer; allowed: s3://BUCKET or gs://BUCKET";
const noRegion = "no region of AWS; allowed: where the bucket is, e.g. eu-west-1";
const noExternalId = "no external id; allowed: 2 to 1224 letters, digits and _+=,.@:/-, as the role's trust says";
const inS3 = z.strictObject({
  name,
  bucket: z.string(noBucket).regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, noBucket),
  region: z.string(noRegion).regex(/^[a-z]{2}(-[a-z]+)+-\d$/, noRegion),
  role: iamRole,
  externalId: z
    .string(noExternalId)
    .regex(/^[\w+=,.@:/-]{2,1224}$/, noExternalId)
    .optional(),
});

const noProvider =
  "no provider of a workload identity pool; allowed: //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";
const noAccount = "no service account; allowed: NAME@PROJECT.iam.gserviceaccount.com";
const atGoogle = z.strictObject({
  name,
  bucket: z.string(noBucket).regex(/^gs:\/\/[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, noBucket),
  provider: z
    .string(noProvider)
    .regex(
      /^\/\/iam\.googleapis\.com\/projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/,
      noProvider,
    ),
  serviceAccount: z
    .string(noAccount)
    .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$/, noAccount),
});

/** Each bucket by itself: by its scheme it is one or the other, so that what is wrong is told of that one. */
export const customerBuckets = z
  .array(
    z.looseObject({ bucket: z.string(noBucket) }).transform((given, context) => {
      const result = given.bucket.startsWith("gs://") ? atGoogle.safeParse(given) : inS3.safeParse(given);
      if (result.success) return result.data;
      for (const issue of result.error.issues)
        context.issues.push(
          issue.code === "unrecognized_keys"
            ? { ...issue, input: given }
            : { code: "custom", path: issue.path, message: issue.message, input: given[String(issue.path[0])] },
        );
      return z.NEVER;
    }),
  )
  .default([]);

/** Checks the list against itself and the rest of the standby's configuration. */
export function customersFit(
  { account, customerBuckets: buckets }: { account: string; customerBuckets: z.output<typeof customerBuckets> },
  ours: StandbyBuckets,
  issues: z.RefinementCtx,
): void {
  const own = Object.values(ours)
    .flat()
    .flatMap((bucket) => (typeof bucket === "string" ? bucket : [bucket.copies, bucket.live]));
  for (const [index, bucket] of buckets.entries()) {
    const add = (key: string, input: string, message: string) =>
      issues.addIssue({ code: "custom", path: ["customerBuckets", index, key], input, message });
    if (buckets.findIndex((other) => other.name === bucket.name) !== index)
      add("name", bucket.name, "given twice; name each once");
    if (buckets.findIndex((other) => other.bucket === bucket.bucket) !== index)
      add("bucket", bucket.bucket, "given twice; name each once");
    const given = bucket.bucket.replace(/^\w+:\/\//, "");
    if (own.includes(given) || mediaBucket(given))
      add("bucket", bucket.bucket, "a bucket of ours, which is used by its own name and rules; remove it");
    if (mediaBucket(bucket.name))
      add("name", bucket.name, "a media bucket of the product, which the standby has copies of; remove it");
    if ("role" in bucket && bucket.role.startsWith(`arn:aws:iam::${account}:`))
      add("role", bucket.role, "a role of the standby's own account; a customer's is in the customer's account");
  }
}
