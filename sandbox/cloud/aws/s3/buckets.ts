/** Buckets and their settings. Source: "Bucket naming rules", "Amazon S3 API reference". */
import { isIPv4 } from "node:net";
import { type Behaviour, CloudError, type Props } from "../../../lib/types";
import { type Registry, text } from "../../registry";
import type { AwsAccess } from "../access";
import { accountOf, parseArn } from "../arn";
import { first, invalid, present, required } from "../checks";
import { type Policy, parsePolicy, type Statement } from "../policy/document";
import { AWS } from "../types";
import type { S3Bucket } from "./gateway";
import type { BucketLocks, Mode } from "./locks";
import type { S3Store } from "./store";

/** Fact of the registry: buckets whose reads fail. */
export const UNREADABLE = "unreadable S3 buckets";
/** Fact of the registry: buckets that may have locks; that can never be undone. */
const LOCKED = "S3 buckets with Object Lock";

const DAYS = 36_500;

/** Behaviours by type token. */
export function bucketBehaviours(
  registry: Registry,
  access: AwsAccess,
  store: S3Store,
  now: () => Date,
): Record<string, Behaviour> {
  const bucketOf = (inputs: Props) => {
    const name = required(inputs, "bucket");
    return present(registry, AWS.bucket, name, "NoSuchBucket", "The specified bucket does not exist");
  };
  const alive = (name: string) => registry.get(AWS.bucket, name) !== undefined;
  /** A setting of a bucket, of which there is one: declaring it twice overwrites, as the API does. */
  const setting = (
    check: (inputs: Props, bucket: string) => Promise<unknown> | unknown,
    undo?: (bucket: string) => Promise<unknown>,
  ): Behaviour => ({
    create: async (inputs) => {
      const { id } = bucketOf(inputs);
      const more = (await check(inputs, id)) as Props | undefined;
      return { id, outputs: { ...inputs, bucket: id, ...more } };
    },
    read: async ({ id, outputs }) => (alive(id) ? outputs : undefined),
    update: async ({ id, outputs }, inputs) => ({
      ...outputs,
      ...inputs,
      ...((await check(inputs, id)) as Props | undefined),
    }),
    delete: async ({ id }) => void (alive(id) && (await undo?.(id))),
  });

  return {
    [AWS.bucket]: {
      create: async (inputs, caller) => {
        const name = required(inputs, "bucket");
        checkName(name);
        for (const inline of [
          "policy",
          "versioning",
          "lifecycleRules",
          "serverSideEncryptionConfiguration",
          "objectLockConfiguration",
          "replicationConfiguration",
        ])
          if (inputs[inline] !== undefined)
            throw invalid(
              `${inline} of a bucket is deprecated, and the sandbox does not know it; declare the resource for it`,
            );
        const taken = registry.get(AWS.bucket, name);
        const owner = accountOf(text(taken?.outputs ?? {}, "__owner"));
        if (taken && owner === accountOf(caller))
          throw new CloudError(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
          );
        if (taken)
          throw new CloudError(
            409,
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
          );
        const region = text(inputs, "region");
        await registry.makeOnce(AWS.bucket, name, () => store.createBucket(name, inputs.objectLockEnabled === true));
        if (inputs.objectLockEnabled === true) registry.note(LOCKED, name);
        const outputs = {
          ...inputs,
          arn: `arn:aws:s3:::${name}`,
          bucketRegion: region,
          bucketDomainName: `${name}.s3.amazonaws.com`,
          bucketRegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
          __owner: caller,
        };
        return { id: name, outputs };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      delete: async ({ id, inputs }) => {
        if (inputs.forceDestroy === true) await empty(id);
        await store.deleteBucket(id);
        for (const fact of [LOCKED, UNREADABLE]) registry.forget(fact, id);
      },
    },
    [AWS.bucketVersioning]: setting(
      async (inputs, bucket) => {
        const status = text(first(inputs.versioningConfiguration), "status");
        if (!["Enabled", "Suspended", "Disabled"].includes(status))
          throw new CloudError(400, "MalformedXML", `status "${status}" must be Enabled, Suspended or Disabled`);
        if (status !== "Enabled" && registry.knows(LOCKED, bucket))
          throw new CloudError(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
          );
        if (status !== "Disabled") await store.setVersioning(bucket, status as "Enabled" | "Suspended");
      },
      async (bucket) => {
        // The provider suspends it, and takes no for an answer where objects may be locked.
        if (!registry.knows(LOCKED, bucket)) await store.setVersioning(bucket, "Suspended");
      },
    ),
    [AWS.bucketLock]: setting(async (inputs, bucket) => {
      const versioned = registry.knows(LOCKED, bucket) || versioningOf(registry, bucket) === "Enabled";
      if (!versioned)
        throw new CloudError(
          409,
          "InvalidBucketState",
          "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        );
      checkRetention(first(first(inputs.rule).defaultRetention));
      if (!registry.knows(LOCKED, bucket)) await store.allowLocks(bucket);
      registry.note(LOCKED, bucket);
    }),
    [AWS.bucketPolicy]: setting((inputs, bucket) => {
      const policy = parsePolicy(inputs.policy, "resource", "MalformedPolicy");
      checkPolicy(policy, bucket);
      const block = registry.get(AWS.bucketAccessBlock, bucket)?.inputs;
      if (block?.blockPublicPolicy === true && policy.statements.some(isPublic))
        throw new CloudError(
          403,
          "AccessDenied",
          "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        );
      const refuse = (name: string) =>
        new CloudError(400, "MalformedPolicy", `Invalid principal in policy: "AWS":"${name}"`);
      return { __principals: access.principals(inputs.policy, "resource", refuse) };
    }),
    [AWS.bucketAccessBlock]: setting(() => undefined),
    [AWS.bucketEncryption]: setting((inputs) => {
      for (const rule of (inputs.rules ?? []) as Props[]) {
        const by = first(rule.applyServerSideEncryptionByDefault);
        const algorithm = text(by, "sseAlgorithm");
        if (!["AES256", "aws:kms", "aws:kms:dsse"].includes(algorithm))
          throw new CloudError(
            400,
            "MalformedXML",
            `sseAlgorithm "${algorithm}" must be AES256, aws:kms or aws:kms:dsse`,
          );
        if (algorithm === "AES256" && by.kmsMasterKeyId)
          throw new CloudError(400, "InvalidArgument", "a KMS key goes with aws:kms, not with AES256");
      }
    }),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": setting((inputs) => {
      const wanted = text(first(inputs.rule), "objectOwnership");
      if (!["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"].includes(wanted))
        throw new CloudError(
          400,
          "MalformedXML",
          `objectOwnership "${wanted}" must be BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter`,
        );
    }),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": setting((inputs) => {
      const ids = ((inputs.rules ?? []) as Props[]).map((rule) => checkLifecycle(rule));
      if (new Set(ids).size < ids.length)
        throw new CloudError(400, "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule");
    }),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": setting((inputs, bucket) => {
      const needs = (name: string, which: string) => {
        if (versioningOf(registry, name) !== "Enabled" && !registry.knows(LOCKED, name))
          throw new CloudError(
            400,
            "InvalidRequest",
            `Versioning must be 'Enabled' on the ${which} bucket to apply a replication configuration`,
          );
      };
      needs(bucket, "source");
      if (!access.role(text(inputs, "role")))
        throw new CloudError(400, "InvalidArgument", `The role ${text(inputs, "role")} does not exist`);
      for (const rule of (inputs.rules ?? []) as Props[]) {
        const to = parseArn(text(first(rule.destination), "bucket"))?.resource ?? "";
        if (!alive(to)) throw new CloudError(400, "InvalidRequest", "Destination bucket must exist.");
        needs(to, "destination");
      }
    }),
    "aws:s3/bucketLogging:BucketLogging": setting((inputs) => {
      if (!alive(text(inputs, "targetBucket")))
        throw new CloudError(400, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist");
    }),
    "aws:s3/bucketObjectv2:BucketObjectv2": {
      create: async (inputs) => {
        const { id } = bucketOf(inputs);
        const key = required(inputs, "key");
        await store.put(id, key, contentOf(inputs), text(inputs, "contentType") || "application/octet-stream");
        const head = await store.head(id, key);
        const outputs = {
          ...inputs,
          arn: `arn:aws:s3:::${id}/${key}`,
          etag: (head?.get("etag") ?? "").replaceAll('"', ""),
          versionId: head?.get("x-amz-version-id") ?? "",
        };
        return { id: `${id}/${key}`, outputs };
      },
      read: async ({ inputs, outputs }) =>
        alive(text(inputs, "bucket")) && (await store.head(text(inputs, "bucket"), text(inputs, "key")))
          ? outputs
          : undefined,
      update: async ({ outputs }, inputs) => {
        const [bucket, key] = [required(inputs, "bucket"), required(inputs, "key")];
        await store.put(bucket, key, contentOf(inputs), text(inputs, "contentType") || "application/octet-stream");
        return { ...outputs, ...inputs, versionId: (await store.head(bucket, key))?.get("x-amz-version-id") ?? "" };
      },
      // The provider deletes every version of the key.
      delete: async ({ inputs }) => {
        const [bucket, key] = [text(inputs, "bucket"), text(inputs, "key")];
        if (!alive(bucket)) return;
        for (const version of await store.versions(bucket, key))
          if (version.key === key) await remove(bucket, key, version.versionId);
      },
    },
  };

  async function empty(bucket: string): Promise<void> {
    for (const { key, versionId } of await store.versions(bucket)) await remove(bucket, key, versionId);
  }

  /** @throws CloudError 403 when a lock forbids it, whoever asks */
  async function remove(bucket: string, key: string, versionId: string): Promise<void> {
    const until = (await store.head(bucket, key, versionId))?.get("x-amz-object-lock-retain-until-date");
    const mode = locksOf(registry, bucket).retention?.mode ?? "GOVERNANCE";
    if (until && new Date(until) > now() && mode === "COMPLIANCE")
      throw new CloudError(
        403,
        "AccessDenied",
        `deleting ${bucket}/${key}: Access Denied because object protected by object lock.`,
      );
    await store.deleteVersion(bucket, key, versionId);
  }
}

/** A bucket as the gateway sees it; undefined: there is none. */
export function bucketSettings(registry: Registry, name: string): S3Bucket | undefined {
  const bucket = registry.get(AWS.bucket, name);
  if (!bucket) return undefined;
  const rule = ((registry.get(AWS.bucketEncryption, name)?.inputs.rules ?? []) as Props[])[0];
  const by = first(rule?.applyServerSideEncryptionByDefault);
  const key = text(by, "kmsMasterKeyId");
  const keyArn =
    key && (registry.all(AWS.key).find(({ id, outputs }) => id === key || outputs.arn === key)?.outputs.arn ?? key);
  return {
    name,
    region: text(bucket.outputs, "bucketRegion"),
    locks: locksOf(registry, name),
    encryption: { algorithm: text(by, "sseAlgorithm") || "AES256", ...(keyArn && { keyArn: String(keyArn) }) },
    unreadable: registry.knows(UNREADABLE, name),
  };
}

function locksOf(registry: Registry, bucket: string): BucketLocks {
  const rule = first(registry.get(AWS.bucketLock, bucket)?.inputs.rule);
  const wanted = first(rule.defaultRetention);
  const days = Number(wanted.days ?? 0) || Number(wanted.years ?? 0) * 365;
  return {
    enabled: registry.knows(LOCKED, bucket),
    ...(days > 0 && { retention: { mode: text(wanted, "mode") as Mode, days } }),
  };
}

const versioningOf = (registry: Registry, bucket: string): string =>
  text(first(registry.get(AWS.bucketVersioning, bucket)?.inputs.versioningConfiguration), "status");

function contentOf(inputs: Props): string {
  if (inputs.contentBase64 !== undefined) return Buffer.from(text(inputs, "contentBase64"), "base64").toString("utf8");
  if (inputs.source !== undefined) throw invalid("source: the sandbox does not know assets; use content");
  return text(inputs, "content");
}

function checkName(name: string): void {
  const fits = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") && !isIPv4(name);
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!fits || reserved)
    throw new CloudError(
      400,
      "InvalidBucketName",
      `The specified bucket is not valid: "${name}" must be 3 to 63 lower-case letters, digits, dots and dashes, first and last a letter or digit, no IP address, no reserved prefix or suffix`,
    );
}

function checkRetention(retention: Props): void {
  if (Object.keys(retention).length === 0) return;
  const { mode, days, years } = retention;
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")
    throw new CloudError(400, "MalformedXML", `mode "${mode}" must be GOVERNANCE or COMPLIANCE`);
  if ((days === undefined) === (years === undefined))
    throw new CloudError(400, "MalformedXML", "default retention needs days or years, and not both");
  const count = Number(days ?? 0) || Number(years ?? 0) * 365;
  if (count < 1 || count > DAYS)
    throw new CloudError(
      400,
      "InvalidArgument",
      `Default retention period must be a positive integer value of at most ${DAYS} days, not ${days ?? years}`,
    );
}

function checkPolicy({ statements }: Policy, bucket: string): void {
  for (const { resources = [], notResources = [], actions = [], notActions = [] } of statements) {
    for (const resource of [...resources, ...notResources]) {
      const named = parseArn(resource)?.resource.split("/")[0];
      if (named !== bucket)
        throw new CloudError(
          400,
          "MalformedPolicy",
          `Policy has invalid resource: ${resource} is not of bucket ${bucket}`,
        );
    }
    for (const action of [...actions, ...notActions])
      if (action !== "*" && !action.startsWith("s3:"))
        throw new CloudError(400, "MalformedPolicy", `Policy has invalid action: ${action}`);
  }
}

/** Keys that narrow a statement for everybody down to some. Source: "The meaning of public". */
const NARROWING =
  /^(aws:(sourceip|sourcearn|sourcevpc|sourcevpce|sourceaccount|sourceowner|userid|principalorgid|principalarn|principalaccount)|s3:(dataaccesspointarn|dataaccesspointaccount))$/i;

const isPublic = ({ effect, principals, conditions }: Statement): boolean =>
  effect === "Allow" &&
  (principals?.AWS ?? []).includes("*") &&
  !Object.values(conditions).some((keys) => Object.keys(keys).some((key) => NARROWING.test(key)));

/** Id of a rule that S3 takes. */
function checkLifecycle(rule: Props): string {
  const id = text(rule, "id");
  const wrong = (message: string) => new CloudError(400, "InvalidArgument", `rule "${id}": ${message}`);
  if (id.length > 255) throw wrong("ID length should not exceed allowed limit of 255");
  if (!["Enabled", "Disabled"].includes(text(rule, "status")))
    throw new CloudError(400, "MalformedXML", `rule "${id}": status must be Enabled or Disabled`);
  const days = [
    first(rule.expiration).days,
    first(rule.noncurrentVersionExpiration).noncurrentDays,
    first(rule.abortIncompleteMultipartUpload).daysAfterInitiation,
  ];
  const other = first(rule.expiration);
  const moves = [...((rule.transitions ?? []) as Props[]), ...((rule.noncurrentVersionTransitions ?? []) as Props[])];
  if (
    days.every((each) => each === undefined) &&
    moves.length === 0 &&
    other.date === undefined &&
    other.expiredObjectDeleteMarker === undefined
  )
    throw wrong("At least one action needs to be specified in a rule");
  for (const each of days)
    if (each !== undefined && !(Number(each) > 0)) throw wrong("'Days' must be a positive integer");
  for (const move of moves) {
    const after = Number(move.days ?? move.noncurrentDays ?? 0);
    if (/^(STANDARD_IA|ONEZONE_IA)$/.test(text(move, "storageClass")) && after < 30)
      throw wrong(
        `'Days' in Transition action must be greater than or equal to 30 for storageClass '${move.storageClass}'`,
      );
  }
  return id;
}
