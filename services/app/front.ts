/**
 * The front: the page, the way to the API, and the answer to the load balancer's health checks. That answer is the
 * region's, not only the pod's: a region whose API is not ready gets no users while another one is (D1).
 */
import { request as http, type IncomingMessage } from "node:http";
import { healthCheck } from "../../plan/traffic";
import { type Answer, bodyOf, cached, type Route, serve } from "./http";

/** For how long a look at the API counts, in milliseconds. */
const FRESH_MS = 500;
/** Shorter than a health check, so that it gets an answer. */
const HEALTH_MS = healthCheck.timeoutSeconds * 1000 - 500;
const CALL_MS = 25_000;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>iconik</title>
<h1>iconik</h1>
<form action="/api/assets"><input name="q" placeholder="Search assets"> <button>Search</button></form>
</html>
`;

/** Starts the front. */
export async function front(options: { HOST: string; PORT: number; REGION: string; API_URL: string }): Promise<void> {
  await serve(routes(options.API_URL), options);
}

export function routes(api: string): Route[] {
  const region = cached(async (): Promise<Answer> => {
    try {
      const { status } = await forward(new URL("/readyz", api), "GET", undefined, HEALTH_MS);
      return status === 200 ? { status: 200, body: "ok" } : { status: 503, body: `the API answers ${status}` };
    } catch (error) {
      return { status: 503, body: `the API does not answer: ${(error as Error).message}` };
    }
  }, FRESH_MS);
  return [
    ["GET", /^\/$/, async () => ({ status: 200, body: PAGE, type: "text/html; charset=utf-8" })],
    ["GET", /^\/livez$/, async () => ({ status: 200, body: "ok" })],
    ["GET", new RegExp(`^${healthCheck.path}$`), () => region()],
    ["*", /^\/api\//, (request) => proxied(request, api)],
  ];
}

async function proxied(request: IncomingMessage, api: string): Promise<Answer> {
  const body = request.method === "GET" || request.method === "HEAD" ? undefined : await bodyOf(request);
  // The path alone: an absolute address in a request must not choose where it goes.
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  try {
    return await forward(new URL(`${pathname}${search}`, api), request.method ?? "GET", body, CALL_MS);
  } catch (error) {
    return { status: 502, body: { error: `the API does not answer: ${(error as Error).message}` } };
  }
}

function forward(url: URL, method: string, body: string | undefined, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = http(url, { method, headers: { "content-type": "application/json" } }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 502,
          body: Buffer.concat(parts).toString("utf8"),
          type: response.headers["content-type"],
        }),
      );
    });
    // Of the whole answer: a socket that was just opened has no timeout of its own.
    const timer = setTimeout(() => call.destroy(new Error(`no answer in ${timeout} ms`)), timeout);
    call.on("close", () => clearTimeout(timer));
    call.on("error", reject);
    call.end(body);
  });
}
