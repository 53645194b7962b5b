/** Bodies of the S3 API that the gateway reads and writes itself. */
import { XMLBuilder, XMLParser } from "fast-xml-parser";
import { CloudError } from "../../../lib/types";
import type { BucketLocks, Lock } from "./locks";

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "Object" });
const builder = new XMLBuilder({});
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const write = (root: string, content: Record<string, unknown>, namespace = true): string =>
  `${HEAD}${builder.build({ [root]: content })}`.replace(
    `<${root}>`,
    namespace ? `<${root} xmlns="${NAMESPACE}">` : `<${root}>`,
  );

/** A refusal. */
export const errorXml = (code: string, message: string, resource: string): string =>
  write("Error", { Code: code, Message: message, Resource: resource.split("?")[0], RequestId: "sandbox" }, false);

/** Locks of a bucket. @throws CloudError 404 when it has none */
export function lockXml({ enabled, retention }: BucketLocks): string {
  if (!enabled)
    throw new CloudError(
      404,
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
    );
  return write("ObjectLockConfiguration", {
    ObjectLockEnabled: "Enabled",
    ...(retention && { Rule: { DefaultRetention: { Mode: retention.mode, Days: retention.days } } }),
  });
}

/** Retention of a version; none: it ends. */
export const retentionXml = (lock: Lock | undefined): string =>
  write("Retention", lock ? { Mode: lock.mode, RetainUntilDate: lock.until.toISOString() } : {});

/** What a retention asks for. */
export function parseRetention(body: Buffer): { mode?: string; until?: string } {
  const { Retention = {} } = parsed(body) as { Retention?: { Mode?: string; RetainUntilDate?: string } };
  return { mode: Retention.Mode, until: Retention.RetainUntilDate };
}

/** Versions that are to be deleted at once. */
export function parseDelete(body: Buffer): { objects: { key: string; versionId?: string }[]; quiet: boolean } {
  const { Delete = {} } = parsed(body) as {
    Delete?: { Quiet?: string; Object?: { Key?: string; VersionId?: string }[] };
  };
  const objects = (Delete.Object ?? []).map(({ Key = "", VersionId }) => ({
    key: String(Key),
    ...(VersionId !== undefined && { versionId: String(VersionId) }),
  }));
  return { objects, quiet: Delete.Quiet === "true" };
}

/** What became of the versions that were to be deleted. */
export const deletedXml = (deleted: Record<string, unknown>[], errors: Record<string, unknown>[]): string =>
  write("DeleteResult", { Deleted: deleted, Error: errors });

function parsed(body: Buffer): unknown {
  try {
    return parser.parse(body);
  } catch {
    throw new CloudError(400, "MalformedXML", "The XML you provided was not well-formed");
  }
}
