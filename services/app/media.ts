/**
 * The product's media over HTTP: read where the region writes them, then from the copy, and written to the first alone; customers'
 * own buckets where they are. Bodies go through as streams, of a size that is told beforehand.
 */
import { request as http, type IncomingMessage } from "node:http";
import { customerPlaces } from "./customers";
import type { Answer, Route } from "./http";
import { log } from "./log";
import type { ApiSettings } from "./settings";
import { type Place, passing, SILENT_MS, StorageError } from "./storage";
import { googleStorage } from "./storage-google";
import { s3Storage } from "./storage-s3";

/** Largest object of the sample, in bytes. */
export const MEDIA_BYTES = 64 << 20;

/** Uploads of one process at once; each holds a part in memory, about 10 MB. */
const UPLOADS = 16;

/** Routes of the media. Which buckets there are is told to nobody: customers' are among them. */
export function mediaRoutes(places: ReadonlyMap<string, Place>): Route[] {
  const path = /^\/api\/media\/([^/]+)\/(.+)$/;
  let uploads = 0;
  const found = ([, bucket, object]: RegExpExecArray) => {
    const place = places.get(decoded(bucket!));
    if (!place) throw problem(404, `no bucket ${decoded(bucket!)}`);
    const name = decoded(object!);
    if (Buffer.byteLength(name) > NAME_BYTES) throw problem(400, `a name of more than ${NAME_BYTES} bytes`);
    return { ...place, name };
  };
  return [
    [
      "GET",
      path,
      async (_request, match, _query, gone): Promise<Answer> => {
        const { storage, live, copies, name } = found(match);
        for (const bucket of [live, copies]) {
          const object = bucket === undefined ? undefined : await asked(storage.read(bucket, name, gone));
          if (object) return { status: 200, body: object.stream, ...described(object.type, object.bytes) };
        }
        throw problem(404, `no object ${name} in ${decoded(match[1]!)}`);
      },
    ],
    [
      "PUT",
      path,
      async (request, match, _query, gone): Promise<Answer> => {
        const { storage, live, name } = found(match);
        const bytes = sizeOf(request);
        const type = request.headers["content-type"] ?? UNKNOWN;
        if (uploads >= UPLOADS) throw problem(503, `${UPLOADS} uploads are under way here; send it again`);
        uploads++;
        try {
          await asked(storage.write(live, name, { stream: request, bytes, type }, gone));
        } finally {
          uploads--;
        }
        return { status: 200, body: { bucket: decoded(match[1]!), name, bytes } };
      },
    ],
  ];
}

const UNKNOWN = "application/octet-stream";
/** Longest name of an object, in bytes, in both clouds. */
const NAME_BYTES = 1024;
/** What a browser may show: nothing that can run. */
const SHOWN = /^(video\/[\w.+-]+|audio\/[\w.+-]+|image\/(png|jpeg|gif|webp|avif))$/;

/** How an object is handed out: whoever wrote it chose its type, and it must not act as the product in a browser. */
function described(type = UNKNOWN, bytes?: number): Pick<Answer, "type" | "headers"> {
  return {
    type,
    headers: {
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      ...(!SHOWN.test(type) && { "content-disposition": "attachment" }),
      ...(bytes !== undefined && { "content-length": String(bytes) }),
    },
  };
}

/** What the storage says. Why it does not do as it is asked is for the log. @throws with status 502 */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    log({ severity: "ERROR", storage: error.message });
    throw problem(502, "the storage refused the request, or does not answer");
  }
}

/** The size of a body, which the server holds the sender to. @throws with status 411 or 413 */
export function sizeOf(request: IncomingMessage): number {
  const told = request.headers["content-length"];
  if (told === undefined) throw problem(411, "the size is not known; send Content-Length");
  if (Number(told) > MEDIA_BYTES) throw problem(413, `${told} bytes; allowed: at most ${MEDIA_BYTES}`);
  return Number(told);
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
export function mediaOf(
  options: Pick<ApiSettings, "MEDIA_BUCKETS" | "MEDIA_COPIES" | "CUSTOMERS" | "REGION">,
): Route[] {
  const { MEDIA_BUCKETS, MEDIA_COPIES, CUSTOMERS, REGION } = options;
  const [google, s3] = [googleStorage(), s3Storage({ region: REGION })];
  const places = new Map<string, Place>();
  for (const [index, entry] of MEDIA_BUCKETS.entries()) {
    const [name = "", live] = entry.split("=s3://");
    const copies = MEDIA_COPIES[index]?.replace("s3://", "");
    places.set(name, live === undefined ? { storage: google, live: name } : { storage: s3, live, copies });
  }
  for (const [name, place] of customerPlaces(CUSTOMERS, REGION)) places.set(name, place);
  return mediaRoutes(places);
}

/** Hands a request for media on to the API, once: a body that has gone through cannot be sent again. */
export async function mediaProxied(request: IncomingMessage, url: URL, gone: AbortSignal): Promise<Answer> {
  const method = request.method ?? "GET";
  const headers: Record<string, string> = {};
  if (method === "PUT") {
    headers["content-length"] = String(sizeOf(request));
    headers["content-type"] = request.headers["content-type"] ?? UNKNOWN;
  }
  const answer = await send(url, method, headers, gone, method === "PUT" ? request : undefined);
  const type = answer.headers["content-type"];
  const bytes = answer.headers["content-length"];
  const status = answer.statusCode ?? 502;
  if (status !== 200 || method === "PUT") return { status, body: answer, type };
  return { status, body: answer, ...described(type, bytes === undefined ? undefined : Number(bytes)) };
}

/** How long the API may take to answer, or to take more of a body, in milliseconds: longer than its own wait for a storage. */
const ANSWER_MS = SILENT_MS + 5_000;

function send(
  url: URL,
  method: string,
  headers: Record<string, string>,
  gone: AbortSignal,
  body?: IncomingMessage,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = http(url, { method, headers, signal: gone }, (answer) => {
      // Whoever reads slowly is not silent.
      call.setTimeout(0);
      resolve(answer);
    });
    call.setTimeout(ANSWER_MS, () => call.destroy(new Error(`silent for ${ANSWER_MS} ms`)));
    call.on("error", (error) => reject(problem(502, `the API does not answer: ${error.message}`)));
    if (!body) return void call.end();
    const sent = passing(body, () => undefined);
    call.on("close", () => sent.destroy());
    sent.pipe(call);
  });
}
