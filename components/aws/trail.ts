import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { bucketArn } from "../../plan/s3-permissions";
import type { LogsBucket } from "./logs-bucket";

/** Arguments of {@link Trail}. */
export interface TrailArgs {
  /** Name of the trail. */
  trailName: string;
  logs: LogsBucket;
  /** Buckets whose objects' requests are recorded as well: the locked copies and who serves. */
  buckets: string[];
  deletionProtection: boolean;
}

/** Who did what in the account, of every region (D5), and who wrote or removed which object of the buckets that matter. */
export class Trail extends ComponentResource {
  constructor(name: string, args: TrailArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Trail", name, {}, opts);
    new aws.cloudtrail.Trail(
      `${name}-trail`,
      {
        name: args.trailName,
        s3BucketName: args.logs.bucket.bucket,
        s3KeyPrefix: "trail",
        isMultiRegionTrail: true,
        includeGlobalServiceEvents: true,
        enableLogFileValidation: true,
        enableLogging: true,
        advancedEventSelectors: [
          {
            name: "management",
            fieldSelectors: [{ field: "eventCategory", equals: ["Management"] }],
          },
          {
            // The copier's reads are half of all requests and say nothing.
            name: "writes to buckets that matter",
            fieldSelectors: [
              { field: "eventCategory", equals: ["Data"] },
              { field: "resources.type", equals: ["AWS::S3::Object"] },
              { field: "readOnly", equals: ["false"] },
              { field: "resources.ARN", startsWiths: args.buckets.map((bucket) => `${bucketArn(bucket)}/`) },
            ],
          },
        ],
      },
      { parent: this, dependsOn: [args.logs.policy], protect: args.deletionProtection },
    );
    this.registerOutputs({});
  }
}
