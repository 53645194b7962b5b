/**
 * Versions of objects through Cloud Storage's JSON API: rclone's gcs backend knows live objects only. The identity is the
 * pod's (application default credentials); copies are made by the storage itself, no byte passes through the job.
 */
import { Gaxios, GaxiosError, type GaxiosOptions, type GaxiosResponse } from "gaxios";
import { GoogleAuth } from "google-auth-library";
import { byBytes } from "./listing";
import { StorageError } from "./rclone";

/** A version of an object; sizes and generations are texts, as the API has them. */
export interface ObjectVersion {
  name: string;
  generation: string;
  size: string;
  /** Base64; absent for objects that were composed of parts. */
  md5Hash?: string;
  /** Base64. */
  crc32c: string;
  timeCreated: string;
  /** Since then it is noncurrent; absent: it is live. */
  timeDeleted?: string;
}

/** What is wanted of a bucket: everything, what begins with `prefix`, or `object` alone. */
export interface Selection {
  prefix?: string;
  object?: string;
}

/** A name with the version that was live at a moment, and the one that is live now; one of both may be absent. */
export interface NameAt {
  key: string;
  former?: ObjectVersion;
  live?: ObjectVersion;
}

/** An answer of the API that is no success. `denied`: the storage refused the identity. */
export class ApiError extends StorageError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message, status === 401 || status === 403);
    this.name = "ApiError";
  }
}

const API = "https://storage.googleapis.com/storage/v1/";
const PAGE = 1000;
const FIELDS = "items(name,generation,size,md5Hash,crc32c,timeCreated,timeDeleted),nextPageToken";

let auth: GoogleAuth | undefined;

/** One call, repeated while the storage is busy. @throws ApiError for what it refuses in the end */
async function call<T>(path: string, options: GaxiosOptions): Promise<T> {
  const emulator = process.env.STORAGE_EMULATOR_HOST;
  const request: GaxiosOptions = {
    ...options,
    url: new URL(path, emulator ? `${emulator}/storage/v1/` : API),
    retryConfig: {
      retry: 6,
      noResponseRetries: 6,
      httpMethodsToRetry: ["DELETE", "GET", "POST"],
      statusCodesToRetry: [
        [408, 408],
        [429, 429],
        [500, 599],
      ],
    },
  };
  try {
    auth ??= new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/devstorage.read_write"] });
    const answer: GaxiosResponse<T> = await (emulator ? new Gaxios().request<T>(request) : auth.request<T>(request));
    return answer.data;
  } catch (error) {
    if (!(error instanceof GaxiosError)) throw error;
    throw new ApiError(`${options.method} ${path}: ${error.message}`, error.status ?? 0);
  }
}

/** Which of these permissions the identity has on a bucket. */
export async function permissionsOn(bucket: string, permissions: readonly string[]): Promise<string[]> {
  const query = permissions.map((each) => `permissions=${each}`).join("&");
  const path = `b/${bucket}/iam/testPermissions?${query}`;
  return (await call<{ permissions?: string[] }>(path, { method: "GET" })).permissions ?? [];
}

/**
 * Names in the order of the storage's listings, each with the version of the moment and the live one. One page is in memory.
 * @throws ApiError when a page cannot be had, after the names until then; StorageError when it is out of order
 */
export async function* namesAt(bucket: string, selection: Selection, moment: Date): AsyncGenerator<NameAt> {
  let current: NameAt | undefined;
  for await (const version of versions(bucket, selection)) {
    if (current !== undefined && current.key !== version.name) {
      if (byBytes(current.key, version.name) > 0)
        throw new StorageError(`gs://${bucket} lists ${version.name} after ${current.key}: out of order`, false);
      yield current;
      current = undefined;
    }
    current ??= { key: version.name };
    if (wasLive(version, moment)) current.former = version;
    if (version.timeDeleted === undefined) current.live = version;
  }
  if (current !== undefined) yield current;
}

/** Was this version live at a moment? */
export function wasLive({ timeCreated, timeDeleted }: ObjectVersion, moment: Date): boolean {
  return Date.parse(timeCreated) <= moment.getTime() && !(timeDeleted && Date.parse(timeDeleted) <= moment.getTime());
}

/** Live objects below a prefix in the order of the storage's listings, with when they were created. One page is in memory. */
export async function* liveObjects(bucket: string, prefix: string): AsyncGenerator<ObjectVersion & { key: string }> {
  let last: string | undefined;
  for await (const version of versions(bucket, { prefix })) {
    if (version.timeDeleted !== undefined) continue;
    if (last !== undefined && byBytes(last, version.name) >= 0)
      throw new StorageError(`gs://${bucket} lists ${version.name} after ${last}: out of order`, false);
    last = version.name;
    yield { ...version, key: version.name };
  }
}

/** Removes a live object if it is still this generation; one that is gone or another by now is none of ours. */
export async function removeLive(
  bucket: string,
  { name, generation }: Pick<ObjectVersion, "name" | "generation">,
): Promise<void> {
  try {
    await call(`b/${bucket}/o/${encodeURIComponent(name)}?ifGenerationMatch=${generation}`, { method: "DELETE" });
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 412)) throw error;
  }
}

async function* versions(bucket: string, { prefix, object }: Selection): AsyncGenerator<ObjectVersion> {
  const query = {
    versions: "true",
    maxResults: String(PAGE),
    fields: FIELDS,
    ...(prefix === undefined ? {} : { prefix }),
    // The end is not part of the listing: of the object alone.
    ...(object === undefined ? {} : { startOffset: object, endOffset: `${object}\0` }),
  };
  for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
    const given = new URLSearchParams({ ...query, ...(pageToken === "" ? {} : { pageToken }) });
    const page: { items?: ObjectVersion[]; nextPageToken?: string } = await call(`b/${bucket}/o?${given}`, {
      method: "GET",
    });
    yield* page.items ?? [];
    pageToken = page.nextPageToken;
  }
}

/** Same content? Checksums are of the content alone, so a copy of a composed object has the same crc32c. */
export function isSame(one: ObjectVersion, other: ObjectVersion): boolean {
  if (one.size !== other.size) return false;
  return one.md5Hash && other.md5Hash ? one.md5Hash === other.md5Hash : one.crc32c === other.crc32c;
}

/** The live object of a name. */
async function liveObject(bucket: string, name: string): Promise<ObjectVersion | undefined> {
  try {
    return await call(`b/${bucket}/o/${encodeURIComponent(name)}`, { method: "GET" });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Makes a version of one bucket the live object of another (or the same), with its metadata.
 * @param expected generation that is live there now, undefined: none. Another one stays as it is.
 * @throws ApiError 412 when something else is live by now, 404 when the version is gone
 */
export async function makeLive(
  from: string,
  version: ObjectVersion,
  to: string,
  expected: string | undefined,
): Promise<void> {
  try {
    await rewrite(from, version, to, expected);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 412)) throw error;
    // A call whose answer was lost is repeated: then what is live is what it made.
    const live = await liveObject(to, version.name);
    if (!live || !isSame(live, version)) throw error;
  }
}

async function rewrite(from: string, { name, generation }: ObjectVersion, to: string, expected: string | undefined) {
  const object = encodeURIComponent(name);
  const query = { sourceGeneration: generation, ifGenerationMatch: expected ?? "0" };
  // A large object takes several calls; each carries the condition.
  for (let rewriteToken: string | undefined = ""; rewriteToken !== undefined; ) {
    const given = new URLSearchParams({ ...query, ...(rewriteToken === "" ? {} : { rewriteToken }) });
    const answer: { done: boolean; rewriteToken?: string } = await call(
      `b/${from}/o/${object}/rewriteTo/b/${to}/o/${object}?${given}`,
      { method: "POST" },
    );
    rewriteToken = answer.done ? undefined : answer.rewriteToken;
  }
}
