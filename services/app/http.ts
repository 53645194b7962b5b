/** A small HTTP server: routes by method and path, JSON answers, an orderly end. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { pipeline, Readable } from "node:stream";
import { regionHeader } from "../../plan/traffic";
import { log } from "./log";

/** An answer; `body` is written as JSON unless it is text or a stream, which goes through as it comes. */
export interface Answer {
  status: number;
  body: unknown;
  type?: string | undefined;
  /** More headers. */
  headers?: Record<string, string>;
}

/** @param gone aborted when the client leaves before it has its answer */
export type Handler = (
  request: IncomingMessage,
  match: RegExpExecArray,
  query: URLSearchParams,
  gone: AbortSignal,
) => Promise<Answer>;
export type Route = [method: string, path: RegExp, handler: Handler];

/** Largest request body, in bytes. */
const BODY_BYTES = 64 << 10;
/** Longer than a load balancer keeps an idle connection (600 s), which must be the one to close it. */
const KEEP_ALIVE_MS = 620_000;

/** Serves routes; a handler that throws becomes a 503 that says why, also in the log. Every answer names the region that gives it. */
export function serve(
  routes: Route[],
  { HOST, PORT, REGION }: { HOST: string; PORT: number; REGION: string },
): Promise<Server> {
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    void answer(routes, request, gone.signal).then(({ status, body, type, headers }) => {
      if (body instanceof Readable) {
        response.writeHead(status, {
          ...headers,
          "content-type": type ?? "application/octet-stream",
          [regionHeader]: REGION,
          ...(ending && { connection: "close" }),
        });
        if (request.method === "HEAD") {
          body.destroy();
          response.end();
        } else pipeline(body, response, () => undefined);
        return;
      }
      const text = typeof body === "string" ? body : JSON.stringify(body);
      response.writeHead(status, {
        "content-type": type ?? (typeof body === "string" ? "text/plain; charset=utf-8" : "application/json"),
        "content-length": Buffer.byteLength(text),
        [regionHeader]: REGION,
        ...(ending && { connection: "close" }),
      });
      response.end(request.method === "HEAD" ? undefined : text);
    });
  });
  servers.add(server);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(PORT, HOST, () => resolve(server));
  });
}

/**
 * Takes no more connections, closes those that are idle and finishes what has begun; resolves when all of it is answered, or
 * after the time.
 */
export async function drain(withinMs: number): Promise<void> {
  ending = true;
  const closed = [...servers].map((server) => new Promise((resolve) => server.close(resolve)));
  await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, withinMs))]);
}

/** Servers of this process, and whether they are to end. */
const servers = new Set<Server>();
let ending = false;

/** Where a request goes, by its path alone: an absolute address in it chooses nothing. Undefined: it has no path. */
export function targetOf({ url = "/" }: IncomingMessage): URL | undefined {
  return URL.canParse(url, BASE) ? new URL(url, BASE) : undefined;
}
const BASE = "http://localhost";

async function answer(routes: Route[], request: IncomingMessage, gone: AbortSignal): Promise<Answer> {
  const target = targetOf(request);
  if (!target) return { status: 400, body: { error: "the request has no path" } };
  const { pathname, searchParams } = target;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const fitting = routes.filter(([, path]) => path.test(pathname));
  const route = fitting.find(([wanted]) => wanted === method || wanted === "*");
  if (!route) return { status: fitting.length > 0 ? 405 : 404, body: { error: `no ${method} ${pathname}` } };
  try {
    return await route[2](request, route[1].exec(pathname)!, searchParams, gone);
  } catch (error) {
    const { status = 503, message } = error as { status?: number; message: string };
    if (status >= 500) log({ severity: "ERROR", method, path: pathname, status, error: message });
    return { status, body: { error: message } };
  }
}

/** The whole body of a request. @throws with status 413 when it is too large */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES) throw Object.assign(new Error(`more than ${BODY_BYTES} bytes`), { status: 413 });
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** A check's last result for as long as it is fresh; several callers share one check. */
export function cached<T>(check: () => Promise<T>, freshMs: number): () => Promise<T> {
  let last: { at: number; result: Promise<T> } | undefined;
  return () => {
    if (!last || Date.now() - last.at > freshMs) last = { at: Date.now(), result: check() };
    return last.result;
  };
}
