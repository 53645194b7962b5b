/** Functions of the aws provider that programs call. */
import { CloudError, type Props } from "../../lib/types";
import { ZONES } from "../../providers/aws/regions";
import { type Registry, text } from "../registry";
import { accountOf, nameOf } from "./arn";
import { required } from "./checks";
import type { S3Store } from "./s3/store";
import { AWS } from "./types";

/** What the functions need. */
export interface AwsInvokeContext {
  /** ARN of the role that calls. */
  caller: string;
  registry: Registry;
  store: S3Store;
}

type Invoke = (args: Props, context: AwsInvokeContext) => Promise<Props>;

const invokes: Record<string, Invoke> = {
  "aws:index/getCallerIdentity:getCallerIdentity": async (_, { caller }) => {
    const account = accountOf(caller);
    const arn = `arn:aws:sts::${account}:assumed-role/${nameOf(caller)}/pulumi`;
    return { id: account, accountId: account, arn, userId: `AROADEPLOYER:pulumi` };
  },
  "aws:index/getPartition:getPartition": async () => ({
    id: "aws",
    partition: "aws",
    dnsSuffix: "amazonaws.com",
    reverseDnsPrefix: "com.amazonaws",
  }),
  "aws:index/getRegion:getRegion": async (args) => {
    const region = required(args, "region");
    return { id: region, region, name: region, endpoint: `ec2.${region}.amazonaws.com`, description: region };
  },
  "aws:index/getAvailabilityZones:getAvailabilityZones": async (args) => {
    const region = required(args, "region");
    const names = ZONES.map((letter) => `${region}${letter}`);
    const zoneIds = ZONES.map((_, index) => `${shortName(region)}-az${index + 1}`);
    return { id: region, region, names, zoneIds, groupNames: [`${region}-zg-1`], state: "available" };
  },
  "aws:iam/getPolicyDocument:getPolicyDocument": async (args) => {
    const json = JSON.stringify(documentOf(args), null, 2);
    return { ...args, id: "document", json, minifiedJson: JSON.stringify(documentOf(args)) };
  },
  "aws:s3/getObject:getObject": async (args, { registry, store }) => {
    const [bucket, key] = [required(args, "bucket"), required(args, "key")];
    if (!registry.get(AWS.bucket, bucket))
      throw new CloudError(404, "NoSuchBucket", "The specified bucket does not exist");
    const [head, body] = [await store.head(bucket, key), await store.read(bucket, key)];
    if (!head || !body) throw new CloudError(404, "NotFound", `no object ${bucket}/${key}`);
    const contentType = head.get("content-type") ?? "";
    const readable = /^(text\/|application\/json)/.test(contentType);
    return {
      id: `${bucket}/${key}`,
      arn: `arn:aws:s3:::${bucket}/${key}`,
      bucket,
      key,
      contentType,
      contentLength: body.length,
      etag: (head.get("etag") ?? "").replaceAll('"', ""),
      versionId: head.get("x-amz-version-id") ?? "",
      lastModified: head.get("last-modified") ?? "",
      // The provider gives the body of text alone.
      ...(readable && { body: body.toString("utf8"), bodyBase64: body.toString("base64") }),
    };
  },
  "aws:s3/getObjects:getObjects": async (args, { registry, store }) => {
    const bucket = required(args, "bucket");
    if (!registry.get(AWS.bucket, bucket))
      throw new CloudError(404, "NoSuchBucket", "The specified bucket does not exist");
    const live = (await store.versions(bucket, text(args, "prefix"))).filter(({ latest, marker }) => latest && !marker);
    return {
      id: bucket,
      bucket,
      keys: live.map(({ key }) => key).slice(0, Number(args.maxKeys ?? 1000)),
      commonPrefixes: [],
      owners: [],
    };
  },
};

/** `euw1` of `eu-west-1`. */
const shortName = (region: string): string =>
  region.replace(/^(\w+)-(\w+)-(\d)$/, (_, area, side, number) => `${area}${side[0]}${number}`);

/** The provider's way of writing a policy as arguments. */
function documentOf(args: Props): Props {
  const statements = ((args.statements ?? []) as Props[]).map((statement) => {
    const one = (list: unknown) => (Array.isArray(list) && list.length === 1 ? list[0] : list);
    const principals = (list: unknown) => {
      const written = ((list ?? []) as { type: string; identifiers: string[] }[]).map(
        ({ type, identifiers }) => [type, one(identifiers)] as const,
      );
      return written.length === 0 ? undefined : written[0]?.[0] === "*" ? "*" : Object.fromEntries(written);
    };
    const conditions: Record<string, Record<string, unknown>> = {};
    for (const { test, variable, values } of (statement.conditions ?? []) as {
      test: string;
      variable: string;
      values: string[];
    }[])
      conditions[test] = { ...conditions[test], [variable]: one(values) };
    return {
      Sid: statement.sid,
      Effect: statement.effect ?? "Allow",
      Principal: principals(statement.principals),
      NotPrincipal: principals(statement.notPrincipals),
      Action: one(statement.actions),
      NotAction: one(statement.notActions),
      Resource: one(statement.resources),
      NotResource: one(statement.notResources),
      ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
    };
  });
  return {
    Version: args.version ?? "2012-10-17",
    ...(args.policyId !== undefined && { Id: args.policyId }),
    Statement: statements,
  };
}

/** Runs a function. @throws CloudError 400 for one that the sandbox does not know */
export async function awsInvoke(token: string, args: Props, context: AwsInvokeContext): Promise<Props> {
  const known = Object.hasOwn(invokes, token) ? invokes[token] : undefined;
  if (known) return known(args, context);
  throw new CloudError(
    400,
    "unknown",
    `the sandbox does not know the function ${token}; it knows ${Object.keys(invokes).join(", ")}`,
  );
}
