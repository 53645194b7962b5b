/** Hands a request on to the storage server and its answer back. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { linked, type Upstream } from "./upstream";

/** What the storage server answered; 503 when it did not. */
export interface Answer {
  status: number;
  /** False: the client or the storage server went before the end, so nobody knows what was done. */
  complete: boolean;
  /** Of an upload session. */
  location?: string;
}

interface Forwarded {
  request: IncomingMessage;
  response: ServerResponse;
  /** What was read of the body before. */
  head: Buffer | undefined;
}

interface ForwardOptions {
  upstream: Upstream;
  /** The gateway's own address, for what refers to the storage server's. */
  endpoint: string;
  /** Path and query at the storage server. Default: the request's. */
  path?: string;
  /** Generation that the client asked for, where the storage server has it under another. */
  generation?: string;
}

/** Ends when the client has the answer, or one of both has gone. */
export function forward({ request, response, head }: Forwarded, options: ForwardOptions): Promise<Answer> {
  const { upstream, endpoint, generation } = options;
  const path = options.path ?? request.url ?? "/";
  const { host: _, authorization: __, ...headers } = request.headers;
  // Gone while its rights were looked up: no "close" would come any more, and whoever waits for it holds the object.
  if (response.destroyed) return Promise.resolve({ status: 503, complete: false });
  return new Promise((resolve) => {
    let status = 503;
    let answered = false;
    let location: string | undefined;
    const onward = httpRequest(`${upstream.endpoint}${path}`, { method: request.method, headers }, (answer) => {
      status = answer.statusCode ?? 502;
      answered = true;
      if (answer.headers.location) {
        location = answer.headers.location.replace(upstream.endpoint, endpoint);
        answer.headers.location = location;
      }
      if (generation !== undefined) answer.headers["x-goog-generation"] = generation;
      if (isResource(path, answer)) return void answerResource(answer, response, options);
      response.writeHead(status, answer.headers);
      // Broken off there, it is broken off here: a client would wait for the rest.
      pipeline(answer, response, () => {});
    });
    onward.on("error", (error) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(503, { "content-type": "application/json; charset=UTF-8", connection: "close" });
      response.end(JSON.stringify({ error: { code: 503, message: error.message } }));
      request.resume();
    });
    response.on("close", () => {
      if (!response.writableFinished) onward.destroy();
      resolve({ status, complete: response.writableFinished && answered, ...(location ? { location } : {}) });
    });
    if (head?.length) onward.write(head);
    request.pipe(onward);
  });
}

/** Does the answer show an object, and is not an object's content? */
function isResource(path: string, { headers, statusCode }: IncomingMessage): boolean {
  if (statusCode !== 200 || !headers["content-type"]?.startsWith("application/json")) return false;
  return /^\/(storage\/v1|upload|b)\//.test(path) && !/[?&]alt=media/.test(path);
}

/** The answer with the cloud's times, and links to the gateway. */
async function answerResource(
  answer: IncomingMessage,
  response: ServerResponse,
  { upstream, endpoint }: ForwardOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const resource = upstream.dated(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    const body = Buffer.from(JSON.stringify(linked(resource, endpoint)));
    const { "transfer-encoding": _, ...headers } = answer.headers;
    response.writeHead(200, { ...headers, "content-length": body.length }).end(body);
  } catch {
    response.destroy();
  }
}
