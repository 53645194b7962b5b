import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { retention } from "../../plan/retention";
import { bucketArn, document, type PolicyDocument, type Statement, tlsOnly } from "../../plan/s3-permissions";
import { secureSettings } from "./store-bucket";

/** Arguments of {@link LogsBucket}. */
export interface LogsBucketArgs {
  account: string;
  region: string;
  bucket: string;
  /** Name of the trail that writes here. */
  trail: string;
  deletionProtection: boolean;
}

/**
 * Who did what to the standby: access logs of S3 and of the load balancer, flow logs, and the trail. Services of AWS write,
 * for this account alone. S3 writes no access logs into a bucket with a lock; versions keep what somebody removes, and the
 * trail's digests show what is missing.
 */
export class LogsBucket extends ComponentResource {
  readonly bucket: aws.s3.Bucket;
  /** From then on the services may write. */
  readonly policy: Resource;

  constructor(name: string, args: LogsBucketArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:LogsBucket", name, {}, opts);
    const { deletionProtection } = args;
    this.bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      { bucket: args.bucket, forceDestroy: !deletionProtection },
      { parent: this, protect: deletionProtection, retainOnDelete: deletionProtection },
    );
    const of = { bucket: this.bucket.bucket };
    const inside = { parent: this, deletedWith: this.bucket };
    const versioning = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      inside,
    );
    const closed = secureSettings(name, of, inside);
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        ...of,
        rules: [
          {
            id: "logs",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: retention.s3LogDays },
            noncurrentVersionExpiration: { noncurrentDays: retention.standbyLogDays },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
      },
      { ...inside, dependsOn: [versioning] },
    );
    this.policy = new aws.s3.BucketPolicy(
      `${name}-policy`,
      { ...of, policy: JSON.stringify(logsPolicy(args)) },
      { ...inside, dependsOn: [closed] },
    );
    this.registerOutputs({ bucket: this.bucket.bucket });
  }
}

/** Which services of AWS write where in the bucket, and only on behalf of this account. */
export function logsPolicy({ account, region, bucket, trail }: LogsBucketArgs): PolicyDocument {
  const arn = bucketArn(bucket);
  const own = { "aws:SourceAccount": account };
  const write = (Sid: string, service: string, prefix: string, Condition: Statement["Condition"]): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "s3:PutObject",
    Resource: `${arn}/${prefix}*`,
    ...(Condition && { Condition }),
  });
  const look = (Sid: string, service: string): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "s3:GetBucketAcl",
    Resource: arn,
    Condition: { StringEquals: own },
  });
  return document([
    ...tlsOnly(bucket),
    write("AccessLogsOfBuckets", "logging.s3.amazonaws.com", "s3/", { StringEquals: own }),
    write("AccessLogsOfTheLoadBalancer", "logdelivery.elasticloadbalancing.amazonaws.com", "load-balancer/", {
      StringEquals: own,
      ArnLike: { "aws:SourceArn": `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/*` },
    }),
    look("FlowLogsLook", "delivery.logs.amazonaws.com"),
    write("FlowLogs", "delivery.logs.amazonaws.com", "flows/", {
      StringEquals: { ...own, "s3:x-amz-acl": "bucket-owner-full-control" },
      ArnLike: { "aws:SourceArn": `arn:aws:logs:${region}:${account}:*` },
    }),
    look("TrailLooks", "cloudtrail.amazonaws.com"),
    write("Trail", "cloudtrail.amazonaws.com", "trail/", {
      StringEquals: {
        "aws:SourceArn": `arn:aws:cloudtrail:${region}:${account}:trail/${trail}`,
        "s3:x-amz-acl": "bucket-owner-full-control",
      },
    }),
  ]);
}
