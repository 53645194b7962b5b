import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";

/** Arguments of {@link RequestMetrics}. */
export interface RequestMetricsArgs {
  bucket: aws.s3.Bucket;
  /** Prefix of names by filter; empty: the whole bucket. */
  filters: Record<string, string>;
}

/** Has S3 count the requests to parts of a bucket, for alarms: what was written, and what was removed. */
export class RequestMetrics extends ComponentResource {
  constructor(name: string, args: RequestMetricsArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:RequestMetrics", name, {}, opts);
    for (const [filter, prefix] of Object.entries(args.filters)) {
      new aws.s3.BucketMetric(
        `${name}-${filter}`,
        { bucket: args.bucket.bucket, name: filter, ...(prefix !== "" && { filter: { prefix } }) },
        { parent: this, deletedWith: args.bucket },
      );
    }
    this.registerOutputs({});
  }
}
