/**
 * The product's media over HTTP: read where the region writes them, then from the copy, and written to the first alone.
 * Bodies go through as streams, of a size that is told beforehand.
 *
 * AWS is signed for with aws4fetch and Google asked with google-auth-library: both are in the lock file, and the clouds' whole storage
 * clients are not.
 */
import { readFileSync } from "node:fs";
import { request as http, type IncomingMessage } from "node:http";
import { request as https } from "node:https";
import { AwsV4Signer } from "aws4fetch";
import { GoogleAuth } from "google-auth-library";
import type { Answer, Route } from "./http";
import { log } from "./log";

/** Largest object of the sample, in bytes. */
export const MEDIA_BYTES = 64 << 20;
/** Silence of the storage in milliseconds after which it is given up. */
const SILENT_MS = 20_000;

/** Headers and address of a request to a storage. */
export interface Signed {
  url: URL;
  headers: Record<string, string>;
}

/** Signs for one object of a bucket. */
export type Sign = (method: "GET" | "PUT", bucket: string, name: string) => Promise<Signed>;

/** A bucket by the product's name. */
export interface Place {
  /** Read first, and written. */
  live: string;
  /** Read when an object is not in `live`. */
  copies?: string | undefined;
}

/** Routes of the media. A bucket that is in no place is answered with the names that are. */
export function mediaRoutes(places: ReadonlyMap<string, Place>, sign: Sign): Route[] {
  const path = /^\/api\/media\/([^/]+)\/(.+)$/;
  const found = ([, bucket, name]: RegExpExecArray) => {
    const place = places.get(decoded(bucket!));
    if (place) return { place, name: decoded(name!) };
    const allowed = [...places.keys()].join(", ");
    throw problem(404, `no bucket ${decoded(bucket!)}; allowed: ${allowed}`);
  };
  return [
    [
      "GET",
      path,
      async (_, match): Promise<Answer> => {
        const { place, name } = found(match);
        for (const bucket of [place.live, place.copies]) {
          if (bucket === undefined) continue;
          const answer = await send(await sign("GET", bucket, name), "GET");
          if (answer.statusCode === 200)
            return {
              status: 200,
              body: answer,
              type: answer.headers["content-type"] ?? "application/octet-stream",
            };
          answer.resume();
          if (answer.statusCode !== 404) throw refused("GET", bucket, answer.statusCode);
        }
        throw problem(404, `no object ${name} in ${decoded(match[1]!)}`);
      },
    ],
    [
      "PUT",
      path,
      async (request, match): Promise<Answer> => {
        const { place, name } = found(match);
        const length = sizeOf(request);
        const signed = await sign("PUT", place.live, name);
        const headers = {
          ...signed.headers,
          "content-length": String(length),
          "content-type": request.headers["content-type"] ?? "application/octet-stream",
        };
        const answer = await send({ ...signed, headers }, "PUT", request);
        answer.resume();
        if (answer.statusCode !== 200) throw refused("PUT", place.live, answer.statusCode);
        return { status: 200, body: { bucket: decoded(match[1]!), name, bytes: length } };
      },
    ],
  ];
}

/** The size of a body, which the server holds the sender to. @throws with status 411 or 413 */
export function sizeOf(request: IncomingMessage): number {
  const told = request.headers["content-length"];
  if (told === undefined) throw problem(411, "the size is not known; send Content-Length");
  if (Number(told) > MEDIA_BYTES) throw problem(413, `${told} bytes; allowed: at most ${MEDIA_BYTES}`);
  return Number(told);
}

/** Signs as the pod's service account at Google. */
export function googleSign(endpoint = "https://storage.googleapis.com", auth = tokens()): Sign {
  return async (_method, bucket, name) => ({
    url: new URL(`/${encodeURIComponent(bucket)}/${pathOf(name)}`, endpoint),
    headers: { authorization: `Bearer ${await auth()}` },
  });
}

function tokens(): () => Promise<string | null | undefined> {
  const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/devstorage.read_write" });
  return () => auth.getAccessToken();
}

/** Keys of a session, as Pod Identity's agent gives them. */
interface Keys {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token: string;
  Expiration: string;
}

/** Signs as the pod's role in AWS. */
export function s3Sign(region: string, endpoint = `https://s3.${region}.amazonaws.com`, session = podIdentity()): Sign {
  return async (method, bucket, name) => {
    const keys = await session();
    const signer = new AwsV4Signer({
      method,
      url: new URL(`/${encodeURIComponent(bucket)}/${pathOf(name)}`, endpoint).href,
      // The body is not read before it is sent; TLS protects it.
      headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      accessKeyId: keys.AccessKeyId,
      secretAccessKey: keys.SecretAccessKey,
      sessionToken: keys.Token,
      service: "s3",
      region,
    });
    const { url, headers } = await signer.sign();
    return { url, headers: Object.fromEntries(headers) };
  };
}

/** Minutes before their end at which keys are asked for again. */
const EARLY_MS = 5 * 60_000;

function podIdentity(env = process.env): () => Promise<Keys> {
  let keys: Keys | undefined;
  return async () => {
    if (keys && Date.parse(keys.Expiration) - EARLY_MS > Date.now()) return keys;
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = env;
    if (!uri || !file) throw new Error("the pod has no identity in AWS; its service account needs an association");
    const answer = await fetch(uri, { headers: { authorization: readFileSync(file, "utf8").trim() } });
    if (!answer.ok) throw new Error(`the pod's identity was answered ${answer.status}`);
    keys = (await answer.json()) as Keys;
    return keys;
  };
}

function send({ url, headers }: Signed, method: string, body?: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const broken = (error: Error) => {
      log({ severity: "ERROR", method, storage: url.host, error: error.message });
      reject(problem(502, "the storage does not answer"));
    };
    const call = (url.protocol === "http:" ? http : https)(url, { method, headers }, resolve);
    call.setTimeout(SILENT_MS, () => call.destroy(new Error(`silent for ${SILENT_MS} ms`)));
    call.on("error", broken);
    body?.on("aborted", () => call.destroy(new Error("the sender has gone")));
    if (body) body.pipe(call);
    else call.end();
  });
}

function refused(method: string, bucket: string, status: number | undefined): Error {
  log({ severity: "ERROR", method, bucket, storage: status });
  return problem(502, "the storage refused the request");
}

/** Every character but the slash as the clouds sign it. */
function pathOf(name: string): string {
  const strict = (part: string) =>
    encodeURIComponent(part).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return name.split("/").map(strict).join("/");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw problem(400, `"${text}" is not percent-encoded UTF-8`);
  }
}

const problem = (status: number, message: string) => Object.assign(new Error(message), { status });

/** Routes of the buckets that the environment names; none without. */
export function mediaOf(options: { REGION: string; MEDIA_BUCKETS: string[]; MEDIA_COPIES: string[] }): Route[] {
  const { REGION, MEDIA_BUCKETS: buckets, MEDIA_COPIES: copies } = options;
  const inS3 = buckets.some((bucket) => bucket.includes("s3://"));
  const places = buckets.map((entry, index): [string, Place] => {
    const [name = "", live = name] = entry.split("=s3://");
    return [name, { live, copies: copies[index]?.replace("s3://", "") }];
  });
  return mediaRoutes(new Map(places), inS3 ? s3Sign(REGION, process.env.AWS_ENDPOINT_URL_S3) : googleSign());
}

/** Hands a request for media on to the API, once: a body that has gone through cannot be sent again. */
export async function mediaProxied(request: IncomingMessage, url: URL): Promise<Answer> {
  const method = request.method ?? "GET";
  const headers: Record<string, string> = {};
  if (method === "PUT") {
    headers["content-length"] = String(sizeOf(request));
    headers["content-type"] = request.headers["content-type"] ?? "application/octet-stream";
  }
  const answer = await send({ url, headers }, method, method === "PUT" ? request : undefined);
  return { status: answer.statusCode ?? 502, body: answer, type: answer.headers["content-type"] };
}
