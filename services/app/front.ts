/**
 * The front: the page, the way to the API, and the answer to the load balancer's health checks. That answer is the
 * region's, not only the pod's: a region whose API is not ready gets no users while another one is (D1).
 */
import { request as http, type IncomingMessage, type RequestOptions } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { healthCheck } from "../../plan/traffic";
import { stampHeader } from "./clock";
import { type Answer, bodyOf, cached, type Route, serve, targetOf } from "./http";
import { mediaProxied } from "./media";

/** For how long a look at the API counts, in milliseconds. */
const FRESH_MS = 500;
/** Shorter than a health check, so that it gets an answer. */
const HEALTH_MS = healthCheck.timeoutSeconds * 1000 - 500;
/** Looks at the API for one health check, and milliseconds between two of them. */
const LOOKS = 3;
const LOOK_MS = 400;
const CALL_MS = 25_000;
/** After as many milliseconds without an answer, what may be made twice is asked of another pod of the API. */
const SILENT_MS = 3_000;
/** Milliseconds before it is; and how often, when pods refuse or end under it. */
const AGAIN_MS = 50;
const AGAIN = 2;
/** Repetitions of silence: as a share of what is asked, and how many may be saved up. */
const SHARE = 0.1;
const BURST = 20;
/** Methods that may be made twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE"];

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
  const budget = new Budget();
  const region = cached(async (): Promise<Answer> => {
    try {
      const { status } = await look(new URL("/readyz", api));
      return status === 200 ? { status: 200, body: "ok" } : { status: 503, body: `the API answers ${status}` };
    } catch (error) {
      return { status: 503, body: `the API does not answer: ${(error as Error).message}` };
    }
  }, FRESH_MS);
  return [
    ["GET", /^\/$/, async () => ({ status: 200, body: PAGE, type: "text/html; charset=utf-8" })],
    ["GET", /^\/livez$/, async () => ({ status: 200, body: "ok" })],
    ["GET", new RegExp(`^${healthCheck.path}$`), () => region()],
    [
      "*",
      /^\/api\/media\//,
      (request, _match, _query, gone) => mediaProxied(request, new URL(targetOf(request)!.pathname, api), gone),
    ],
    ["*", /^\/api\//, (request, _match, _query, gone) => proxied(request, api, budget, gone)],
  ];
}

async function proxied(request: IncomingMessage, api: string, budget: Budget, gone: AbortSignal): Promise<Answer> {
  const body = request.method === "GET" || request.method === "HEAD" ? undefined : await bodyOf(request);
  const { pathname, search } = targetOf(request)!;
  try {
    return await forward(new URL(`${pathname}${search}`, api), request.method ?? "GET", body, budget, gone);
  } catch (error) {
    return { status: 502, body: { error: `the API does not answer: ${(error as Error).message}` } };
  }
}

/**
 * Is the API ready? Asked anew, over a connection of its own, while nobody has answered: a pod of a machine that has died, which Services
 * know for some time yet, does not speak for its region.
 */
async function look(url: URL): Promise<Answer> {
  let over = false;
  const looks = Array.from({ length: LOOKS }, async (_, turn) => {
    await sleep(turn * LOOK_MS);
    if (over) throw new Error("somebody has answered");
    const answer = await call(url, { method: "GET", agent: false }, undefined, HEALTH_MS - turn * LOOK_MS);
    over = true;
    return answer;
  });
  return Promise.any(looks).catch(({ errors: [first] }: AggregateError) => {
    throw first;
  });
}

/**
 * Hands a request on; one that may be made twice is, over another connection, when a pod ends under it or says nothing, for as long as its
 * client is there. The repetitions of silence have a budget: a region that is only slow would get slower with each.
 */
async function forward(
  url: URL,
  method: string,
  body: string | undefined,
  budget: Budget,
  gone: AbortSignal,
): Promise<Answer> {
  if (!IDEMPOTENT.includes(method)) return call(url, { method, signal: gone }, body, CALL_MS);
  budget.earn();
  const over = Date.now() + CALL_MS;
  let stamp = Date.now();
  let unanswered = false;
  for (let broken = 0; ; await sleep(AGAIN_MS)) {
    const headers = method === "PUT" ? { [stampHeader]: String(stamp) } : undefined;
    try {
      const answer = await call(url, { method, headers, signal: gone }, body, over - Date.now(), () => budget.spend());
      const newest = newerThan(answer);
      if (newest === undefined) return answer;
      // Is what is newer from before this request, by a clock that is ahead, or from after an attempt that may have been made? Who is told
      // so can look; to write again here could undo what was acknowledged meanwhile.
      if (unanswered)
        return { status: 503, body: { error: "the asset was changed meanwhile; read it, and write again" } };
      if (Date.now() + AGAIN_MS >= over) return answer;
      stamp = Math.max(Date.now(), newest + 1);
    } catch (error) {
      unanswered = true;
      if (!(error instanceof SilentError)) broken++;
      if (gone.aborted || Date.now() + AGAIN_MS >= over || broken > AGAIN) throw error;
    }
  }
}

/** The stamp of a change that is newer than the one that was sent, which the API has not made then. */
function newerThan({ status, body }: Answer): number | undefined {
  return status === 409 ? (JSON.parse(String(body)) as { newest?: number }).newest : undefined;
}

/** Repetitions that are left. */
class Budget {
  private left = BURST;

  earn(): void {
    this.left = Math.min(BURST, this.left + SHARE);
  }

  /** @returns whether there is one left */
  spend(): boolean {
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}

/** Nothing was answered in time. */
class SilentError extends Error {}

/** @param again asked once when nothing is answered for a while: true gives the call up */
function call(
  url: URL,
  options: RequestOptions,
  body: string | undefined,
  timeout: number,
  again: () => boolean = () => false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", ...options.headers };
    const sent = http(url, { ...options, headers }, (response) => {
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
    const timer = setTimeout(() => sent.destroy(new SilentError(`no answer in ${timeout} ms`)), timeout);
    const silent = setTimeout(() => {
      if (again()) sent.destroy(new SilentError(`no answer in ${SILENT_MS} ms`));
    }, SILENT_MS);
    sent.on("close", () => [timer, silent].forEach(clearTimeout));
    sent.on("error", reject);
    sent.end(body);
  });
}
