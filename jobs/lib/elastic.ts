/** Elasticsearch's HTTP API with the cluster's own certificate authority and basic authentication, both mounted files. */
import { readFile } from "node:fs/promises";
import { request as plain } from "node:http";
import { request as encrypted } from "node:https";
import { s3Url } from "../../plan/standby";
import type { ElasticsearchAccess } from "../config";

/** An answer that is no success. */
export class ElasticsearchError extends Error {
  constructor(
    readonly status: number,
    call: string,
    readonly body: string,
  ) {
    super(`Elasticsearch answered ${call} with ${status}: ${body.slice(0, 1000)}`);
    this.name = "ElasticsearchError";
  }
}

/** No answer within the time that a call was given. */
export class NoAnswerError extends Error {
  constructor(
    call: string,
    readonly seconds: number,
  ) {
    super(`no answer to ${call} in ${seconds} s`);
    this.name = "NoAnswerError";
  }
}

/** Sends a request and parses the answer. Paths carry their query. `seconds` of silence end it; default: {@link CALL_SECONDS}. */
export type Elasticsearch = <T>(
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  body?: unknown,
  seconds?: number,
) => Promise<T>;

/** Name under which the backup bucket is registered in every Elasticsearch cluster. */
export const snapshotRepository = "backups";

/** Seconds in which a call has to say something; long work is polled, or given more. */
export const CALL_SECONDS = 60;

/** Reads the mounted credentials and returns the client. @throws when a file is absent. */
export async function connect(access: ElasticsearchAccess): Promise<Elasticsearch> {
  const ca = await readFile(access.caFile, "utf8");
  const password = (await readFile(access.passwordFile, "utf8")).trim();
  return elasticsearchOf({ url: access.url, user: access.user, password, ca });
}

/** Who asks which cluster: the authority of its certificate in PEM. A node in the job's own pod asks for neither. */
export interface Credentials {
  url: string;
  user?: string;
  password?: string;
  ca?: string;
}

/** A client of a cluster. */
export function elasticsearchOf({ url, user, password, ca }: Credentials): Elasticsearch {
  const headers = {
    "content-type": "application/json",
    ...(user !== undefined && { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }),
  };
  const request = url.startsWith("http:") ? plain : encrypted;
  return (method, path, body, seconds = CALL_SECONDS) => {
    const content = body === undefined ? "" : JSON.stringify(body);
    // Node says nothing of the body of a DELETE, and a server would read it as the next request.
    const length = { "content-length": Buffer.byteLength(content) };
    const options = { method, ca, timeout: seconds * 1000, headers: { ...headers, ...length } };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), options, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) {
            reject(new ElasticsearchError(status, `${method} ${path}`, text));
            return;
          }
          try {
            resolve(JSON.parse(text));
          } catch {
            reject(new ElasticsearchError(status, `${method} ${path}`, `no JSON: ${text}`));
          }
        });
      });
      sent.on("timeout", () => sent.destroy(new NoAnswerError(`${method} ${path}`, seconds)));
      sent.on("error", reject);
      sent.end(content);
    });
  };
}

/** {@link Elasticsearch} for what may not be there: a 404 is undefined. */
export async function find<T>(call: Elasticsearch, path: string): Promise<T | undefined> {
  try {
    return await call<T>("GET", path);
  } catch (error) {
    if (error instanceof ElasticsearchError && error.status === 404) {
      return undefined;
    }
    throw error;
  }
}

/** In S3 objects go up in one part, up to its 5 GiB: those of many parts have no MD5 in a listing, by which copies are compared. */
const singleParts = { buffer_size: "5gb", chunk_size: "5gb" };

/** Settings of the snapshot repository. The pod's own identity reaches the bucket: no client secret is named. */
export function repositoryBody(bucket: string, basePath: string, readonly: boolean) {
  const s3 = s3Url("");
  return bucket.startsWith(s3)
    ? { type: "s3", settings: { bucket: bucket.slice(s3.length), base_path: basePath, readonly, ...singleParts } }
    : { type: "gcs", settings: { bucket, base_path: basePath, readonly } };
}
