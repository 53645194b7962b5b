/** Which actions a request of the S3 API needs. Source: "Actions, resources, and condition keys for Amazon S3". */
import type { IncomingHttpHeaders } from "node:http";

/** What a request does to the data, as far as the gateway has to care. */
export type Kind =
  | "write"
  | "read"
  | "deleteVersion"
  | "delete"
  | "deleteMany"
  | "retention"
  | "copy"
  | "settings"
  | "other";

/** One action that the caller needs. */
export interface Need {
  action: string;
  bucket: string;
  /** Absent: the action is one on the bucket. */
  key?: string;
}

/** A request as access control sees it. */
export interface Operation {
  kind: Kind;
  bucket: string;
  key?: string;
  versionId?: string;
  needs: Need[];
  /** Setting of the bucket that is asked for, such as `object-lock`. */
  setting?: string;
}

const OBJECT_SETTINGS: Record<string, [read: string, write: string, remove?: string]> = {
  acl: ["GetObjectAcl", "PutObjectAcl"],
  "legal-hold": ["GetObjectLegalHold", "PutObjectLegalHold"],
  retention: ["GetObjectRetention", "PutObjectRetention"],
  tagging: ["GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"],
  attributes: ["GetObjectAttributes", "GetObjectAttributes"],
};

const BUCKET_SETTINGS: Record<string, [read: string, write: string, remove?: string]> = {
  acl: ["GetBucketAcl", "PutBucketAcl"],
  accelerate: ["GetAccelerateConfiguration", "PutAccelerateConfiguration"],
  cors: ["GetBucketCORS", "PutBucketCORS", "PutBucketCORS"],
  encryption: ["GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration"],
  lifecycle: ["GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration"],
  location: ["GetBucketLocation", "GetBucketLocation"],
  logging: ["GetBucketLogging", "PutBucketLogging"],
  notification: ["GetBucketNotification", "PutBucketNotification"],
  "object-lock": ["GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"],
  ownershipControls: ["GetBucketOwnershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls"],
  policy: ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"],
  policyStatus: ["GetBucketPolicyStatus", "GetBucketPolicyStatus"],
  publicAccessBlock: ["GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "PutBucketPublicAccessBlock"],
  replication: ["GetReplicationConfiguration", "PutReplicationConfiguration", "PutReplicationConfiguration"],
  tagging: ["GetBucketTagging", "PutBucketTagging", "PutBucketTagging"],
  versioning: ["GetBucketVersioning", "PutBucketVersioning"],
  website: ["GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"],
};

/** Bucket and key of a path in path style. */
export function target(path: string): { bucket: string; key?: string } {
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?([\s\S]*)$/.exec(path) ?? [];
  const read = decodeURIComponent(key);
  return { bucket: decodeURIComponent(bucket), ...(read && { key: read }) };
}

/** Reads a request. */
export function operationOf(method: string, url: URL, headers: IncomingHttpHeaders): Operation {
  const { bucket, key } = target(url.pathname);
  const query = url.searchParams;
  const versionId = query.get("versionId") ?? undefined;
  const base = { bucket, ...(key !== undefined && { key }), ...(versionId !== undefined && { versionId }) };
  const need = (action: string): Need => ({ action: `s3:${action}`, bucket, ...(key !== undefined && { key }) });
  const is = (kind: Kind, ...needs: Need[]): Operation => ({ kind, ...base, needs });
  const verb = method === "HEAD" ? "GET" : method;

  if (!bucket) return is("other", { action: "s3:ListAllMyBuckets", bucket: "" });
  if (key === undefined) return onBucket(verb, query, bucket, need, is);

  const setting = Object.keys(OBJECT_SETTINGS).find((name) => query.has(name));
  if (setting) {
    const [read, write, remove = write] = OBJECT_SETTINGS[setting]!;
    const action = verb === "GET" ? read : verb === "DELETE" ? remove : write;
    const versioned = versionId && /Tagging|Acl|Attributes/.test(action);
    const name = versioned ? action.replace("Object", "ObjectVersion") : action;
    const lock = verb !== "GET" && (setting === "retention" || setting === "legal-hold");
    return { ...is(lock ? "retention" : "other", need(name)), setting };
  }
  const upload = query.has("uploadId");
  if (verb === "GET") {
    if (upload) return is("other", need("ListMultipartUploadParts"));
    return is("read", need(versionId ? "GetObjectVersion" : "GetObject"));
  }
  if (verb === "DELETE") {
    if (upload) return is("other", need("AbortMultipartUpload"));
    return is(versionId ? "deleteVersion" : "delete", need(versionId ? "DeleteObjectVersion" : "DeleteObject"));
  }
  if (query.has("restore")) return is("other", need("RestoreObject"));
  if (query.has("select")) return is("read", need("GetObject"));
  const source = headers["x-amz-copy-source"];
  const needs = [need("PutObject")];
  if (headers["x-amz-tagging"]) needs.push(need("PutObjectTagging"));
  // `private` is what an object has anyway. Elastic's clients always send it, and Elastic's own policies for them go without.
  if (headers["x-amz-acl"] && headers["x-amz-acl"] !== "private") needs.push(need("PutObjectAcl"));
  if (headers["x-amz-object-lock-mode"]) needs.push(need("PutObjectRetention"));
  if (headers["x-amz-object-lock-legal-hold"]) needs.push(need("PutObjectLegalHold"));
  if (!source) return is("write", ...needs);
  const [path = "", version] = String(source).split("?versionId=");
  const from = target(path.startsWith("/") ? path : `/${path}`);
  return is(
    "copy",
    { action: `s3:${version ? "GetObjectVersion" : "GetObject"}`, bucket: from.bucket, key: from.key ?? "" },
    ...needs,
  );
}

function onBucket(
  verb: string,
  query: URLSearchParams,
  bucket: string,
  need: (action: string) => Need,
  is: (kind: Kind, ...needs: Need[]) => Operation,
): Operation {
  if (verb === "POST" && query.has("delete")) return is("deleteMany");
  const setting = Object.keys(BUCKET_SETTINGS).find((name) => query.has(name));
  if (setting) {
    const [read, write, remove = write] = BUCKET_SETTINGS[setting]!;
    const action = verb === "GET" ? read : verb === "DELETE" ? remove : write;
    return { ...is(verb === "GET" ? "settings" : "other", { action: `s3:${action}`, bucket }), setting };
  }
  if (verb === "GET") {
    if (query.has("uploads")) return is("other", need("ListBucketMultipartUploads"));
    if (query.has("versions")) return is("other", need("ListBucketVersions"));
    return is("other", need("ListBucket"));
  }
  return is("other", need(verb === "DELETE" ? "DeleteBucket" : "CreateBucket"));
}

/** Condition keys of a request, see "Condition keys for Amazon S3". */
export function contextOf(url: URL, headers: IncomingHttpHeaders, now: Date): Record<string, string | undefined> {
  const query = url.searchParams;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return value === undefined ? undefined : String(value);
  };
  const until = header("x-amz-object-lock-retain-until-date");
  const left = until === undefined ? undefined : Math.ceil((Date.parse(until) - now.getTime()) / 86_400_000);
  return {
    "s3:prefix": query.get("prefix") ?? undefined,
    "s3:delimiter": query.get("delimiter") ?? undefined,
    "s3:max-keys": query.get("max-keys") ?? undefined,
    "s3:VersionId": query.get("versionId") ?? undefined,
    "s3:x-amz-acl": header("x-amz-acl"),
    "s3:x-amz-content-sha256": header("x-amz-content-sha256"),
    "s3:x-amz-copy-source": header("x-amz-copy-source"),
    "s3:x-amz-server-side-encryption": header("x-amz-server-side-encryption"),
    "s3:x-amz-server-side-encryption-aws-kms-key-id": header("x-amz-server-side-encryption-aws-kms-key-id"),
    "s3:x-amz-server-side-encryption-customer-algorithm": header("x-amz-server-side-encryption-customer-algorithm"),
    "s3:x-amz-storage-class": header("x-amz-storage-class"),
    "s3:if-match": header("if-match"),
    "s3:if-none-match": header("if-none-match"),
    "s3:object-lock-mode": header("x-amz-object-lock-mode"),
    "s3:object-lock-retain-until-date": until,
    "s3:object-lock-legal-hold": header("x-amz-object-lock-legal-hold"),
    "s3:object-lock-remaining-retention-days": left === undefined ? undefined : String(left),
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:authType": query.has("X-Amz-Signature") ? "REST-QUERY-STRING" : "REST-HEADER",
    "s3:TlsVersion": "1.3",
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
  };
}
