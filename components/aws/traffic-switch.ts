import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { healthCheckers, type Server, trafficContent, trafficObject } from "../../plan/failover";
import { retention } from "../../plan/retention";
import { bucketArn, document, type PolicyDocument, tlsOnly } from "../../plan/s3-permissions";
import { lifecycle, secureSettings } from "./store-bucket";

/** Arguments of {@link TrafficSwitch}. */
export interface TrafficSwitchArgs {
  region: string;
  bucket: string;
  /** ARNs of the roles that deploy and preview the stack: they alone say who serves. */
  deployers: string[];
  serves: Server;
  logs: aws.s3.Bucket;
  deletionProtection: boolean;
}

/**
 * One object in S3 that says who serves (D4). Health checks of Route 53 look for a word in it, and activation writes another
 * word: no call to a control plane far away, and while the object cannot be read nobody is sent back to Google (ADR 28). It is
 * read by Route 53's health checkers and by nobody else.
 */
export class TrafficSwitch extends ComponentResource {
  /** Host and path of the object. */
  readonly host: string;
  readonly path = `/${trafficObject}`;
  /** The word is written. */
  readonly object: aws.s3.BucketObjectv2;

  constructor(name: string, args: TrafficSwitchArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:TrafficSwitch", name, {}, opts);
    const { deletionProtection } = args;
    this.host = `${args.bucket}.s3.${args.region}.amazonaws.com`;
    const bucket = new aws.s3.Bucket(
      `${name}-bucket`,
      { bucket: args.bucket, forceDestroy: !deletionProtection },
      { parent: this, protect: deletionProtection },
    );
    const of = { bucket: bucket.bucket };
    const inside = { parent: this, deletedWith: bucket };
    // Who was said to serve when: the versions tell.
    const versioning = new aws.s3.BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      inside,
    );
    const closed = secureSettings(name, of, inside);
    new aws.s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { ...of, rules: lifecycle(retention.s3LogDays) },
      { ...inside, dependsOn: [versioning] },
    );
    new aws.s3.BucketLogging(
      `${name}-logging`,
      { ...of, targetBucket: args.logs.bucket, targetPrefix: `s3/${args.bucket}/` },
      inside,
    );
    const policy = new aws.s3.BucketPolicy(
      `${name}-policy`,
      { ...of, policy: JSON.stringify(trafficPolicy(args)) },
      { ...inside, dependsOn: [closed] },
    );
    this.object = new aws.s3.BucketObjectv2(
      `${name}-object`,
      {
        ...of,
        key: trafficObject,
        content: trafficContent(args.serves),
        contentType: "application/json",
        cacheControl: "no-store",
      },
      { ...inside, dependsOn: [versioning, policy] },
    );
    this.registerOutputs({ host: this.host });
  }
}

/** Route 53's health checkers read the one object; who deploys writes it. S3 does not call this public: the addresses are fixed. */
export function trafficPolicy({ bucket, deployers }: Pick<TrafficSwitchArgs, "bucket" | "deployers">): PolicyDocument {
  const object = `${bucketArn(bucket)}/${trafficObject}`;
  return document([
    ...tlsOnly(bucket),
    {
      Sid: "HealthCheckersRead",
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: object,
      Condition: { IpAddress: { "aws:SourceIp": healthCheckers } },
    },
    {
      Sid: "DeployersWrite",
      Effect: "Deny",
      Principal: "*",
      Action: ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy"],
      Resource: [bucketArn(bucket), `${bucketArn(bucket)}/*`],
      Condition: {
        ArnNotEquals: { "aws:PrincipalArn": deployers },
        Bool: { "aws:PrincipalIsAWSService": "false" },
      },
    },
  ]);
}
