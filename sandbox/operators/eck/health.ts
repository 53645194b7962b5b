/** What a search cluster says of its health, as the operator asks it. */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";

/** Longest time of the whole answer. */
const ANSWER_MS = 3000;

/** Where a cluster is asked. */
export interface Endpoint {
  host: string;
  port: number;
  /** Name on its certificate. */
  servername: string;
  /** Who signed it, in PEM. */
  ca: string;
  password: string;
}

/** green, yellow or red; undefined: it does not say, or not all of it in time. */
export async function clusterHealth({ password, ...endpoint }: Endpoint): Promise<string | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...endpoint, path: "/_cluster/health", auth: `elastic:${password}`, agent: false, signal }, resolve)
        .on("error", reject)
        .end();
    });
    // Read to the end or to its break: headers alone are no answer.
    const body = (await json(response)) as { status?: string };
    return response.statusCode === 200 ? body.status : undefined;
  } catch {
    return undefined;
  }
}
