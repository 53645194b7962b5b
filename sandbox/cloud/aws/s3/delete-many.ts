/** Deletes many objects in one request: each is decided by itself. Source: "DeleteObjects". */
import type { IncomingMessage } from "node:http";
import pLimit from "p-limit";
import { CloudError } from "../../../lib/types";
import { deletedXml, parseDelete } from "./xml";

/** Objects that one request may name. */
const AT_MOST = 1000;
/** Deletions at once. */
const PARALLEL = 16;

interface Options {
  /** @throws CloudError when the caller may not, or a lock forbids it */
  check(key: string, versionId: string | undefined): Promise<void>;
  remove(key: string, versionId: string | undefined): Promise<IncomingMessage>;
}

/** The answer's body. @throws CloudError 400 when the request is malformed */
export async function deleteMany(body: Buffer, options: Options): Promise<string> {
  const { objects, quiet } = parseDelete(body);
  if (objects.length === 0 || objects.length > AT_MOST)
    throw new CloudError(400, "MalformedXML", "The XML you provided was not well-formed or did not validate");
  const deleted: Record<string, unknown>[] = [];
  const errors: Record<string, unknown>[] = [];
  const limit = pLimit(PARALLEL);
  const one = async ({ key, versionId }: { key: string; versionId?: string }): Promise<void> => {
    const named = { Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
    try {
      await options.check(key, versionId);
      const answer = await options.remove(key, versionId);
      answer.resume();
      if ((answer.statusCode ?? 500) >= 300 && answer.statusCode !== 404)
        throw new CloudError(answer.statusCode ?? 500, "InternalError", "We encountered an internal error.");
      const marker = answer.headers["x-amz-delete-marker"] === "true";
      const made = marker ? { DeleteMarker: true, DeleteMarkerVersionId: answer.headers["x-amz-version-id"] } : {};
      if (!quiet) deleted.push({ ...named, ...made });
    } catch (error) {
      const { reason, message } =
        error instanceof CloudError ? error : new CloudError(500, "InternalError", String(error));
      errors.push({ ...named, Code: reason, Message: message });
    }
  };
  await Promise.all(objects.map((object) => limit(() => one(object))));
  return deletedXml(deleted, errors);
}
